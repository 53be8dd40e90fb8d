// An error answer of Bedrock: `{"message": ...}`. Its type is in the header `x-amzn-errortype`, which is not
// seen here; only the front door of AWS says it in the body too, as `__type`, behind a name space.

import { isObject } from '../../core/json.js'
import { parseJson, textOf } from '../fields.js'
import type { ProviderError } from '../format.js'
import { readError as readAnyError, readErrorObject } from '../read-error.js'

/** What the models there say about a prompt that does not fit, in place of a code. */
const TOO_LONG = /input is too long|input tokens exceed|prompt is too long|maximum context length/i

export function readError(status: number, body: string): ProviderError {
  const parsed = parseJson(body)
  if (!isObject(parsed)) return readAnyError(status, body)
  // The front door writes it with a capital.
  const message = textOf(parsed['message']) || textOf(parsed['Message'])
  const type = textOf(parsed['__type']).replace(/^.*#/, '')
  if (message === '' && type === '') return readAnyError(status, body)
  const code = TOO_LONG.test(message) ? 'context_length_exceeded' : undefined
  return readErrorObject({ error: { type, code, message } }) ?? readAnyError(status, body)
}
