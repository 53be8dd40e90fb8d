// Google's error body (`google.rpc.Status`): an object, or a list of one as the stream's address sends it.

import { isObject } from '../../core/json.js'
import { parseJson } from '../fields.js'
import type { ProviderError } from '../format.js'
import { readError as readAnyError, readErrorObject } from '../read-error.js'

export function readError(status: number, body: string): ProviderError {
  return errorOf(parseJson(body)) ?? readAnyError(status, body)
}

/** `type` is the status word (`RESOURCE_EXHAUSTED`), `code` the reason among the details, else the number. */
export function errorOf(body: unknown): ProviderError | null {
  const first: unknown = Array.isArray(body) ? body[0] : body
  if (!isObject(first) || !isObject(first['error'])) return null
  const { status, code, details, message } = first['error']
  return readErrorObject({ error: { message, type: status, code: reasonOf(details) ?? code } })
}

function reasonOf(details: unknown): unknown {
  const all: readonly unknown[] = Array.isArray(details) ? details : []
  const info = all.find((detail) => isObject(detail) && typeof detail['reason'] === 'string')
  return isObject(info) ? info['reason'] : undefined
}
