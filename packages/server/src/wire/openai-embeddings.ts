// OpenAI's embeddings: a prompt in, vectors out. Nothing streams, and no other format has an equal to
// translate to.

import { isObject } from '../core/json.js'
import { type Parsed, type Problem, invalid } from '../core/parsed.js'
import { concluded, requiredText, textField, utf8Bytes } from './fields.js'
import type { AnswerFacts, RequestView, WireFormat } from './format.js'
import { spliceObject } from './json-splice.js'
import { NO_CONVERSATION, NO_EQUAL, factsOfVectors } from './no-conversation.js'
import { encodeError, errorFrame } from './openai-errors.js'
import { readError } from './read-error.js'
import { readEmbeddingsUsage } from './usage.js'

/** Input given as token ids is sized as text of so many bytes each. */
const BYTES_PER_TOKEN = 4

export const openAiEmbeddings: WireFormat = {
  ...NO_CONVERSATION,
  wire: 'openai-embeddings',
  view,
  patch: (body, { model }) =>
    model === undefined ? body : spliceObject(body, { model: JSON.stringify(model) }),
  withoutForeignProofs: () => null,
  decodeRequest: () => invalid('', NO_EQUAL),
  places: () => ({ fields: new Map(), messages: [] }),
  unsaid: () => [],
  readAnswer,
  encodeAnswer: () => {
    throw new Error(NO_EQUAL)
  },
  encoder: () => ({ encode: () => '' }),
  cutFrames: () => '',
  readError,
  encodeError,
  errorFrame,
}

function view(body: unknown): Parsed<RequestView> {
  if (!isObject(body)) return invalid('', 'the body must be a JSON object')
  const problems: Problem[] = []
  const value: RequestView = {
    model: requiredText(body['model'], 'model', problems),
    stream: false,
    maxOutputTokens: 0,
    includeUsage: true,
    wantsLogprobs: false,
    choices: 1,
    hasTools: false,
    hasImages: false,
    jsonSchema: null,
    cacheKey: null,
    user: textField(body['user'], 'user', problems),
    promptBytes: inputBytes(body['input'], problems),
    imageCount: 0,
    documentPages: 0,
  }
  return concluded(value, problems)
}

/** A string, several, token ids, or several lists of them. */
function inputBytes(input: unknown, problems: Problem[]): number {
  if (typeof input === 'string' && input !== '') return utf8Bytes(input)
  if (Array.isArray(input) && input.length > 0) {
    const sizes = input.map(itemBytes)
    if (sizes.every((size) => size !== null)) return sizes.reduce((sum, size) => sum + size, 0)
  }
  problems.push({ at: 'input', message: 'must be text or token ids, or a list of either, and not empty' })
  return 0
}

function itemBytes(item: unknown): number | null {
  if (typeof item === 'string') return utf8Bytes(item)
  if (typeof item === 'number') return BYTES_PER_TOKEN
  const ids = Array.isArray(item) && item.every((id) => typeof id === 'number')
  return ids ? item.length * BYTES_PER_TOKEN : null
}

function readAnswer(body: unknown): AnswerFacts | null {
  const vectors = isObject(body) && Array.isArray(body['data']) ? body['data'] : null
  const whole =
    vectors !== null &&
    vectors.length > 0 &&
    vectors.every((one: unknown) => isObject(one) && 'embedding' in one)
  if (!isObject(body) || !whole) return null
  return factsOfVectors(readEmbeddingsUsage(body['usage']))
}
