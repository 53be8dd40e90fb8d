// What an OpenAI embeddings request asks of a local model.

import { isObject } from '../../../core/json.js'
import { type Refusal, invalidValue, unsupported } from './openai-error.js'

export interface EmbeddingAsk {
  readonly inputs: readonly string[]
  readonly base64: boolean
  /** null: as many as the model has. */
  readonly dimensions: number | null
}

export type ReadEmbedding =
  | { readonly kind: 'ask'; readonly ask: EmbeddingAsk }
  | { readonly kind: 'refused'; readonly refusal: Refusal }

/** As many as OpenAI takes. */
const INPUTS_MAX = 2_048

export function readEmbedding(body: Uint8Array): ReadEmbedding {
  const parsedBody = parse(body)
  if (parsedBody === null) return refused(invalidValue('body', 'The request body is not a JSON object.'))
  const inputs = inputsOf(parsedBody['input'])
  if (inputs === null || inputs.length === 0 || inputs.length > INPUTS_MAX) {
    // Token ids are of a vocabulary that this model does not have.
    const message = `'input' must be text or a list of at most ${INPUTS_MAX} texts, none empty.`
    return refused(invalidValue('input', message))
  }
  const { encoding_format: format = 'float', dimensions = null } = parsedBody
  if (format !== 'float' && format !== 'base64')
    return refused(unsupported('encoding_format', "'encoding_format' must be float or base64."))
  if (
    dimensions !== null &&
    (typeof dimensions !== 'number' || !Number.isInteger(dimensions) || dimensions < 1)
  )
    return refused(invalidValue('dimensions', "'dimensions' must be a whole number of at least 1."))
  return { kind: 'ask', ask: { inputs, base64: format === 'base64', dimensions } }
}

function refused(refusal: Refusal): ReadEmbedding {
  return { kind: 'refused', refusal }
}

function parse(body: Uint8Array): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(Buffer.from(body).toString('utf8'))
    return isObject(value) ? value : null
  } catch {
    return null
  }
}

function inputsOf(input: unknown): readonly string[] | null {
  const inputs: readonly unknown[] = Array.isArray(input) ? input : [input]
  const texts = inputs.filter((one) => typeof one === 'string' && one !== '')
  return texts.length === inputs.length ? texts.map(String) : null
}
