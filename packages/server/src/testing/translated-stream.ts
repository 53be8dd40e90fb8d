// Streams that cross formats, for tests, and the official clients' reading of them without a socket.

import Anthropic from '@anthropic-ai/sdk'
import OpenAI from 'openai'
import type { CallerWire, Wire } from '../core/release/release.js'
import { scannerBetween } from '../wire/translate-stream.js'
import { anthropicStream, openAiStream } from './recorded-streams.js'

export type Extra = { readonly cost_usd: number } | null

export function translate(
  chunks: readonly Uint8Array[],
  to: CallerWire,
  given: { from?: Wire; keepUsage?: boolean; collect?: boolean; extra?: Extra } = {},
) {
  const other = to === 'openai-chat' ? 'anthropic-messages' : 'openai-chat'
  const { from = other, keepUsage = true, collect = false, extra = null } = given
  const scanner = scannerBetween({
    from,
    to,
    model: 'asked-for',
    answerId: 'made-up',
    estimatedInputTokens: 7,
    createdSeconds: 1_700_000_000,
    keepUsage,
    keepLogprobs: false,
    collect,
  })
  const passed = chunks.map((chunk) => Buffer.from(scanner.push(chunk) ?? [])).join('')
  scanner.endOfBody?.()
  const kept = Buffer.from(scanner.finish(extra === null ? null : JSON.stringify(extra)) ?? []).toString()
  return { passed, kept, frames: passed + kept, scanner }
}

export const toAnthropic = (name: string, given = {}) =>
  translate([openAiStream(name)], 'anthropic-messages', given)
export const toOpenAi = (name: string, given = {}) => translate([anthropicStream(name)], 'openai-chat', given)

export const answering = (frames: string) => async (): Promise<Response> =>
  new Response(frames, { headers: { 'content-type': 'text/event-stream' } })

export async function readByAnthropic(frames: string) {
  const client = new Anthropic({ apiKey: 'none', fetch: answering(frames), maxRetries: 0 })
  const messages = [{ role: 'user' as const, content: 'Hi' }]
  return client.messages.stream({ model: 'm', max_tokens: 10, messages }).finalMessage()
}

export async function readByOpenAi(frames: string) {
  const client = new OpenAI({ apiKey: 'none', fetch: answering(frames), maxRetries: 0 })
  const messages = [{ role: 'user' as const, content: 'Hi' }]
  const stream = client.chat.completions.stream({
    model: 'm',
    messages,
    stream_options: { include_usage: true },
  })
  return stream.finalChatCompletion()
}

export const OPENAI_NAMES = [
  'text',
  'vllm-usage-after-finish',
  'vllm-usage-in-every-chunk',
  'usage-in-last-content-chunk',
  'parallel-tools',
  'interleaved-tools',
  'parallel-tools-all-index-zero',
  'parallel-tools-without-index',
  'azure-filter-first',
  'keep-alive-comments',
  'refusal',
  'annotations',
]
export const ANTHROPIC_NAMES = [
  'text',
  'thinking-and-tools',
  'json-tool',
  'stop-sequence',
  'usage-only-at-the-end',
  'refusal',
  'citations',
]
