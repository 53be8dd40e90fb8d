// A whole chat completion: read for the stages, or translated.

import { isObject, type JsonObject } from '../../core/json.js'
import type { FinishReason, Part } from '../../core/model/message.js'
import type { AnswerFacts, ModelAnswer } from '../format.js'
import { encodeOpenAiUsage, readOpenAiUsage } from '../usage.js'
import { annotationsOf, decodeAnnotations } from './annotations.js'
import { argumentsOf, reasoningOf } from './decode-messages.js'
import { encodeToolCalls } from './encode-request.js'
import { decodeFinishReason, encodeFinishReason } from './finish-reason.js'
import { decodeLogprobs, encodeLogprobs, meanTokenProbability } from './logprobs.js'

interface Choice {
  readonly choice: Record<string, unknown>
  readonly message: Record<string, unknown>
}

export function readAnswer(body: unknown): AnswerFacts | null {
  const first = firstChoice(body)
  if (first === null || !isObject(body)) return null
  const { choice, message } = first
  const refusal = textOrNull(message['refusal'])
  return {
    id: textOrNull(body['id']),
    text: textOf(message['content']),
    finishReason: finishReasonOf(choice, refusal),
    usage: readOpenAiUsage(body['usage']),
    toolCalls: toolCallsOf(message),
    meanTokenProbability: meanTokenProbability(choice['logprobs']),
    refusal,
  }
}

export function decodeAnswer(body: unknown): ModelAnswer | null {
  const facts = readAnswer(body)
  const first = firstChoice(body)
  if (facts === null || first === null || !isObject(body)) return null
  const citations = decodeAnnotations(first.message['annotations'])
  const cited = citations.length > 0 ? { citations } : {}
  const logprobs = decodeLogprobs(first.choice['logprobs'])
  const parts: readonly Part[] = [
    ...reasoningOf(first.message),
    ...(facts.text === '' ? [] : [{ kind: 'text', text: facts.text, ...cited } as const]),
    ...(facts.refusal === null ? [] : [{ kind: 'refusal', text: facts.refusal } as const]),
    ...facts.toolCalls.map((call) => ({ kind: 'tool-call', ...call }) as const),
  ]
  return {
    id: facts.id ?? '',
    model: textOrNull(body['model']) ?? '',
    parts,
    finishReason: facts.finishReason ?? 'other',
    rawFinishReason: textOrNull(first.choice['finish_reason']),
    stopSequence: null,
    usage: facts.usage,
    ...(logprobs.length > 0 ? { logprobs } : {}),
  }
}

export function encodeAnswer(answer: ModelAnswer, createdSeconds: number): JsonObject {
  const texts = answer.parts.flatMap((part) => (part.kind === 'text' ? [part.text] : []))
  const reasoning = answer.parts.flatMap((part) =>
    part.kind === 'reasoning' && part.text !== '' ? [part.text] : [],
  )
  const refusal = answer.parts.find((part) => part.kind === 'refusal')?.text ?? null
  const calls = encodeToolCalls(answer.parts)
  const annotations = annotationsOf(answer.parts)
  const said = { calls: calls.length > 0, refusal: refusal !== null }
  return {
    id: answer.id,
    object: 'chat.completion',
    created: createdSeconds,
    model: answer.model,
    choices: [
      {
        index: 0,
        message: {
          role: 'assistant',
          content: texts.length > 0 ? texts.join('') : said.calls || said.refusal ? null : '',
          refusal,
          ...(reasoning.length > 0 ? { reasoning_content: reasoning.join('') } : {}),
          ...(annotations.length > 0 ? { annotations } : {}),
          ...(said.calls ? { tool_calls: calls } : {}),
        },
        logprobs: encodeLogprobs(answer.logprobs),
        finish_reason: encodeFinishReason(answer.finishReason, said),
      },
    ],
    ...(answer.usage === null ? {} : { usage: encodeOpenAiUsage(answer.usage.tokens) }),
  }
}

function firstChoice(body: unknown): Choice | null {
  if (!isObject(body) || !Array.isArray(body['choices'])) return null
  const choice: unknown = body['choices'].find((one: unknown) => isObject(one) && (one['index'] ?? 0) === 0)
  return isObject(choice) && isObject(choice['message']) ? { choice, message: choice['message'] } : null
}

export function finishReasonOf(choice: Record<string, unknown>, refusal: string | null): FinishReason | null {
  const raw = choice['finish_reason']
  if (typeof raw !== 'string') return null
  const reason = decodeFinishReason(raw)
  return reason === 'stop' && refusal !== null ? 'refusal' : reason
}

function toolCallsOf(message: Record<string, unknown>): AnswerFacts['toolCalls'] {
  const calls = Array.isArray(message['tool_calls']) ? message['tool_calls'] : []
  const found = calls.flatMap((call: unknown) => {
    const named = isObject(call) ? (call['function'] ?? call['custom']) : null
    if (!isObject(call) || !isObject(named)) return []
    const id = textOrNull(call['id']) ?? ''
    const argumentsJson = argumentsOf(named['arguments'] ?? named['input'])
    return [{ id, name: textOrNull(named['name']) ?? '', argumentsJson }]
  })
  const old = message['function_call']
  if (!isObject(old)) return found
  return [
    ...found,
    { id: '', name: textOrNull(old['name']) ?? '', argumentsJson: argumentsOf(old['arguments']) },
  ]
}

function textOf(content: unknown): string {
  if (typeof content === 'string') return content
  if (!Array.isArray(content)) return ''
  return content.map((part: unknown) => (isObject(part) ? (textOrNull(part['text']) ?? '') : '')).join('')
}

export function textOrNull(value: unknown): string | null {
  return typeof value === 'string' && value !== '' ? value : null
}
