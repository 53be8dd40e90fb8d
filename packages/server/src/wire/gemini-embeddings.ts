// Embeddings of Google's models, which have two formats: AI Studio takes a batch of contents
// (`:batchEmbedContents`), Vertex a batch of instances (`publishers/google/models/{model}:predict`). Neither
// takes token ids, and only Vertex always tells how many tokens it read.

import { isObject, type JsonObject } from '../core/json.js'
import { NO_TOKENS, type ReportedUsage } from '../core/money/token-counts.js'
import type { Parsed, Problem } from '../core/parsed.js'
import type { EmbeddingsAnswer, EmbeddingsFormat, EmbeddingsRequest } from './embeddings.js'
import { concluded } from './fields.js'
import type { AnswerFacts, ProviderFormat } from './format.js'
import { readError } from './gemini/errors.js'
import { NO_CONVERSATION, factsOfVectors } from './no-conversation.js'

export const geminiEmbeddings: ProviderFormat & EmbeddingsFormat = {
  ...NO_CONVERSATION,
  wire: 'gemini-embeddings',
  encodeEmbeddings: encodeBatch,
  decodeEmbeddings: decodeBatch,
  readAnswer: (body) => factsOf(decodeBatch(body)),
  readError,
}

export const vertexEmbeddings: ProviderFormat & EmbeddingsFormat = {
  ...NO_CONVERSATION,
  wire: 'vertex-embeddings',
  encodeEmbeddings: encodeInstances,
  decodeEmbeddings: decodePredictions,
  readAnswer: (body) => factsOf(decodePredictions(body)),
  readError,
}

function encodeBatch(request: EmbeddingsRequest): Parsed<JsonObject> {
  const problems: Problem[] = []
  const model = request.model.startsWith('models/') ? request.model : `models/${request.model}`
  const requests = textsOf(request, problems).map((text) => ({
    model,
    content: { parts: [{ text }] },
    ...(request.dimensions === null ? {} : { outputDimensionality: request.dimensions }),
  }))
  return concluded({ requests }, problems)
}

function encodeInstances(request: EmbeddingsRequest): Parsed<JsonObject> {
  const problems: Problem[] = []
  const instances = textsOf(request, problems).map((content) => ({ content }))
  const dimensions = request.dimensions === null ? {} : { outputDimensionality: request.dimensions }
  // Its default is to cut off what is too long, and to say so only in the statistics.
  return concluded({ instances, parameters: { autoTruncate: false, ...dimensions } }, problems)
}

function textsOf({ inputs }: EmbeddingsRequest, problems: Problem[]): readonly string[] {
  return inputs.flatMap((input, index) => {
    if (typeof input === 'string') return [input]
    problems.push({ at: `input[${index}]`, message: 'must be text: this provider does not take token ids' })
    return []
  })
}

function decodeBatch(body: unknown): EmbeddingsAnswer | null {
  if (!isObject(body)) return null
  const vectors = vectorsOf(body['embeddings'], (one) => one)
  const { usageMetadata: usage } = body
  const inputTokens = isObject(usage) ? tokenCount(usage['promptTokenCount']) : null
  return vectors === null ? null : { model: '', vectors, inputTokens }
}

function decodePredictions(body: unknown): EmbeddingsAnswer | null {
  if (!isObject(body)) return null
  const { predictions } = body
  const vectors = vectorsOf(predictions, (one) => one['embeddings'])
  if (vectors === null || !Array.isArray(predictions)) return null
  const counts = predictions.map((one: unknown) => {
    const statistics = isObject(one) && isObject(one['embeddings']) ? one['embeddings']['statistics'] : null
    return isObject(statistics) ? tokenCount(statistics['token_count']) : null
  })
  const told = counts.filter((count) => count !== null)
  const whole = told.length === counts.length
  return { model: '', vectors, inputTokens: whole ? told.reduce((sum, count) => sum + count, 0) : null }
}

/** null: not a list of vectors, or an empty one. */
function vectorsOf(
  list: unknown,
  embeddingOf: (one: Record<string, unknown>) => unknown,
): readonly (readonly number[])[] | null {
  if (!Array.isArray(list) || list.length === 0) return null
  const vectors = list.flatMap((one: unknown): readonly (readonly number[])[] => {
    const embedding = isObject(one) ? embeddingOf(one) : null
    const values: unknown = isObject(embedding) ? embedding['values'] : null
    return isVector(values) ? [values] : []
  })
  return vectors.length === list.length ? vectors : null
}

function isVector(values: unknown): values is readonly number[] {
  return Array.isArray(values) && values.length > 0 && values.every((value) => typeof value === 'number')
}

/** Some servers write whole numbers as `4.0`, which is the same in JSON. */
function tokenCount(value: unknown): number | null {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? value : null
}

function factsOf(answer: EmbeddingsAnswer | null): AnswerFacts | null {
  return answer === null ? null : factsOfVectors(usageOf(answer.inputTokens))
}

function usageOf(inputTokens: number | null): ReportedUsage | null {
  if (inputTokens === null) return null
  return {
    tokens: { ...NO_TOKENS, input: inputTokens },
    providerTotals: { input: inputTokens, output: null, total: null },
  }
}
