// Embeddings on AWS Bedrock (InvokeModel): each maker has its own body. The model is in the address and tells
// which one it is; the answers are told apart by their shape.

import { isObject, type JsonObject } from '../core/json.js'
import { type Parsed, type Problem, invalid } from '../core/parsed.js'
import { NO_TOKENS } from '../core/money/token-counts.js'
import { readError } from './bedrock-converse/read-error.js'
import type { EmbeddingsAnswer, EmbeddingsFormat, EmbeddingsRequest } from './embeddings.js'
import { concluded } from './fields.js'
import type { AnswerFacts, ProviderFormat } from './format.js'
import { NO_CONVERSATION } from './no-conversation.js'

export const bedrockEmbeddings: ProviderFormat & EmbeddingsFormat = {
  ...NO_CONVERSATION,
  wire: 'bedrock-embeddings',
  encodeEmbeddings,
  decodeEmbeddings,
  readAnswer,
  readError,
}

interface Family {
  readonly ids: RegExp
  /** Lengths of vector that may be asked for. */
  readonly dimensions: readonly number[]
  /** Texts per call. */
  readonly inputsMax: number
  body(texts: readonly string[], dimensions: number | null): JsonObject
}

// https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-titan-embed-text.html, …-embed.html,
// https://docs.aws.amazon.com/nova/latest/userguide/embeddings-schema.html
const FAMILIES: readonly Family[] = [
  {
    ids: /amazon\.titan-embed-text-v2/,
    dimensions: [256, 512, 1024],
    inputsMax: 1,
    body: ([inputText], dimensions) => ({
      inputText,
      ...(dimensions === null ? {} : { dimensions }),
      normalize: true,
    }),
  },
  {
    ids: /amazon\.titan-embed-(?:text-v1|g1-text)/,
    dimensions: [1536],
    inputsMax: 1,
    body: ([inputText]) => ({ inputText }),
  },
  {
    ids: /amazon\.titan-embed-image/,
    dimensions: [256, 384, 1024],
    inputsMax: 1,
    body: ([inputText], dimensions) => ({
      inputText,
      ...(dimensions === null ? {} : { embeddingConfig: { outputEmbeddingLength: dimensions } }),
    }),
  },
  {
    ids: /amazon\.nova-.*embeddings/,
    dimensions: [256, 384, 1024, 3072],
    inputsMax: 1,
    body: ([value], dimensions) => ({
      schemaVersion: 'nova-multimodal-embed-v1',
      taskType: 'SINGLE_EMBEDDING',
      singleEmbeddingParams: {
        embeddingPurpose: 'GENERIC_INDEX',
        ...(dimensions === null ? {} : { embeddingDimension: dimensions }),
        text: { truncationMode: 'NONE', value },
      },
    }),
  },
  {
    ids: /cohere\.embed-v4/,
    dimensions: [256, 512, 1024, 1536],
    inputsMax: 96,
    body: (texts, dimensions) => ({
      ...cohere(texts),
      ...(dimensions === null ? {} : { output_dimension: dimensions }),
    }),
  },
  { ids: /cohere\.embed-/, dimensions: [1024], inputsMax: 96, body: cohere },
]

/** OpenAI's callers do not say what the vectors are for: they are made to be found. */
function cohere(texts: readonly string[]): JsonObject {
  return { texts, input_type: 'search_document', embedding_types: ['float'] }
}

function encodeEmbeddings(request: EmbeddingsRequest): Parsed<JsonObject> {
  const { model, inputs, dimensions } = request
  const family = FAMILIES.find(({ ids }) => ids.test(model))
  if (family === undefined) {
    return invalid('model', 'must name a Titan, Nova or Cohere model of embeddings on this provider')
  }
  const problems: Problem[] = []
  const texts = inputs.filter((input) => typeof input === 'string')
  if (texts.length < inputs.length) {
    problems.push({
      at: 'input',
      message: 'token ids cannot be expressed in the other format; send the text',
    })
  }
  if (inputs.length === 0 || inputs.length > family.inputsMax) {
    const most = family.inputsMax === 1 ? 'one text' : `1 to ${family.inputsMax} texts`
    problems.push({ at: 'input', message: `must be ${most}: this model takes no other number in a call` })
  }
  if (dimensions !== null && !family.dimensions.includes(dimensions)) {
    problems.push({ at: 'dimensions', message: `this model has ${family.dimensions.join(', ')}` })
  }
  return concluded(family.body(texts, dimensions), problems)
}

function decodeEmbeddings(body: unknown): EmbeddingsAnswer | null {
  if (!isObject(body)) return null
  const { embedding, embeddings, inputTextTokenCount: count } = body
  const inputTokens = typeof count === 'number' && Number.isSafeInteger(count) && count >= 0 ? count : null
  const vectors = embedding === undefined ? vectorsOf(embeddings) : [embedding]
  const isWhole = vectors !== null && vectors.length > 0 && vectors.every(isVector)
  return isWhole ? { model: '', vectors, inputTokens } : null
}

/** Cohere: lists of numbers, by type when types were asked for. Nova: objects with one each. */
function vectorsOf(embeddings: unknown): readonly unknown[] | null {
  const list = isObject(embeddings) ? embeddings['float'] : embeddings
  if (!Array.isArray(list)) return null
  return list.map((one: unknown) => (isObject(one) ? one['embedding'] : one))
}

function isVector(value: unknown): value is readonly number[] {
  return Array.isArray(value) && value.length > 0 && value.every((one) => typeof one === 'number')
}

function readAnswer(body: unknown): AnswerFacts | null {
  const answer = decodeEmbeddings(body)
  if (answer === null) return null
  const { inputTokens: input } = answer
  const providerTotals = { input, output: 0, total: null }
  return {
    id: null,
    text: '',
    finishReason: null,
    usage: input === null ? null : { tokens: { ...NO_TOKENS, input }, providerTotals },
    toolCalls: [],
    meanTokenProbability: null,
    refusal: null,
  }
}
