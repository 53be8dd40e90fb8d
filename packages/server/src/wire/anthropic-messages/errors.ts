// Errors in Anthropic's shape.

import type { JsonObject } from '../../core/json.js'
import { errorDetail } from '../error-detail.js'
import type { ErrorBody } from '../format.js'
import { eventFrame } from '../sse.js'
import { THREAD } from './view.js'

const TYPES: Readonly<Record<number, string>> = {
  400: 'invalid_request_error',
  401: 'authentication_error',
  403: 'permission_error',
  404: 'not_found_error',
  408: 'timeout_error',
  413: 'request_too_large',
  429: 'rate_limit_error',
  503: 'overloaded_error',
  504: 'timeout_error',
  529: 'overloaded_error',
}

const KNOWN = new Set(Object.values(TYPES))

export function encodeError(error: ErrorBody): JsonObject {
  return {
    type: 'error',
    error: {
      type: TYPES[error.status] ?? (error.status >= 500 ? 'api_error' : 'invalid_request_error'),
      message: error.message,
      ...errorDetail(error),
      ...threadDetails(error),
    },
    request_id: error.requestId,
  }
}

/** As Anthropic refuses a thread: its client then sends the whole conversation. */
function threadDetails({ problems = [] }: ErrorBody): JsonObject {
  if (!problems.some(({ at }) => at === THREAD)) return {}
  return { details: { error_code: 'thread_unsupported_request', unsupported: [THREAD] } }
}

export function errorFrame(error: ErrorBody): string {
  return eventFrame('error', JSON.stringify(encodeError(error)))
}

/** A provider's own word for an error, where this format knows it. */
export function errorTypeOf(type: string | null): string {
  return type !== null && KNOWN.has(type) ? type : 'api_error'
}
