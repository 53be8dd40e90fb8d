// Scripts for the scripted provider: what OpenAI's chat completions and Anthropic's Messages look like when
// they answer, stream, refuse, break, lie or are no model at all.

import type { UpstreamFailure } from '../engine/ports.js'
import type { Act, Script } from './scripted-provider.js'

const JSON_HEADERS = { 'content-type': 'application/json' }
const STREAM_HEADERS = { 'content-type': 'text/event-stream' }

export interface Usage {
  readonly input: number
  readonly output: number
}

export interface Said {
  readonly text?: string
  readonly usage?: Usage | null
  /** Mean probability of each token, as log probabilities. */
  readonly probability?: number
  /** Default `stop`. */
  readonly finish?: string
  /** Before the head, ms. Default 0. */
  readonly delayMs?: number
}

export const USAGE: Usage = { input: 40, output: 8 }

const wait = (ms: number): readonly Act[] => (ms > 0 ? [{ kind: 'wait', ms }] : [])
const head = (status: number, headers: Readonly<Record<string, string>>): Act => ({
  kind: 'head',
  status,
  headers,
})
const data = (text: string): Act => ({ kind: 'data', chunk: Buffer.from(text) })
const END: Act = { kind: 'end' }

export interface WholeReply {
  readonly status?: number
  readonly headers?: Readonly<Record<string, string>>
  readonly delayMs?: number
}

/** Any whole answer; text is sent as it is, everything else as JSON. */
export function reply(body: unknown, { status = 200, headers = {}, delayMs = 0 }: WholeReply = {}): Script {
  const text = typeof body === 'string' ? body : JSON.stringify(body)
  return [...wait(delayMs), head(status, { ...JSON_HEADERS, ...headers }), data(text), END]
}

export const html = (status = 200): Script =>
  reply('<html>Network connection lost</html>', { status, headers: { 'content-type': 'text/html' } })

export function failWith(failure: UpstreamFailure, delayMs = 0): Script {
  return [...wait(delayMs), { kind: 'fail', failure }]
}

/** Takes the request and never says a word. */
export const STALL: Script = []

export const openAiError = (
  status: number,
  code: string,
  headers: Readonly<Record<string, string>> = {},
): Script =>
  reply(
    { error: { message: `refused: ${code}`, type: 'invalid_request_error', param: null, code } },
    { status, headers },
  )

export const anthropicError = (status: number, type: string, message = `refused: ${type}`): Script =>
  reply({ type: 'error', error: { type, message } }, { status })

export function chatAnswer(said: Said = {}): Script {
  const { text = 'An answer.', finish = 'stop', delayMs = 0 } = said
  const message = { role: 'assistant', content: text, refusal: null }
  const choice = { index: 0, message, logprobs: logprobsOf(said, [text]), finish_reason: finish }
  const usage = openAiUsage(said)
  const body = {
    id: 'chatcmpl-1',
    object: 'chat.completion',
    created: 1,
    model: 'upstream',
    choices: [choice],
    ...usage,
  }
  return reply(body, { delayMs })
}

function openAiUsage({ usage = USAGE }: Said): object {
  if (usage === null) return {}
  const { input, output } = usage
  return { usage: { prompt_tokens: input, completion_tokens: output, total_tokens: input + output } }
}

function logprobsOf({ probability }: Said, tokens: readonly string[]): object | null {
  if (probability === undefined) return null
  const logprob = Math.log(probability)
  return {
    content: tokens.map((token) => ({ token, logprob, bytes: null, top_logprobs: [] })),
    refusal: null,
  }
}

export interface Streamed extends Omit<Said, 'text'> {
  /** One content frame each. Default three. */
  readonly tokens?: readonly string[]
  /** Between two frames, ms. Default 0. */
  readonly gapMs?: number
}

const TOKENS = ['An', ' answer', '.']

