// Answers that no model was called for: from the cache, or the contract's refine message. In the caller's own
// format, whole or as a stream, whichever was asked for.

import type { FinishReason } from '../../core/model/message.js'
import type { ModelAnswer, StreamDecoder, WireFormat } from '../../wire/format.js'
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
    ? collect(step.format.decoder(), cached.bytes)
    : decodeWhole(step.format, cached.bytes)
  if (answer === null && step.call.wire !== 'openai-embeddings') return null
  const text = answer === null ? '' : textOf(answer)
  const finishReason = answer?.finishReason ?? 'stop'
  if (answer === null || (!stream && !cached.streamed))
    return { stream: false, body: cached.bytes, text, finishReason }
  return { ...madeOf(step, answer), text, finishReason }
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
  let frames = encoder.encode({ kind: 'start', id: answer.id, model: answer.model, usage: answer.usage })
  let index = 0
  for (const part of answer.parts) {
    if (part.kind === 'text') frames += encoder.encode({ kind: 'text-delta', text: part.text })
    if (part.kind === 'tool-call') {
      frames += encoder.encode({ kind: 'tool-call-start', index, id: part.id, name: part.name })
      frames += encoder.encode({ kind: 'tool-call-delta', index, argumentsJson: part.argumentsJson })
      index += 1
    }
  }
  const { finishReason: reason, rawFinishReason: raw, stopSequence } = answer
  frames += encoder.encode({ kind: 'finish', reason, raw, stopSequence })
  if (answer.usage !== null) frames += encoder.encode({ kind: 'usage', usage: answer.usage })
  return frames + encoder.encode({ kind: 'end' })
}

function decodeWhole(format: WireFormat, bytes: Uint8Array): ModelAnswer | null {
  try {
    return format.decodeAnswer(JSON.parse(Buffer.from(bytes).toString('utf8')))
  } catch {
    return null
  }
}

/** Puts a remembered stream together again. */
function collect(decoder: StreamDecoder, bytes: Uint8Array): ModelAnswer | null {
  const calls = new Map<number, { id: string; name: string; argumentsJson: string }>()
  let text = ''
  let start = { id: '', model: '' }
  let finish: Pick<ModelAnswer, 'finishReason' | 'rawFinishReason' | 'stopSequence'> | null = null
  let usage: ModelAnswer['usage'] = null
  for (const event of decoder.push(bytes)) {
    if (event.kind === 'start') start = event
    else if (event.kind === 'text-delta') text += event.text
    else if (event.kind === 'tool-call-start')
      calls.set(event.index, { id: event.id, name: event.name, argumentsJson: '' })
    else if (event.kind === 'tool-call-delta') {
      const call = calls.get(event.index)
      if (call !== undefined) call.argumentsJson += event.argumentsJson
    } else if (event.kind === 'usage') usage = event.usage
    else if (event.kind === 'finish') {
      finish = { finishReason: event.reason, rawFinishReason: event.raw, stopSequence: event.stopSequence }
    }
  }
  if (finish === null) return null
  const textPart = text === '' ? [] : [{ kind: 'text' as const, text }]
  const callParts = [...calls.values()].map((call) => ({ kind: 'tool-call' as const, ...call }))
  return { id: start.id, model: start.model, parts: [...textPart, ...callParts], usage, ...finish }
}

function textOf(answer: ModelAnswer): string {
  return answer.parts.map((part) => (part.kind === 'text' ? part.text : '')).join('')
}
