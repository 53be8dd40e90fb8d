// Where in a Responses request our message model's fields and parts stand.

import { isObject } from '../../core/json.js'
import type { CallerPlaces } from '../caller-place.js'
import { placesOfInput } from './decode-input.js'

const FIELDS = new Map([
  ['max_tokens', 'max_output_tokens'],
  ['response_format', 'text.format'],
])

export function places(body: unknown): CallerPlaces {
  const { instructions, input, top_logprobs: top } = isObject(body) ? body : {}
  const isInstructed = typeof instructions === 'string' && instructions !== ''
  const logprobs = top === undefined ? 'include' : 'top_logprobs'
  return {
    fields: new Map([...FIELDS, ['logprobs', logprobs], ['top_logprobs', logprobs]]),
    messages: [...(isInstructed ? [['instructions']] : []), ...placesOfInput(input)],
  }
}