/** Frames of a chat completion stream as a provider sends them that was asked for usage. */
export function chatFrames(said: Streamed = {}): readonly string[] {
  const { tokens = TOKENS, finish = 'stop', usage = USAGE } = said
  const chunk = (rest: object) =>
    `data: ${JSON.stringify({ id: 'chatcmpl-1', object: 'chat.completion.chunk', created: 1, model: 'upstream', ...rest })}\n\n`
  const choice = (delta: object, more: object = {}) =>
    chunk({ choices: [{ index: 0, delta, logprobs: null, finish_reason: null, ...more }], usage: null })
  return [
    choice({ role: 'assistant', content: '' }),
    ...tokens.map((token) => choice({ content: token }, { logprobs: logprobsOf(said, [token]) })),
    choice({}, { finish_reason: finish }),
    ...(usage === null ? [] : [chunk({ choices: [], ...openAiUsage({ usage }) })]),
    'data: [DONE]\n\n',
  ]
}

/** Frames as acts: the head, each frame after `gapMs`, and the end. */
export function streamOf(frames: readonly string[], { gapMs = 0, delayMs = 0 }: Streamed = {}): Script {
  const acts = frames.flatMap((frame) => [...wait(gapMs), data(frame)])
  return [...wait(delayMs), head(200, STREAM_HEADERS), ...acts, END]
}

export const chatStream = (said: Streamed = {}): Script => streamOf(chatFrames(said), said)

/** The same bytes, cut into chunks of this size: frames are split anywhere. */
export function splitEvery(bytes: number, frames: readonly string[]): Script {
  const all = Buffer.from(frames.join(''))
  const acts: Act[] = []
  for (let at = 0; at < all.length; at += bytes)
    acts.push({ kind: 'data', chunk: all.subarray(at, at + bytes) })
  return [head(200, STREAM_HEADERS), ...acts, END]
}

/** The first frames, and then whatever comes instead of the rest. */
export function brokenAfter(frames: readonly string[], rest: readonly Act[], gapMs = 0): Script {
  return [head(200, STREAM_HEADERS), ...frames.flatMap((frame) => [...wait(gapMs), data(frame)]), ...rest]
}

export const BREAK: readonly Act[] = [{ kind: 'fail', failure: 'broken' }]
/** The body ends as if all were well, but the end marker is missing. */
export const SILENT_END: readonly Act[] = [END]
export const inBand = (frame: string): readonly Act[] => [data(frame), END]

export const OPENAI_ERROR_FRAME =
  'data: {"error":{"message":"overloaded","type":"server_error","code":null}}\n\n'

export function messagesAnswer(said: Said = {}): Script {
  const { text = 'An answer.', finish = 'end_turn', delayMs = 0, usage = USAGE } = said
  const body = {
    id: 'msg_1',
    type: 'message',
    role: 'assistant',
    model: 'upstream',
    content: [{ type: 'text', text }],
    stop_reason: finish,
    stop_sequence: null,
    usage: { input_tokens: usage?.input ?? 0, output_tokens: usage?.output ?? 0 },
  }
  return reply(body, { delayMs })
}

export function messagesFrames(said: Streamed = {}): readonly string[] {
  const { tokens = TOKENS, finish = 'end_turn' } = said
  const usage = said.usage ?? USAGE
  const event = (type: string, rest: object) =>
    `event: ${type}\ndata: ${JSON.stringify({ type, ...rest })}\n\n`
  const message = {
    id: 'msg_1',
    type: 'message',
    role: 'assistant',
    model: 'upstream',
    content: [],
    stop_reason: null,
    stop_sequence: null,
    usage: { input_tokens: usage.input, output_tokens: 1 },
  }
  return [
    event('message_start', { message }),
    event('content_block_start', { index: 0, content_block: { type: 'text', text: '' } }),
    ...tokens.map((text) => event('content_block_delta', { index: 0, delta: { type: 'text_delta', text } })),
    event('content_block_stop', { index: 0 }),
    event('message_delta', {
      delta: { stop_reason: finish, stop_sequence: null },
      usage: { output_tokens: usage.output },
    }),
    event('message_stop', {}),
  ]
}

export const messagesStream = (said: Streamed = {}): Script => streamOf(messagesFrames(said), said)
