// Streams as providers document and send them, for tests: the bytes are in `wire/fixtures/`.

import { readFileSync } from 'node:fs'
import type { JsonObject } from '../core/json.js'
import { eventFrame } from './converse-frames.js'

export function openAiStream(name: string): Buffer {
  return readFileSync(new URL(`../wire/fixtures/openai-chat/${name}.txt`, import.meta.url))
}

export function anthropicStream(name: string): Buffer {
  return readFileSync(new URL(`../wire/fixtures/anthropic-messages/${name}.txt`, import.meta.url))
}

export function geminiStream(name: string): Buffer {
  return readFileSync(new URL(`../wire/fixtures/gemini/${name}.txt`, import.meta.url))
}

export function responsesStream(name: string): Buffer {
  return readFileSync(new URL(`../wire/fixtures/openai-responses/${name}.txt`, import.meta.url))
}

/** The JSON values of a stream's frames; `[DONE]` as a string. */
export function valuesOf(frames: string): Record<string, unknown>[] {
  return frames
    .split(/\r?\n/)
    .filter((line) => line.startsWith('data: '))
    .map((line) => (line === 'data: [DONE]' ? { done: true } : JSON.parse(line.slice(6))))
}

/** A ConverseStream, framed from its events, one a line. */
export function converseStream(name: string): Buffer {
  return Buffer.concat(converseEvents(name).map(([type, payload]) => eventFrame(type, payload)))
}

export function converseEvents(name: string): readonly (readonly [type: string, payload: JsonObject])[] {
  const path = new URL(`../wire/fixtures/bedrock-converse/stream-${name}.jsonl`, import.meta.url)
  const lines = readFileSync(path, 'utf8').trimEnd().split('\n')
  return lines.map((line) => JSON.parse(line))
}

export function converseAnswer(name: string): unknown {
  const path = new URL(`../wire/fixtures/bedrock-converse/${name}.json`, import.meta.url)
  return JSON.parse(readFileSync(path, 'utf8'))
}

export const CONVERSE_STREAMS = ['text', 'parallel-tools', 'reasoning', 'json-tool', 'guardrail']
