// Whole answers and streams of each vendor with the finish reason and the usage that a test wants, as the
// vendor's documentation shows them.

import { type VendorAnswer, type VendorCall, json } from './front.js'
import { converse, streamed } from './stream-bytes.js'

export interface Said {
  readonly words: readonly string[]
  /** The vendor's own word. */
  readonly finish: string
  /** In the vendor's own form; null: none is told. */
  readonly usage: object | null
  /** Anthropic: usage at the start of a stream. Default that of the end. */
  readonly startUsage?: object
}

export type AnsweringVendor = 'azure' | 'vllm' | 'anthropic' | 'bedrock' | 'gemini'

const event = (payload: unknown, name?: string) =>
  Buffer.from(`${name === undefined ? '' : `event: ${name}\n`}data: ${JSON.stringify(payload)}\n\n`)
const EVENTS = 'text/event-stream'
const events = (pieces: readonly Uint8Array[], end = '') =>
  streamed({ type: EVENTS, pieces }, { how: 'end', last: Buffer.from(end) })

export function isStream({ path, body }: VendorCall): boolean {
  if (/converse-stream$|:streamGenerateContent$/.test(path)) return true
  return (JSON.parse(body.toString('utf8')) as { stream?: boolean }).stream === true
}

/** Of chat completions: chunks, `[DONE]` and all. */
export function chatStream(chunks: readonly object[]): VendorAnswer {
  const common = { id: 'chatcmpl-7', object: 'chat.completion.chunk', created: 1, model: 'm' }
  return events(
    chunks.map((chunk) => event({ ...common, ...chunk })),
    'data: [DONE]\n\n',
  )
}

export const delta = (said: object, finish_reason: string | null = null) => ({
  choices: [{ index: 0, delta: said, finish_reason }],
})

function chat({ words, finish, usage }: Said, stream: boolean): VendorAnswer {
  if (stream) {
    const said = words.map((content) => delta({ content }))
    const told = usage === null ? [] : [{ choices: [], usage }]
    return chatStream([delta({ role: 'assistant', content: '' }), ...said, delta({}, finish), ...told])
  }
  const message = { role: 'assistant', content: words.join('') }
  const choices = [{ index: 0, message, finish_reason: finish }]
  return json(200, { id: 'chatcmpl-7', object: 'chat.completion', created: 1, model: 'm', choices, usage })
}

function messages({ words, finish, usage, startUsage = usage ?? {} }: Said, stream: boolean): VendorAnswer {
  const message = { id: 'msg_01', type: 'message', role: 'assistant', model: 'm', stop_sequence: null }
  if (!stream) {
    const content = words.length === 0 ? [] : [{ type: 'text', text: words.join('') }]
    return json(200, { ...message, content, stop_reason: finish, usage })
  }
  const typed = (type: string, more: object) => event({ type, ...more }, type)
  return events([
    typed('message_start', { message: { ...message, content: [], stop_reason: null, usage: startUsage } }),
    typed('content_block_start', { index: 0, content_block: { type: 'text', text: '' } }),
    ...words.map((text) => typed('content_block_delta', { index: 0, delta: { type: 'text_delta', text } })),
    typed('content_block_stop', { index: 0 }),
    typed('message_delta', { delta: { stop_reason: finish, stop_sequence: null }, usage }),
    typed('message_stop', {}),
  ])
}

function converseAnswer({ words, finish, usage }: Said, stream: boolean): VendorAnswer {
  const metrics = { latencyMs: 42 }
  if (!stream) {
    const message = { role: 'assistant', content: words.length === 0 ? [] : [{ text: words.join('') }] }
    return json(200, { metrics, output: { message }, stopReason: finish, usage })
  }
  const pieces = [
    converse('messageStart', { role: 'assistant' }),
    ...words.map((text) => converse('contentBlockDelta', { contentBlockIndex: 0, delta: { text } })),
    converse('contentBlockStop', { contentBlockIndex: 0 }),
    converse('messageStop', { stopReason: finish }),
    converse('metadata', { metrics, usage }),
  ]
  const type = 'application/vnd.amazon.eventstream'
  return streamed({ type, pieces }, { how: 'end', last: Buffer.alloc(0) })
}

/** `finish: 'blocked'`: the prompt was, so there is no candidate. */
function gemini({ words, finish, usage }: Said, stream: boolean): VendorAnswer {
  const common = { modelVersion: 'm', responseId: 'r1' }
  const told = usage === null ? {} : { usageMetadata: usage }
  const candidate = (text: string, more: object = {}) => ({
    candidates: [{ content: { parts: [{ text }], role: 'model' }, index: 0, ...more }],
    ...common,
  })
  if (finish === 'blocked') {
    const blocked = { promptFeedback: { blockReason: 'PROHIBITED_CONTENT' }, ...told, ...common }
    return stream ? events([event(blocked)]) : json(200, blocked)
  }
  if (!stream) return json(200, { ...candidate(words.join(''), { finishReason: finish }), ...told })
  const last = { ...candidate('', { finishReason: finish }), ...told }
  return events([...words.map((text) => event(candidate(text))), event(last)])
}

const ANSWERS: Readonly<Record<AnsweringVendor, (said: Said, stream: boolean) => VendorAnswer>> = {
  azure: chat,
  vllm: chat,
  anthropic: messages,
  bedrock: converseAnswer,
  gemini,
}

export function answerOf(
  vendor: AnsweringVendor,
  said: Said,
): (times: number, call: VendorCall) => VendorAnswer {
  return (_, call) => ANSWERS[vendor](said, isStream(call))
}
