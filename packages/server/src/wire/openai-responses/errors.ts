// Errors in band. The API's documentation puts the words beside the type, its servers put them into `error`
// as everywhere else, and its clients throw on that: both are there.

import type { JsonObject } from '../../core/json.js'
import type { ErrorBody, StreamScanner } from '../format.js'
import { encodeError } from '../openai-errors.js'
import { callerSide } from '../scan-frames.js'
import { eventFrame } from '../sse.js'
import { ResponsesScanner } from './scanner.js'
import { jsonObjectOf } from './stream-items.js'

export function errorFrame(error: ErrorBody, scanner: StreamScanner | null = null): string {
  const passed = scanner === null ? null : callerSide(scanner)
  const sequence = passed instanceof ResponsesScanner ? passed.stream.sequence : 0
  return errorEvent(sequence, jsonObjectOf(encodeError(error)['error']))
}

/** `error`: as in an error's body. */
export function errorEvent(sequence: number, error: JsonObject): string {
  const { code = null, message = null, param = null } = error
  const event = { type: 'error', sequence_number: sequence, code, message, param, error }
  return eventFrame('error', JSON.stringify(event))
}
