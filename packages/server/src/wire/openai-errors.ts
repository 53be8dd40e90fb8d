// Errors in OpenAI's shape, the same in all of its formats.

import type { JsonObject } from '../core/json.js'
import { errorDetail } from './error-detail.js'
import type { ErrorBody } from './format.js'
import { dataFrame } from './sse.js'

export function encodeError(error: ErrorBody): JsonObject {
  return {
    error: {
      message: error.message,
      type: typeOf(error.status),
      param: error.problems?.[0]?.at ?? null,
      ...errorDetail(error),
    },
  }
}

export function errorFrame(error: ErrorBody): string {
  return dataFrame(JSON.stringify(encodeError(error)))
}

function typeOf(status: number): string {
  if (status === 401) return 'authentication_error'
  if (status === 429) return 'rate_limit_error'
  return status >= 500 ? 'server_error' : 'invalid_request_error'
}
