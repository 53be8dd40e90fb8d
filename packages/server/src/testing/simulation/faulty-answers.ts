// How providers turn calls away, and what they tell about their limits: truly, not at all, or absurdly.

import type { Wire } from '../../core/release/release.js'
import { answerFormat } from './answer-frames.js'
import type { FaultKind } from './scenario.js'

export interface Refusing {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

/** What a real server says when its own limit is reached: seconds until there is room. */
export function honestHeaders(wire: Wire, waitMs: number, trueMs: number): Record<string, string> {
  const seconds = String(Math.ceil(waitMs / 1_000))
  if (wire === 'anthropic-messages')
    return {
      'retry-after': seconds,
      'anthropic-ratelimit-requests-remaining': '0',
      'anthropic-ratelimit-requests-reset': new Date(trueMs + waitMs).toISOString(),
    }
  return {
    'retry-after': seconds,
    'retry-after-ms': String(waitMs),
    'x-ratelimit-remaining-requests': '0',
    'x-ratelimit-reset-requests': `${waitMs}ms`,
  }
}

/** Told with every answer by a server that has a limit. */
export function limitHeaders(
  wire: Wire,
  limit: { readonly perMinute: number; readonly left: number },
): Readonly<Record<string, string>> {
  const { perMinute, left } = limit
  const resetMs = Math.ceil(((perMinute - left) * 60_000) / perMinute)
  if (wire === 'anthropic-messages')
    return {
      'anthropic-ratelimit-requests-limit': String(perMinute),
      'anthropic-ratelimit-requests-remaining': String(Math.floor(left)),
    }
  return {
    'x-ratelimit-limit-requests': String(perMinute),
    'x-ratelimit-remaining-requests': String(Math.floor(left)),
    'x-ratelimit-reset-requests': `${resetMs}ms`,
  }
}

const ABSURD: readonly Readonly<Record<string, string>>[] = [
  { 'retry-after': '-5' },
  { 'retry-after': 'NaN' },
  { 'retry-after': '1e30' },
  { 'retry-after': '99999999999999' },
  { 'retry-after': 'Fri, 31 Dec 9999 23:59:59 GMT' },
  { 'retry-after': '', 'retry-after-ms': '-1' },
  { 'retry-after': '0', 'x-ratelimit-reset-requests': 'yesterday' },
  { 'x-ratelimit-limit-requests': '0', 'x-ratelimit-remaining-requests': '5' },
  { 'x-ratelimit-limit-tokens': '-7', 'x-ratelimit-remaining-tokens': '1e400' },
  { 'anthropic-ratelimit-requests-reset': '9999-99-99T99:99:99Z' },
]

export interface RefusalAsk {
  readonly wire: Wire
  readonly random: () => number
  readonly trueMs: number
}

/** null: this fault is not a refusal. */
export function refusalOf(kind: FaultKind, ask: RefusalAsk): Refusing | null {
  const { error } = answerFormat(ask.wire)
  const refuse = (
    status: number,
    type: string,
    headers: Readonly<Record<string, string>> = {},
  ): Refusing => ({
    status,
    headers: { 'content-type': 'application/json', ...headers },
    body: error(type),
  })
  switch (kind) {
    case '400':
      return refuse(400, 'invalid_request_error')
    case 'context-length':
      return refuse(400, 'context_length_exceeded')
    case '404':
      return refuse(404, 'not_found_error')
    case '401':
      return refuse(401, 'authentication_error')
    case '500':
      return refuse(500, 'server_error')
    case '503':
      return refuse(503, 'server_error', ask.random() < 0.5 ? { 'retry-after': '2' } : {})
    case '529':
      return refuse(529, 'overloaded_error')
    case '429':
      return refuse(
        429,
        'rate_limit_error',
        honestHeaders(ask.wire, 100 + Math.floor(ask.random() * 4_000), ask.trueMs),
      )
    case '429-bare':
      return refuse(429, 'rate_limit_error')
    case '429-absurd':
      return refuse(429, 'rate_limit_error', ABSURD[Math.floor(ask.random() * ABSURD.length)])
    default:
      return null
  }
}

/** What a liar reports instead of the truth; null: nothing. */
export function untrueUsage(
  truth: { readonly input: number; readonly output: number },
  random: () => number,
): { readonly input: number; readonly output: number } | null {
  const lies = [
    null,
    { input: 0, output: 0 },
    { input: truth.input * 1_000, output: truth.output },
    { input: truth.input, output: truth.output * 1_000 + 7 },
    { input: -5, output: -5 },
    { input: 1e15, output: 1e15 },
    { input: truth.input + 40, output: truth.output },
  ]
  return lies[Math.floor(random() * lies.length)] ?? null
}
