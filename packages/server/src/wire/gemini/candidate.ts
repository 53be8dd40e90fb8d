// What every answer of this format is made of, whole or a piece of a stream: the first candidate and its
// parts, or the word that the prompt was blocked.

import { isObject } from '../../core/json.js'
import { isJsonTool } from '../json-tool.js'
import { type Ending, finishWord } from './finish-reason.js'
import { markSignature } from './signature.js'

export type Fields = Readonly<Record<string, unknown>>

/** One part of an answer, as far as our types know its kind. */
export type AnswerPart =
  | {
      readonly kind: 'text' | 'thought'
      readonly text: string
      /** As our types hold it. */
      readonly signature: string | null
    }
  | {
      readonly kind: 'call'
      /** null: the provider gave none. */
      readonly id: string | null
      readonly name: string
      readonly argumentsJson: string
      readonly signature: string | null
    }

/** false: a body of something else. */
export function isAnswer(body: unknown): body is Record<string, unknown> {
  if (!isObject(body)) return false
  return Array.isArray(body['candidates']) || isObject(body['promptFeedback'])
}

/** A piece of a stream may also tell of usage alone. */
export function isChunk(body: unknown): body is Record<string, unknown> {
  return isAnswer(body) || (isObject(body) && isObject(body['usageMetadata']))
}

/** Proxies add OpenAI's end marker. It says nothing here, and does no harm. */
export function isForeignEnd(data: string): boolean {
  return data.trim() === '[DONE]'
}

export function firstCandidate(body: Fields): Fields | null {
  const all: readonly unknown[] = Array.isArray(body['candidates']) ? body['candidates'] : []
  const first = all.find((one) => isObject(one) && (one['index'] ?? 0) === 0)
  return isObject(first) ? first : null
}

/**
 * With holes for kinds of parts that we do not know: positions count them. An answer that came through the
 * JSON tool replaces the words around it, or the text would not be JSON.
 */
export function partsOf(candidate: Fields): readonly (AnswerPart | null)[] {
  const { content } = candidate
  const parts: readonly unknown[] =
    isObject(content) && Array.isArray(content['parts']) ? content['parts'] : []
  const answer = parts.find(isJsonAnswer)
  return parts.map((part) => {
    if (!isObject(part)) return null
    const known = isJsonAnswer(part) ? jsonPart(part) : partOf(part)
    return answer === undefined || part === answer || known?.kind !== 'text' ? known : null
  })
}

function isJsonAnswer(part: unknown): boolean {
  return (
    isObject(part) && isObject(part['functionCall']) && isJsonTool(wordOf(part['functionCall']['name']) ?? '')
  )
}

function jsonPart(part: Fields): AnswerPart | null {
  const call = partOf(part)
  return call?.kind === 'call' ? { kind: 'text', text: call.argumentsJson, signature: call.signature } : null
}

function partOf(part: Fields): AnswerPart | null {
  const call = part['functionCall']
  const signed = wordOf(part['thoughtSignature'])
  const signature = signed === null ? null : markSignature(signed)
  if (isObject(call)) {
    const args = isObject(call['args']) ? call['args'] : {}
    return {
      kind: 'call',
      id: wordOf(call['id']),
      name: wordOf(call['name']) ?? '',
      argumentsJson: JSON.stringify(args),
      signature,
    }
  }
  const { text } = part
  if (typeof text !== 'string' && signature === null) return null
  return {
    kind: part['thought'] === true ? 'thought' : 'text',
    text: typeof text === 'string' ? text : '',
    signature,
  }
}

/** null: it goes on. */
export function endingOf(body: Fields, candidate: Fields | null): Ending | null {
  const raw = candidate === null ? null : finishWord(candidate['finishReason'])
  if (raw !== null) return { raw, words: wordOf(candidate?.['finishMessage']) }
  return candidate === null ? blockOf(body['promptFeedback']) : null
}

/** A prompt that was blocked has no candidates. */
function blockOf(feedback: unknown): Ending | null {
  const raw = isObject(feedback) ? wordOf(feedback['blockReason']) : null
  if (raw === null || !isObject(feedback)) return null
  return { raw, words: wordOf(feedback['blockReasonMessage']) }
}

/**
 * A call's id when the provider gave none. Ids of one conversation must differ, so the answer's own id is in
 * it.
 */
export function callId(answerId: string | null, index: number): string {
  return answerId === null ? `call_${index}` : `call_${answerId}_${index}`
}

export function wordOf(value: unknown): string | null {
  return typeof value === 'string' && value !== '' ? value : null
}
