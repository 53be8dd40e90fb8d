// A whole answer: read for the stages, or translated.

import type { Citation, FinishReason, Part } from '../../core/model/message.js'
import type { AnswerFacts, ModelAnswer } from '../format.js'
import { readGeminiUsage } from '../usage.js'
import {
  type AnswerPart,
  type Fields,
  callId,
  endingOf,
  firstCandidate,
  isAnswer,
  partsOf,
  wordOf,
} from './candidate.js'
import { type PlacedCitation, readCitations } from './citations.js'
import { type Ending, decodeFinishReason, failureOf } from './finish-reason.js'
import { confidenceLogprobs, readLogprobs } from './logprobs.js'

interface Read {
  readonly id: string | null
  readonly candidate: Fields | null
  readonly parts: readonly (AnswerPart | null)[]
  readonly ending: Ending | null
  readonly finishReason: FinishReason | null
}

export function readAnswer(body: unknown): AnswerFacts | null {
  const read = readParts(body)
  if (read === null || !isAnswer(body)) return null
  const { id, candidate, parts, ending, finishReason } = read
  return {
    id,
    text: textOf(parts),
    finishReason,
    usage: readGeminiUsage(body['usageMetadata']),
    toolCalls: toolCallsOf(read),
    meanTokenProbability: candidate === null ? null : meanProbability(confidenceLogprobs(candidate)),
    ...failing(ending),
    refusal: finishReason === 'refusal' ? (ending?.words ?? ending?.raw ?? null) : null,
  }
}

export function decodeAnswer(body: unknown): ModelAnswer | null {
  const read = readParts(body)
  if (read === null || !isAnswer(body)) return null
  const { id, candidate, ending, finishReason } = read
  const logprobs = readLogprobs(candidate?.['logprobsResult'])
  const words = finishReason === 'refusal' ? (ending?.words ?? null) : null
  return {
    id: id ?? '',
    model: wordOf(body['modelVersion']) ?? '',
    parts: [...decodeParts(read), ...(words === null ? [] : [{ kind: 'refusal', text: words } as const])],
    finishReason: finishReason ?? 'other',
    rawFinishReason: ending?.raw ?? null,
    stopSequence: null,
    usage: readGeminiUsage(body['usageMetadata']),
    ...(logprobs.length > 0 ? { logprobs } : {}),
  }
}

/** null: neither an answer nor the word that there is none. */
function readParts(body: unknown): Read | null {
  if (!isAnswer(body)) return null
  const candidate = firstCandidate(body)
  const ending = endingOf(body, candidate)
  if (candidate === null && ending === null) return null
  const parts = candidate === null ? [] : partsOf(candidate)
  const calls = parts.some((part) => part?.kind === 'call')
  const said = { calls, blocked: candidate === null }
  const finishReason = ending === null ? null : decodeFinishReason(ending.raw, said)
  return { id: wordOf(body['responseId']), candidate, parts, ending, finishReason }
}

function failing(ending: Ending | null): Pick<AnswerFacts, 'failure'> {
  const failure = ending === null ? null : failureOf(ending)
  return failure === null ? {} : { failure }
}

function textOf(parts: Read['parts']): string {
  return parts.map((part) => (part?.kind === 'text' ? part.text : '')).join('')
}

function toolCallsOf({ id, parts }: Read): AnswerFacts['toolCalls'] {
  return parts
    .flatMap((part) => (part?.kind === 'call' ? [part] : []))
    .map((call, index) => ({
      id: call.id ?? callId(id, index),
      name: call.name,
      argumentsJson: call.argumentsJson,
    }))
}

function decodeParts(read: Read): readonly Part[] {
  const { candidate, parts } = read
  const textAt = (at: number | null): string => {
    const part = at === null ? undefined : parts[at]
    return at === null ? textOf(parts) : part?.kind === 'text' ? part.text : ''
  }
  const placed = candidate === null ? [] : readCitations(candidate, textAt)
  const calls = [...toolCallsOf(read)]
  const firstText = parts.findIndex((part) => part?.kind === 'text')
  return parts.flatMap((part, index): readonly Part[] => {
    if (part === null) return []
    if (part.kind !== 'call') return decodeWords(part, citationsAt(placed, index, firstText))
    const call = calls.shift()
    if (call === undefined) return []
    return [{ kind: 'tool-call', ...call, ...(part.signature === null ? {} : { signature: part.signature }) }]
  })
}

function citationsAt(placed: readonly PlacedCitation[], index: number, first: number): readonly Citation[] {
  return placed.filter(({ part }) => (part ?? first) === index).map(({ citation }) => citation)
}

function decodeWords(
  { kind, text, signature }: Extract<AnswerPart, { kind: 'text' | 'thought' }>,
  citations: readonly Citation[],
): readonly Part[] {
  const signed = signature === null ? {} : { signature }
  if (kind === 'thought')
    return text === '' && signature === null ? [] : [{ kind: 'reasoning', text, ...signed }]
  const said: readonly Part[] =
    text === '' ? [] : [{ kind: 'text', text, ...(citations.length > 0 ? { citations } : {}) }]
  // A text has no place for a signature: it follows, as it does in a stream.
  return signature === null ? said : [...said, { kind: 'reasoning', text: '', signature }]
}

function meanProbability(logprobs: readonly number[]): number | null {
  if (logprobs.length === 0) return null
  const mean = logprobs.reduce((sum, value) => sum + value, 0) / logprobs.length
  return Math.min(1, Math.exp(mean))
}
