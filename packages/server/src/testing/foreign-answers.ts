// Answers of formats that no caller speaks, as their documentation shows them: nothing of ours writes such
// answers. By wire, then by the name of the feature in `answer-features.ts`. A feature that the format lacks
// has no entry.

import type { JsonObject } from '../core/json.js'
import type { Wire } from '../core/release/release.js'

const CONVERSE_USED = { inputTokens: 10, outputTokens: 5, totalTokens: 15 }

function converse(content: readonly JsonObject[], more: JsonObject = {}): JsonObject {
  return {
    output: { message: { role: 'assistant', content } },
    stopReason: 'end_turn',
    usage: CONVERSE_USED,
    metrics: { latencyMs: 551 },
    ...more,
  }
}

const converseSaid = converse([{ text: 'Yes.' }])
const converseUsed = (more: JsonObject): JsonObject =>
  converse([{ text: 'Yes.' }], { usage: { ...CONVERSE_USED, ...more } })
const toolUse = (toolUseId: string): JsonObject => ({ toolUse: { toolUseId, name: 'f', input: { a: 1 } } })
const converseCited = (citation: JsonObject): JsonObject =>
  converse([{ citationsContent: { content: [{ text: 'Yes.' }], citations: [citation] } }])

const GEMINI_USED = { promptTokenCount: 10, candidatesTokenCount: 5, totalTokenCount: 15 }

function gemini(parts: readonly JsonObject[], more: JsonObject = {}, usage: JsonObject = {}): JsonObject {
  return {
    candidates: [{ content: { role: 'model', parts }, finishReason: 'STOP', index: 0, ...more }],
    usageMetadata: { ...GEMINI_USED, ...usage },
    modelVersion: 'gemini-3-pro-preview',
    responseId: 'aXWgaPqDMKqQvdIPgd7S4As',
  }
}

const SAID = { text: 'Yes.' }
const functionCall = (id: string): JsonObject => ({ functionCall: { id, name: 'f', args: { a: 1 } } })
const geminiUsed = (usage: JsonObject): JsonObject => gemini([SAID], {}, usage)

export const FOREIGN_ANSWERS: Partial<Record<Wire, Readonly<Record<string, unknown>>>> = {
  'bedrock-converse': {
    text: converseSaid,
    'parallel tool calls': converse([{ text: 'Yes.' }, toolUse('a'), toolUse('b')], {
      stopReason: 'tool_use',
    }),
    reasoning: converse([{ reasoningContent: { reasoningText: { text: 'hm' } } }, { text: 'Yes.' }]),
    'signed reasoning': converse([
      { reasoningContent: { reasoningText: { text: 'hm', signature: 's' } } },
      { text: 'Yes.' },
    ]),
    'encrypted reasoning': converse([{ reasoningContent: { redactedContent: 'cmVk' } }, { text: 'Yes.' }]),
    'citation of a web page': converseCited({
      title: 't',
      location: { web: { url: 'https://example.com/', domain: 'example.com' } },
    }),
    'citation of a document': converseCited({
      title: 't',
      sourceContent: [{ text: 'c' }],
      location: { documentPage: { documentIndex: 0, start: 1, end: 2 } },
    }),
    'end: done': converseSaid,
    'end: limit': converse([{ text: 'Yes.' }], { stopReason: 'max_tokens' }),
    'end: tool calls': converse([toolUse('a')], { stopReason: 'tool_use' }),
    'end: refused': converse([{ text: 'Sorry.' }], { stopReason: 'guardrail_intervened' }),
    'end: which stop sequence': converse([{ text: 'Yes.' }], {
      stopReason: 'stop_sequence',
      additionalModelResponseFields: { stop_sequence: 'END' },
    }),
    usage: converseSaid,
    'usage: cache read': converseUsed({ cacheReadInputTokens: 3, totalTokens: 18 }),
    'usage: cache write': converseUsed({ cacheWriteInputTokens: 3, totalTokens: 18 }),
    'usage: cache write for an hour': converseUsed({
      cacheWriteInputTokens: 3,
      cacheDetails: [{ ttl: '1h', inputTokens: 3 }],
      totalTokens: 18,
    }),
  },
  gemini: {
    text: gemini([SAID]),
    'parallel tool calls': gemini([SAID, functionCall('a'), functionCall('b')]),
    reasoning: gemini([{ text: 'hm', thought: true }, SAID]),
    'signed reasoning': gemini([{ text: 'hm', thought: true, thoughtSignature: 's' }, SAID]),
    'citation of a web page': gemini([SAID], {
      groundingMetadata: {
        groundingChunks: [{ web: { uri: 'https://example.com/', title: 't' } }],
        groundingSupports: [{ segment: { endIndex: 4, text: 'Yes.' }, groundingChunkIndices: [0] }],
      },
    }),
    'refusal, in its own field': gemini([], { finishReason: 'SAFETY', finishMessage: 'No.' }),
    'log probabilities': gemini([SAID], {
      avgLogprobs: -0.5,
      logprobsResult: { chosenCandidates: [{ token: 'Yes.', tokenId: 7, logProbability: -0.5 }] },
    }),
    'end: done': gemini([SAID]),
    'end: limit': gemini([SAID], { finishReason: 'MAX_TOKENS' }),
    'end: tool calls': gemini([functionCall('a')]),
    'end: refused': gemini([SAID], { finishReason: 'SAFETY' }),
    usage: gemini([SAID]),
    'usage: cache read': geminiUsed({
      promptTokenCount: 13,
      cachedContentTokenCount: 3,
      totalTokenCount: 18,
    }),
    'usage: reasoning': geminiUsed({ thoughtsTokenCount: 3, totalTokenCount: 18 }),
    'usage: audio': geminiUsed({
      promptTokenCount: 13,
      promptTokensDetails: [{ modality: 'AUDIO', tokenCount: 3 }],
      candidatesTokenCount: 7,
      candidatesTokensDetails: [{ modality: 'AUDIO', tokenCount: 2 }],
      totalTokenCount: 20,
    }),
  },
}
