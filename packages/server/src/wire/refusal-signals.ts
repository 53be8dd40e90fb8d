// What a refusal means where its status alone does not say so, and how long it asks us to wait where no
// header does. Google puts both into the body, AWS the kind of error into a header. Sent by others: every
// pattern here is linear.

import { isObject } from '../core/json.js'
import { parseJson } from './fields.js'
import type { ProviderError } from './format.js'
import { RETRY_AFTER_MAX_MS } from './retry-after.js'

export interface RefusedAnswer {
  readonly status: number
  /** Header names are lower case. */
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

/**
 * `credentials`: we are not let in. `no_credit`: nothing is left to pay with. `unknown_model`: there is no
 * such model here. `throttled`: too much at a time. `context_length`: the prompt does not fit the model.
 */
export type Meaning = 'credentials' | 'no_credit' | 'unknown_model' | 'throttled' | 'context_length'

/** null: the status says it all. `error`: what was read from the body, when it is one. */
export function meaningOf(answer: RefusedAnswer, error: ProviderError | null): Meaning | null {
  const { status, headers, body } = answer
  if (status === 429) return error?.code === 'insufficient_quota' ? 'no_credit' : null
  if (status !== 400) return null
  const awsError = awsErrorType(headers) ?? ''
  if (THROTTLED.has(awsError)) return 'throttled'
  if (AWS_KEYS.test(awsError)) return 'credentials'
  if (reasonsOf(body).some((reason) => KEY_REASONS.has(reason))) return 'credentials'
  return error === null ? null : meaningOfWords(error)
}

function meaningOfWords({ code, message }: ProviderError): Meaning | null {
  if (code === 'context_length_exceeded' || TOO_LONG.test(message)) return 'context_length'
  if (code === 'model_not_found' || NO_MODEL.test(message)) return 'unknown_model'
  return NO_CREDIT.test(message) ? 'no_credit' : null
}

// Anthropic has no code for it, and servers that imitate OpenAI often send none.
const TOO_LONG = /prompt is too long|input is too long|maximum context length|context (?:length|window|size)/i
/** Bedrock says it of an id it does not know, and of one that wants an inference profile. */
const NO_MODEL = /model identifier is invalid|with on-demand throughput isn.t supported/iu
/** Anthropic, with the status and type of a mistake. */
const NO_CREDIT = /credit balance is too low/i
const AWS_KEYS =
  /^(?:ExpiredToken|UnrecognizedClient|InvalidClientTokenId|InvalidSignature|InvalidToken|AccessDenied)/

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
