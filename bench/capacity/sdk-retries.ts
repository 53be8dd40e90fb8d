// When a client tries again, as the official SDKs of OpenAI and Anthropic do: twice, after timeouts, broken
// connections and the statuses 408, 409, 429 and 5xx, unless the answer says otherwise.

import type { Randomness } from './randomness.js'

export const RETRIES_MAX = 2

const FIRST_DELAY_MS = 500
const DELAY_MAX_MS = 8_000
/** A longer wait that a server asks for is not honoured. */
const RETRY_AFTER_MAX_MS = 60_000

export interface Refusal {
  /** null: no answer came. */
  readonly status: number | null
  readonly headers: Readonly<Record<string, string>>
}

function askedDelayMs(headers: Readonly<Record<string, string>>): number | null {
  const inMs = Number(headers['retry-after-ms'] ?? Number.NaN)
  const asked = Number.isFinite(inMs) ? inMs : Number(headers['retry-after'] ?? Number.NaN) * 1_000
  return Number.isFinite(asked) && asked > 0 && asked <= RETRY_AFTER_MAX_MS ? asked : null
}

/** The pause before the next try, ms; null when there is none. `retries` = those already made. */
export function retryDelayMs(refusal: Refusal, retries: number, random: Randomness): number | null {
  if (retries >= RETRIES_MAX) return null
  const { status, headers } = refusal
  const told = headers['x-should-retry']
  const isRetryable = status === null || [408, 409, 429].includes(status) || status >= 500
  if (told === 'false' || (told !== 'true' && !isRetryable)) return null
  const backOff = Math.min(DELAY_MAX_MS, FIRST_DELAY_MS * 2 ** retries) * (1 - random.next() * 0.25)
  return askedDelayMs(headers) ?? backOff
}
