// Answers that no model was called for: from the cache, or the contract's refine message. In the caller's own
// format, whole or as a stream, whichever was asked for.

import { jsonBytes } from '../json-bytes.js'
import type { FinishReason } from '../../core/model/message.js'
import { answerOf, eventsOf } from '../../wire/answer-events.js'
import type { ModelAnswer, WireFormat } from '../../wire/format.js'
import { withId } from '../../wire/openai-responses/response-object.js'
import type { CachedAnswer } from '../answer-ring.js'
import type { Step } from '../step-context.js'

export interface MadeAnswer {
  readonly stream: boolean
  readonly body: Uint8Array
  readonly text: string
  readonly finishReason: FinishReason
}

/**
 * The remembered bytes as they are when they have the right shape, else the same answer in the other shape.
 */
export function answerFromCache(step: Step, cached: CachedAnswer): MadeAnswer | null {
  const stream = step.request.view.stream
  const answer = cached.streamed
    ? answerOf(step.format.decoder().push(cached.bytes))
    : decodeWhole(step.format, cached.bytes)
  if (answer === null && step.call.wire !== 'openai-embeddings') return null
  const text = answer === null ? '' : textOf(answer)
  const finishReason = answer?.finishReason ?? 'stop'
  if (answer === null || (!stream && !cached.streamed))
    return { stream: false, body: bytesForAnother(step, cached.bytes), text, finishReason }
  return { ...madeOf(step, { ...answer, id: idForAnother(step, answer.id) }), text, finishReason }
}

/**
 * Who names a response goes on from the conversation it was given in: given in another, it is another one. In
 * the other formats nobody can come back to an id.
 */
function idForAnother(step: Step, id: string): string {
  return step.call.wire === 'openai-responses' ? step.engine.system.newId('message') : id
}

function bytesForAnother(step: Step, bytes: Uint8Array): Uint8Array {
  if (step.call.wire !== 'openai-responses') return bytes
  const body: unknown = JSON.parse(Buffer.from(bytes).toString('utf8'))
  return jsonBytes(withId(body, idForAnother(step, '')))
}

/** The ladder's last rung: a 200 in the caller's format that asks for what is missing. */
export function refineAnswer(step: Step): MadeAnswer {
  const text = step.task.contract.refineMessage
  const answer: ModelAnswer = {
    id: step.engine.system.newId('message'),
    model: step.request.view.model,
    parts: [{ kind: 'text', text }],
    finishReason: 'stop',
    rawFinishReason: null,
    stopSequence: null,
    usage: null,
  }
  return { ...madeOf(step, answer), text, finishReason: 'stop' }
}

function madeOf(step: Step, answer: ModelAnswer): { stream: boolean; body: Uint8Array } {
  const stream = step.request.view.stream
  const createdSeconds = Math.floor(step.startedMs / 1000)
  const body = stream
    ? encodeStream(step, answer)
    : JSON.stringify(step.format.encodeAnswer(answer, createdSeconds, step.request.json))
  return { stream, body: Buffer.from(body) }
}

function encodeStream(step: Step, answer: ModelAnswer): string {
  const { view } = step.request
  const createdSeconds = Math.floor(step.startedMs / 1000)
  const encoder = step.format.encoder({
    model: answer.model,
    includeUsage: view.includeUsage,
    createdSeconds,
    request: step.request.json,
  })
  return eventsOf(answer)
    .map((event) => encoder.encode(event))
    .join('')
}

function decodeWhole(format: WireFormat, bytes: Uint8Array): ModelAnswer | null {
  try {
    return format.decodeAnswer(JSON.parse(Buffer.from(bytes).toString('utf8')))
  } catch {
    return null
  }
}

function textOf(answer: ModelAnswer): string {
  return answer.parts.map((part) => (part.kind === 'text' ? part.text : '')).join('')
}
