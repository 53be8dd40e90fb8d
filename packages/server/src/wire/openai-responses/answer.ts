// A whole response: read for the stages, or translated.

import { isObject, type JsonObject } from '../../core/json.js'
import type { Part, TokenLogprob } from '../../core/model/message.js'
import type { AnswerFacts, ModelAnswer } from '../format.js'
import { readResponsesUsage } from '../usage.js'
import { decodeOutputItem, textOf } from './decode-items.js'
import {
  type Grouped,
  callSignature,
  encodeCall,
  encodeReasoning,
  encodeRefusal,
  encodeText,
  groupParts,
} from './encode-items.js'
import { decodeLogprobs } from './logprobs.js'
import { echoOf, itemId, responseId, responseObject } from './response-object.js'
import { type Ending, endingOf, finishReasonOf, rawReasonOf } from './status.js'

export function readAnswer(body: unknown): AnswerFacts | null {
  const answer = decodeAnswer(body)
  if (answer === null) return null
  const { parts, logprobs = [] } = answer
  return {
    id: answer.id || null,
    text: parts.map((part) => (part.kind === 'text' ? part.text : '')).join(''),
    finishReason: answer.finishReason,
    usage: answer.usage,
    toolCalls: parts.flatMap((part) =>
      part.kind === 'tool-call' ? [{ id: part.id, name: part.name, argumentsJson: part.argumentsJson }] : [],
    ),
    meanTokenProbability: meanProbability(logprobs),
    refusal: parts.find((part) => part.kind === 'refusal')?.text ?? null,
  }
}

export function decodeAnswer(body: unknown): ModelAnswer | null {
  if (!isObject(body) || body['object'] !== 'response' || !Array.isArray(body['output'])) return null
  const items = body['output'].filter(isObject)
  const parts = items.flatMap((item): readonly Part[] => decodeOutputItem(item) ?? [])
  const said = {
    calls: parts.some((part) => part.kind === 'tool-call'),
    refusal: parts.some((part) => part.kind === 'refusal'),
  }
  const finishReason = isObject(body['error']) ? null : finishReasonOf(body, said)
  if (finishReason === null) return null
  const logprobs = items.flatMap(logprobsOf)
  return {
    id: textOf(body['id']),
    model: textOf(body['model']),
    parts,
    finishReason,
    rawFinishReason: rawReasonOf(body),
    stopSequence: null,
    usage: readResponsesUsage(body['usage']),
    ...(logprobs.length > 0 ? { logprobs } : {}),
  }
}

export function encodeAnswer(answer: ModelAnswer, createdSeconds: number, request?: unknown): JsonObject {
  const id = responseId(answer.id)
  const refusal = answer.parts.some((part) => part.kind === 'refusal')
  const ending = endingOf(answer.finishReason, { refusal })
  return responseObject({
    id,
    createdSeconds,
    model: answer.model,
    ...ending,
    output: encodeOutput(answer, id, ending),
    usage: answer.usage,
    echo: echoOf(request),
  })
}

function encodeOutput(answer: ModelAnswer, id: string, ending: Ending): readonly JsonObject[] {
  const groups = groupParts(answer.parts)
  const firstText = groups.findIndex(
    (group) => group.kind === 'message' && group.said.some(({ kind }) => kind === 'text'),
  )
  return groups.map((group, index) =>
    encodeGroup(group, {
      response: id,
      index,
      // Only what was written last can have been cut.
      status: index === groups.length - 1 ? ending.status : 'completed',
      logprobs: index === firstText ? (answer.logprobs ?? []) : [],
    }),
  )
}

interface Place {
  readonly response: string
  readonly index: number
  readonly status: string
  readonly logprobs: readonly TokenLogprob[]
}

function encodeGroup(group: Grouped, { response, index, status, logprobs }: Place): JsonObject {
  switch (group.kind) {
    case 'reasoning':
      return encodeReasoning(group.part, group.part.id ?? itemId('reasoning', response, index))
    case 'call':
      return {
        id: itemId('call', response, index),
        status,
        ...encodeCall(group.part),
        ...callSignature(group.part.signature),
      }
    case 'message': {
      const firstText = group.said.findIndex(({ kind }) => kind === 'text')
      return {
        id: itemId('message', response, index),
        type: 'message',
        status,
        role: 'assistant',
        content: group.said.map((part, at) =>
          part.kind === 'text'
            ? encodeText(part, at === firstText ? logprobs : [])
            : encodeRefusal(part.text),
        ),
      }
    }
  }
}

function logprobsOf(item: Record<string, unknown>): readonly TokenLogprob[] {
  if (!Array.isArray(item['content'])) return []
  return item['content'].flatMap((part: unknown) => (isObject(part) ? decodeLogprobs(part['logprobs']) : []))
}

/** Geometric mean of the tokens' probabilities, 0..1; null without tokens. */
function meanProbability(logprobs: readonly TokenLogprob[]): number | null {
  if (logprobs.length === 0) return null
  const sum = logprobs.reduce((total, { logprob }) => total + logprob, 0)
  return Math.min(1, Math.exp(sum / logprobs.length))
}
