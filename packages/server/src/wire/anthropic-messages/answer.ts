// A whole message: read for the stages, or translated.

import { isObject, type JsonObject } from '../../core/json.js'
import type { FinishReason, Part } from '../../core/model/message.js'
import { NO_TOKENS } from '../../core/money/token-counts.js'
import type { AnswerFacts, ModelAnswer } from '../format.js'
import { encodeAnthropicUsage, readAnthropicUsage } from '../usage.js'
import { isJsonTool } from '../json-tool.js'
import { reasoningOf, textOfBlock } from './decode-content.js'
import { encodeAnswerPart } from './encode-content.js'
import { decodeStopReason, encodeStopReason } from './stop-reason.js'

type Blocks = readonly Record<string, unknown>[]

export function readAnswer(body: unknown): AnswerFacts | null {
  const blocks = blocksOf(body)
  if (blocks === null || !isObject(body)) return null
  const answer = blocks.find(isJsonAnswer)
  const text = blocks.map((block) => (block['type'] === 'text' ? textOf(block['text']) : '')).join('')
  return {
    id: textOf(body['id']) || null,
    text: answer === undefined ? text : JSON.stringify(answer['input'] ?? {}),
    finishReason: finishReasonOf(body['stop_reason'], blocks),
    usage: readAnthropicUsage(body['usage']),
    toolCalls: blocks.filter((block) => block['type'] === 'tool_use' && !isJsonAnswer(block)).map(toolCallOf),
    meanTokenProbability: null,
    refusal: body['stop_reason'] === 'refusal' ? (explanationOf(body['stop_details']) ?? text) : null,
  }
}

export function decodeAnswer(body: unknown): ModelAnswer | null {
  const facts = readAnswer(body)
  const blocks = blocksOf(body)
  if (facts === null || blocks === null || !isObject(body)) return null
  const explanation = body['stop_reason'] === 'refusal' ? explanationOf(body['stop_details']) : null
  return {
    id: facts.id ?? '',
    model: textOf(body['model']),
    parts: [
      ...decodeBlocks(blocks),
      ...(explanation === null ? [] : [{ kind: 'refusal', text: explanation } as const]),
    ],
    finishReason: facts.finishReason ?? 'other',
    rawFinishReason: textOf(body['stop_reason']) || null,
    stopSequence: textOf(body['stop_sequence']) || null,
    usage: facts.usage,
  }
}

export function encodeAnswer(answer: ModelAnswer): JsonObject {
  const calls = answer.parts.some((part) => part.kind === 'tool-call')
  return {
    id: answer.id,
    type: 'message',
    role: 'assistant',
    model: answer.model,
    // Arguments that are not JSON (a cut call) become an empty input: the stop reason says that it was cut.
    content: answer.parts.flatMap(encodeAnswerPart),
    stop_reason: encodeStopReason(answer.finishReason, { ...answer, calls }),
    stop_sequence: answer.stopSequence,
    usage: encodeAnthropicUsage(answer.usage?.tokens ?? NO_TOKENS),
  }
}

function blocksOf(body: unknown): Blocks | null {
  if (!isObject(body) || body['type'] !== 'message' || !Array.isArray(body['content'])) return null
  return body['content'].filter(isObject)
}

/** The JSON answer replaces any text around it, or the text would not be JSON. */
function decodeBlocks(blocks: Blocks): readonly Part[] {
  const answer = blocks.find(isJsonAnswer)
  return blocks.flatMap((block): readonly Part[] => {
    if (block === answer) return [{ kind: 'text', text: JSON.stringify(block['input'] ?? {}) }]
    if (block['type'] === 'text' && answer === undefined)
      return [textOfBlock(textOf(block['text']), block['citations'])]
    if (block['type'] === 'tool_use' && !isJsonAnswer(block))
      return [{ kind: 'tool-call', ...toolCallOf(block) }]
    const reasoning = reasoningOf(block)
    return reasoning === null ? [] : [reasoning]
  })
}

function isJsonAnswer(block: Record<string, unknown>): boolean {
  return block['type'] === 'tool_use' && isJsonTool(textOf(block['name']))
}

function toolCallOf(block: Record<string, unknown>): AnswerFacts['toolCalls'][number] {
  return {
    id: textOf(block['id']),
    name: textOf(block['name']),
    argumentsJson: JSON.stringify(block['input'] ?? {}),
  }
}

function finishReasonOf(raw: unknown, blocks: Blocks): FinishReason | null {
  if (typeof raw !== 'string') return null
  const reason = decodeStopReason(raw)
  const calls = blocks.filter((block) => block['type'] === 'tool_use')
  return reason === 'tool-calls' && calls.length > 0 && calls.every(isJsonAnswer) ? 'stop' : reason
}

export function explanationOf(details: unknown): string | null {
  return isObject(details) ? textOf(details['explanation']) || null : null
}

export function textOf(value: unknown): string {
  return typeof value === 'string' ? value : ''
}
