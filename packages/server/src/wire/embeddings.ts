// Embeddings across formats: OpenAI's request and answer on the caller's side, and what a provider's format
// must do to serve them.

import { isObject, type JsonObject } from '../core/json.js'
import { type Parsed, type Problem, invalid } from '../core/parsed.js'
import type { Wire } from '../core/release/release.js'
import { concluded, countField, refuseFields, requiredText, textField } from './fields.js'
import type { ProviderError } from './format.js'

export interface EmbeddingsRequest {
  readonly model: string
  /** Texts, or lists of token ids. */
  readonly inputs: readonly (string | readonly number[])[]
  /** Length of a vector; null: the model's own. */
  readonly dimensions: number | null
  readonly encodingFormat: 'float' | 'base64'
  readonly user: string | null
}

export interface EmbeddingsAnswer {
  /** Empty when the format does not say it. */
  readonly model: string
  /** One per input, in the same order. */
  readonly vectors: readonly (readonly number[])[]
  /** null: the format does not say it. */
  readonly inputTokens: number | null
}

export interface EmbeddingsFormat {
  readonly wire: Wire
  /** Problems name the field that this format, or the model, cannot express. */
  encodeEmbeddings(request: EmbeddingsRequest): Parsed<JsonObject>
  /** null: not an answer of this format. */
  decodeEmbeddings(body: unknown): EmbeddingsAnswer | null
  readError(status: number, body: string): ProviderError
}

const FIELDS = {
  translated: new Set(['model', 'input', 'dimensions', 'encoding_format', 'user']),
  hints: new Set<string>(),
  neutral: {},
}

export function decodeEmbeddingsRequest(body: unknown): Parsed<EmbeddingsRequest> {
  if (!isObject(body)) return invalid('', 'the body must be a JSON object')
  const problems: Problem[] = []
  refuseFields(body, FIELDS, problems)
  const value: EmbeddingsRequest = {
    model: requiredText(body['model'], 'model', problems),
    inputs: decodeInputs(body['input'], problems),
    dimensions: countField(body['dimensions'], 'dimensions', problems),
    encodingFormat: decodeEncoding(body['encoding_format'], problems),
    user: textField(body['user'], 'user', problems),
  }
  return concluded(value, problems)
}

function decodeInputs(input: unknown, problems: Problem[]): EmbeddingsRequest['inputs'] {
  const list: readonly unknown[] = Array.isArray(input) && !isTokens(input) ? input : [input]
  const inputs = list.filter((item) => isText(item) || isTokens(item))
  if (list.length > 0 && inputs.length === list.length) return inputs
  problems.push({ at: 'input', message: 'must be text or token ids, or a list of either, and not empty' })
  return []
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value !== ''
}

function isTokens(value: unknown): value is readonly number[] {
  return Array.isArray(value) && value.length > 0 && value.every((id) => Number.isSafeInteger(id))
}

function decodeEncoding(format: unknown, problems: Problem[]): EmbeddingsRequest['encodingFormat'] {
  if (format === undefined || format === null || format === 'float') return 'float'
  if (format !== 'base64') problems.push({ at: 'encoding_format', message: 'must be float or base64' })
  return 'base64'
}

/**
 * OpenAI's answer. Whoever has an estimate of tokens that the provider did not tell fills it in before:
 * without them there is no `usage`, for a zero would be believed.
 */
export function encodeEmbeddingsAnswer(answer: EmbeddingsAnswer, request: EmbeddingsRequest): JsonObject {
  const { vectors, inputTokens } = answer
  return {
    object: 'list',
    data: vectors.map((vector, index) => ({
      object: 'embedding',
      index,
      embedding: request.encodingFormat === 'base64' ? base64Of(vector) : vector,
    })),
    model: answer.model === '' ? request.model : answer.model,
    ...(inputTokens === null ? {} : { usage: { prompt_tokens: inputTokens, total_tokens: inputTokens } }),
  }
}

const FLOAT_BYTES = 4

/** 32-bit floats, little-endian, whatever the machine. */
function base64Of(vector: readonly number[]): string {
  const bytes = Buffer.allocUnsafe(vector.length * FLOAT_BYTES)
  vector.forEach((value, index) => bytes.writeFloatLE(value, index * FLOAT_BYTES))
  return bytes.toString('base64')
}
