// Streams of each vendor in pieces, byte by byte as its documentation shows them: a beginning, words, an end
// with usage, errors in band, and ways to damage them.

import { EventStreamCodec } from '@smithy/eventstream-codec'
import type { VendorName } from './fault.js'
import type { VendorAnswer } from './front.js'

export interface StreamBytes {
  readonly type: string
  readonly begin: Uint8Array
  readonly words: (text: string) => Uint8Array
  /** Finish reason, usage of 10 tokens in and 2 out, and the end marker where the format has one. */
  readonly end: Uint8Array
}

const EVENTS = 'text/event-stream'
const bytes = (text: string) => Buffer.from(text)
const data = (json: unknown, event?: string) =>
  bytes(`${event === undefined ? '' : `event: ${event}\n`}data: ${JSON.stringify(json)}\n\n`)

const chunk = (more: object) => ({
  id: 'chatcmpl-7',
  object: 'chat.completion.chunk',
  created: 1_700_000_000,
  model: 'm',
  ...more,
})
const choice = (delta: object, finish_reason: string | null = null) =>
  data(chunk({ choices: [{ index: 0, delta, logprobs: null, finish_reason }] }))

export const CHAT_BYTES: StreamBytes = {
  type: EVENTS,
  begin: choice({ role: 'assistant', content: '' }),
  words: (content) => choice({ content }),
  end: Buffer.concat([
    choice({}, 'stop'),
    data(chunk({ choices: [], usage: { prompt_tokens: 10, completion_tokens: 2, total_tokens: 12 } })),
    bytes('data: [DONE]\n\n'),
  ]),
}

const START_USAGE = {
  input_tokens: 10,
  cache_creation_input_tokens: 0,
  cache_read_input_tokens: 0,
  output_tokens: 1,
}
const anthropic = (type: string, more: object) => data({ type, ...more }, type)

export const MESSAGES_BYTES: StreamBytes = {
  type: EVENTS,
  begin: Buffer.concat([
    anthropic('message_start', {
      message: {
        id: 'msg_01',
        type: 'message',
        role: 'assistant',
        model: 'm',
        content: [],
        stop_reason: null,
        stop_sequence: null,
        usage: START_USAGE,
      },
    }),
    anthropic('content_block_start', { index: 0, content_block: { type: 'text', text: '' } }),
    anthropic('ping', {}),
  ]),
  words: (text) => anthropic('content_block_delta', { index: 0, delta: { type: 'text_delta', text } }),
  end: Buffer.concat([
    anthropic('content_block_stop', { index: 0 }),
    anthropic('message_delta', {
      delta: { stop_reason: 'end_turn', stop_sequence: null },
      usage: { output_tokens: 2 },
    }),
    anthropic('message_stop', {}),
  ]),
}

const codec = new EventStreamCodec(
  (raw) => Buffer.from(raw).toString('utf8'),
  (text) => Buffer.from(text),
)
const header = (value: string) => ({ type: 'string' as const, value })

export function awsFrame(headers: Readonly<Record<string, string>>, payload: unknown): Buffer {
  const named = Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, header(value)]))
  return Buffer.from(codec.encode({ headers: named, body: bytes(JSON.stringify(payload)) }))
}

export const converse = (type: string, payload: unknown) =>
  awsFrame({ ':event-type': type, ':content-type': 'application/json', ':message-type': 'event' }, payload)

export const exception = (type: string, message: string) =>
  awsFrame(
    { ':exception-type': type, ':content-type': 'application/json', ':message-type': 'exception' },
    { message },
  )

const CONVERSE_END = [
  converse('contentBlockStop', { contentBlockIndex: 0 }),
  converse('messageStop', { stopReason: 'end_turn' }),
  converse('metadata', {
    metrics: { latencyMs: 42 },
    usage: { inputTokens: 10, outputTokens: 2, totalTokens: 12 },
  }),
]

export const CONVERSE_BYTES: StreamBytes = {
  type: 'application/vnd.amazon.eventstream',
  begin: converse('messageStart', { role: 'assistant' }),
  words: (text) => converse('contentBlockDelta', { contentBlockIndex: 0, delta: { text } }),
  end: Buffer.concat(CONVERSE_END),
}

const candidate = (text: string, more: object = {}) => ({
  candidates: [{ content: { parts: [{ text }], role: 'model' }, index: 0, ...more }],
  modelVersion: 'm',
  responseId: 'r1',
})

export const GEMINI_BYTES: StreamBytes = {
  type: EVENTS,
  begin: bytes(''),
  words: (text) => data(candidate(text)),
  end: data({
    ...candidate('', { finishReason: 'STOP' }),
    usageMetadata: { promptTokenCount: 10, candidatesTokenCount: 2, totalTokenCount: 12 },
  }),
}

export const STREAMS: Readonly<Record<Exclude<VendorName, 'openai' | 'azure' | 'vertex'>, StreamBytes>> = {
  vllm: CHAT_BYTES,
  anthropic: MESSAGES_BYTES,
  bedrock: CONVERSE_BYTES,
  gemini: GEMINI_BYTES,
}

/** How a stream goes on after some of it was sent. */
export type Break =
  /** These bytes, and then the body ends as if all was well. */
  | { readonly how: 'end'; readonly last: Uint8Array }
  /** The connection is lost. */
  | { readonly how: 'cut' }
  /** Nothing comes any more. */
  | { readonly how: 'stall' }

/** `broken` follows when `seen` has resolved: what came before has reached whoever it is for. */
export function streamed(
  { type, pieces }: { readonly type: string; readonly pieces: readonly Uint8Array[] },
  broken: Break,
  seen: Promise<void> = Promise.resolve(),
): VendorAnswer {
  async function* body() {
    for (const piece of pieces) yield piece
    await seen
    if (broken.how === 'cut') throw new Error('the connection is lost, as scripted')
    if (broken.how === 'stall') await new Promise(() => undefined)
    else yield broken.last
  }
  return { status: 200, headers: { 'content-type': type }, body: body() }
}

/** The same bytes with one of them changed. */
export function damaged(frame: Uint8Array, at: number): Buffer {
  const copy = Buffer.from(frame)
  const index = at < 0 ? copy.length + at : at
  copy[index] = (copy[index] ?? 0) ^ 0xff
  return copy
}
