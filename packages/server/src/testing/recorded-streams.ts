// Streams as providers document and send them, for tests: the bytes are in `wire/fixtures/`.

import { readFileSync } from 'node:fs'

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
