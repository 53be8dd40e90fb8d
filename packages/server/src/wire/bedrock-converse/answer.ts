// A whole Converse answer: read for the stages, or translated. It says neither its id nor its model.

import { isObject } from '../../core/json.js'
import type { Citation, FinishReason, Part } from '../../core/model/message.js'
import { textOf } from '../fields.js'
import type { AnswerFacts, ModelAnswer } from '../format.js'
import { isJsonTool } from '../json-tool.js'
import { readConverseUsage } from '../usage.js'
import { decodeCitation } from './citations.js'
import { isNoTool } from './no-tool.js'
import { decodeStopReason, stopSequenceOf } from './stop-reason.js'

type Block = Readonly<Record<string, unknown>>

export function readAnswer(body: unknown): AnswerFacts | null {
  const parts = partsOf(body)
  if (parts === null || !isObject(body)) return null
  const text = parts.map((part) => (part.kind === 'text' ? part.text : '')).join('')
  const calls = parts.filter((part) => part.kind === 'tool-call')
  const finishReason = finishReasonOf(body['stopReason'], calls.length > 0)
  return {
    id: null,
    text,
    finishReason,
    usage: readConverseUsage(body['usage']),
    toolCalls: calls.map(({ id, name, argumentsJson }) => ({ id, name, argumentsJson })),
    meanTokenProbability: null,
    refusal: finishReason === 'refusal' ? text : null,
  }
}

export function decodeAnswer(body: unknown): ModelAnswer | null {
  const facts = readAnswer(body)
  if (facts === null || !isObject(body)) return null
  return {
    id: '',
    model: '',
    parts: partsOf(body) ?? [],
    finishReason: facts.finishReason ?? 'other',
    rawFinishReason: textOf(body['stopReason']) || null,
    stopSequence: stopSequenceOf(body['additionalModelResponseFields']),
    usage: facts.usage,
  }
}

/** null: not an answer of this format. The JSON answer replaces any text around it. */
function partsOf(body: unknown): readonly Part[] | null {
  const output = isObject(body) ? body['output'] : null
  const message = isObject(output) ? output['message'] : null
  if (!isObject(message) || !Array.isArray(message['content'])) return null
  const blocks = message['content'].filter(isObject)
  const answer = blocks.map(({ toolUse }) => toolUse).find(isJsonAnswer)
  if (answer === undefined) return blocks.flatMap(decodeBlock)
  return blocks.flatMap((block): readonly Part[] => {
    if (block['toolUse'] === answer) return [{ kind: 'text', text: JSON.stringify(answer['input'] ?? {}) }]
    return decodeBlock(block).filter((part) => part.kind !== 'text')
  })
}

function isJsonAnswer(use: unknown): use is Block {
  return isObject(use) && isJsonTool(textOf(use['name']))
}

function decodeBlock(block: Block): readonly Part[] {
  const { text, toolUse, reasoningContent: reasoning, citationsContent: cited } = block
  if (typeof text === 'string') return [{ kind: 'text', text }]
  if (isObject(cited)) return [citedText(cited)]
  if (isObject(toolUse)) return toolCall(toolUse)
  return isObject(reasoning) ? decodeReasoning(reasoning) : []
}

function toolCall(use: Block): readonly Part[] {
  const name = textOf(use['name'])
  if (isJsonTool(name) || isNoTool(name)) return []
  const argumentsJson = JSON.stringify(use['input'] ?? {})
  return [{ kind: 'tool-call', id: textOf(use['toolUseId']), name, argumentsJson }]
}

export function decodeReasoning({ reasoningText: said, redactedContent: redacted }: Block): readonly Part[] {
  if (typeof redacted === 'string') return [{ kind: 'reasoning', text: '', redacted }]
  if (!isObject(said)) return []
  const { text, signature } = said
  const signed = typeof signature === 'string' ? { signature } : {}
  return [{ kind: 'reasoning', text: textOf(text), ...signed }]
}

function citedText({ content, citations }: Block): Part {
  const pieces = Array.isArray(content) ? content : []
  const text = pieces.map((piece: unknown) => (isObject(piece) ? textOf(piece['text']) : '')).join('')
  const decoded = (Array.isArray(citations) ? citations : [])
    .map(decodeCitation)
    .filter((citation): citation is Citation => citation !== null)
  return { kind: 'text', text, ...(decoded.length > 0 ? { citations: decoded } : {}) }
}

/** A call of ours alone (the JSON answer) is no call. */
function finishReasonOf(raw: unknown, called: boolean): FinishReason | null {
  if (typeof raw !== 'string') return null
  const reason = decodeStopReason(raw)
  return reason === 'tool-calls' && !called ? 'stop' : reason
}
