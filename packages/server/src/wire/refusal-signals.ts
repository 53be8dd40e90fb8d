// What a refusal means where its status alone does not say so, and how long it asks us to wait where no
// header does. Google puts both into the body, AWS the kind of error into a header. Sent by others: every
// pattern here is linear.

import { isObject } from '../core/json.js'
import { parseJson } from './fields.js'
import { RETRY_AFTER_MAX_MS } from './retry-after.js'

export interface RefusedAnswer {
  readonly status: number
  /** Header names are lower case. */
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

/**
 * `credentials`: we are not let in, whatever the status. `throttled`: too much at a time, although the status
 * is that of a mistake. null: the status says it all.
 */
export function meaningOf({ status, headers, body }: RefusedAnswer): 'credentials' | 'throttled' | null {
  if (status !== 400) return null
  if (THROTTLED.has(awsErrorType(headers) ?? '')) return 'throttled'
  return reasonsOf(body).some((reason) => KEY_REASONS.has(reason)) ? 'credentials' : null
}

const THROTTLED = new Set([
  'ThrottlingException',
  'TooManyRequestsException',
  'ServiceQuotaExceededException',
  'ProvisionedThroughputExceededException',
])
/** Google answers 400, not 401, to a key it does not know. */
const KEY_REASONS = new Set(['API_KEY_INVALID', 'API_KEY_EXPIRED', 'API_KEY_SERVICE_BLOCKED'])

/** The exception's name, as in `ThrottlingException:http://internal.amazon.com/coral/...`; null: none. */
export function awsErrorType(headers: Readonly<Record<string, string>>): string | null {
  const name = headers['x-amzn-errortype']?.split(':', 1)[0]?.trim()
  return name === undefined || !/^[A-Za-z]{1,100}$/.test(name) ? null : name
}

/** Google's `RetryInfo`, ms; null when there is none that can be meant. */
export function retryInfoMs(body: string): number | null {
  for (const detail of detailsOf(body)) {
    const delay = isOf(detail, 'RetryInfo') ? detail['retryDelay'] : null
    const seconds = typeof delay === 'string' ? /^(\d{1,9}(?:\.\d{1,9})?)s$/.exec(delay)?.[1] : undefined
    if (seconds !== undefined) return Math.min(RETRY_AFTER_MAX_MS, Math.ceil(Number(seconds) * 1_000))
  }
  return null
}

function reasonsOf(body: string): readonly string[] {
  return detailsOf(body).flatMap((detail) => {
    const reason = isOf(detail, 'ErrorInfo') ? detail['reason'] : null
    return typeof reason === 'string' ? [reason] : []
  })
}

type Detail = Readonly<Record<string, unknown>>

function isOf(detail: Detail, name: string): boolean {
  const type = detail['@type']
  return typeof type === 'string' && type.endsWith(`google.rpc.${name}`)
}

/** `error.details`; a stream that is refused wraps the whole in a list. */
function detailsOf(body: string): readonly Detail[] {
  const parsed = body.includes('google.rpc') ? parseJson(body) : undefined
  const answer: unknown = Array.isArray(parsed) ? parsed[0] : parsed
  const error = isObject(answer) ? answer['error'] : undefined
  const details = isObject(error) ? error['details'] : undefined
  return Array.isArray(details) ? details.filter(isObject) : []
}
