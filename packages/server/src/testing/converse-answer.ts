// Converse answers, written as Bedrock writes them: for fake servers, and for round trips.

import type { JsonObject } from '../core/json.js'
import type { Citation, FinishReason, Part } from '../core/model/message.js'
import { type ReportedUsage, outputTotal } from '../core/money/token-counts.js'
import { asJsonObject, parseJson } from '../wire/fields.js'
import type { ModelAnswer } from '../wire/format.js'

export function encodeConverseAnswer(answer: ModelAnswer): JsonObject {
  const { stopSequence, usage } = answer
  return {
    output: { message: { role: 'assistant', content: answer.parts.map(encodeBlock) } },
    stopReason: answer.rawFinishReason ?? STOP_REASONS[answer.finishReason],
    ...(stopSequence === null ? {} : { additionalModelResponseFields: { stop_sequence: stopSequence } }),
    ...(usage === null ? {} : { usage: encodeConverseUsage(usage) }),
    metrics: { latencyMs: 551 },
  }
}

export const STOP_REASONS: Readonly<Record<FinishReason, string>> = {
  stop: 'end_turn',
  length: 'max_tokens',
  'tool-calls': 'tool_use',
  refusal: 'content_filtered',
  other: 'malformed_model_output',
}

export function encodeConverseUsage({ tokens, providerTotals }: ReportedUsage): JsonObject {
  const { input, cacheRead, cacheWrite, cacheWrite1h } = tokens
  return {
    inputTokens: input,
    outputTokens: outputTotal(tokens),
    totalTokens: providerTotals.total ?? undefined,
    cacheReadInputTokens: cacheRead,
    cacheWriteInputTokens: cacheWrite + cacheWrite1h,
    cacheDetails: [
      ...(cacheWrite1h > 0 ? [{ ttl: '1h', inputTokens: cacheWrite1h }] : []),
      ...(cacheWrite > 0 ? [{ ttl: '5m', inputTokens: cacheWrite }] : []),
    ],
  }
}

function encodeBlock(part: Part): JsonObject {
  switch (part.kind) {
    case 'tool-call': {
      const { id: toolUseId, name, argumentsJson } = part
      return { toolUse: { toolUseId, name, input: asJsonObject(parseJson(argumentsJson) as JsonObject) } }
    }
    case 'reasoning': {
      const { text, signature, redacted } = part
      if (redacted !== undefined) return { reasoningContent: { redactedContent: redacted } }
      return {
        reasoningContent: { reasoningText: { text, ...(signature === undefined ? {} : { signature }) } },
      }
    }
    case 'text': {
      const { text, citations } = part
      if (citations === undefined) return { text }
      return { citationsContent: { content: [{ text }], citations: citations.map(encodeCitation) } }
    }
    default:
      throw new Error(`a Converse answer has no ${part.kind}`)
  }
}

const PLACES = { char: 'documentChar', page: 'documentPage', block: 'documentChunk' } as const

export function encodeCitation({ citedText, title, url, documentIndex, location }: Citation): JsonObject {
  const range = location === null ? {} : { start: location.start, end: location.end }
  const index = documentIndex === null ? {} : { documentIndex }
  const place = location === null ? null : { [PLACES[location.unit]]: { ...index, ...range } }
  return {
    ...(title === null ? {} : { title }),
    ...(url === null ? {} : { source: url }),
    ...(citedText === null ? {} : { sourceContent: [{ text: citedText }] }),
    ...(place === null ? {} : { location: place }),
  }
}
