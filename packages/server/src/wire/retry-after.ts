// How long a provider asks us to wait, from whichever of its headers says so. A value that cannot be meant is
// null: better our own backoff than a year's pause. Sent by others, so every pattern here is linear.

type Headers = Readonly<Record<string, string>>

/** Longest wait that is believed, ms. */
export const RETRY_AFTER_MAX_MS = 3_600_000
/** Beyond this the number is no wait at all: an epoch time, another unit. */
const ABSURD_MS = 30 * 86_400_000

const LIMITS = [
  ['x-ratelimit-remaining-requests', 'x-ratelimit-reset-requests'],
  ['x-ratelimit-remaining-tokens', 'x-ratelimit-reset-tokens'],
  ['anthropic-ratelimit-requests-remaining', 'anthropic-ratelimit-requests-reset'],
  ['anthropic-ratelimit-tokens-remaining', 'anthropic-ratelimit-tokens-reset'],
  ['anthropic-ratelimit-input-tokens-remaining', 'anthropic-ratelimit-input-tokens-reset'],
  ['anthropic-ratelimit-output-tokens-remaining', 'anthropic-ratelimit-output-tokens-reset'],
] as const

/** Milliseconds to wait, 0..3600000, or null when no header says so. Header names are lower case. */
export function retryAfterMs(headers: Headers, nowMs: number): number | null {
  return (
    believed(plainNumber(headers['retry-after-ms'])) ??
    believed(secondsOrDate(headers['retry-after'], nowMs)) ??
    resetOf(headers, nowMs)
  )
}

/** `x-should-retry`, which official clients obey before anything else; null when it is not there. */
export function shouldRetry(headers: Headers): boolean | null {
  const value = headers['x-should-retry']?.trim().toLowerCase()
  return value === 'true' ? true : value === 'false' ? false : null
}

// The limit that has nothing left is the one we wait for; when none admits it, the last one to reset.
function resetOf(headers: Headers, nowMs: number): number | null {
  const resets = LIMITS.flatMap(([remaining, reset]) => {
    const value = headers[reset]
    const waitMs = believed(value === undefined ? null : (durationMs(value) ?? dateWaitMs(value, nowMs)))
    return waitMs === null ? [] : [{ waitMs, empty: headers[remaining]?.trim() === '0' }]
  })
  const empty = resets.filter((reset) => reset.empty)
  const waits = (empty.length > 0 ? empty : resets).map((reset) => reset.waitMs)
  return waits.length === 0 ? null : Math.max(...waits)
}

function believed(waitMs: number | null): number | null {
  if (waitMs === null || !(waitMs >= 0) || waitMs > ABSURD_MS) return null
  return Math.min(Math.ceil(waitMs), RETRY_AFTER_MAX_MS)
}

function plainNumber(value: string | undefined): number | null {
  const text = value?.trim() ?? ''
  return /^\d{1,15}(?:\.\d{1,9})?$/.test(text) ? Number(text) : null
}

function secondsOrDate(value: string | undefined, nowMs: number): number | null {
  const seconds = plainNumber(value)
  if (seconds !== null) return seconds * 1_000
  return value === undefined ? null : dateWaitMs(value, nowMs)
}

/** HTTP dates and RFC 3339. A moment that has passed is no wait. */
export function dateWaitMs(value: string, nowMs: number): number | null {
  const text = value.trim()
  if (!/^(?:[A-Z][a-z]{2},|\d{4}-\d\d-\d\dT)/.test(text)) return null
  const atMs = Date.parse(text)
  return Number.isNaN(atMs) ? null : Math.max(0, atMs - nowMs)
}

const DECIMAL = String.raw`\d{1,9}(?:\.\d{1,9})?`
const UNITS_MS = { d: 86_400_000, h: 3_600_000, m: 60_000, s: 1_000, ms: 1 } as const

const DURATION = new RegExp(
  [
    '^',
    '(?:(\\d{1,6})d)?',
    '(?:(\\d{1,6})h)?',
    '(?:(\\d{1,6})m(?!s))?',
    `(?:(${DECIMAL})s)?`,
    `(?:(${DECIMAL})ms)?`,
    '$',
  ].join(''),
)

/** `1s`, `6m0s`, `1h2m3.5s`, `120ms`; a bare number is seconds. */
export function durationMs(value: string): number | null {
  const text = value.trim()
  const seconds = plainNumber(text)
  if (seconds !== null) return seconds * 1_000
  const parts = DURATION.exec(text)
  if (parts === null || text === '') return null
  const [, d = '0', h = '0', m = '0', s = '0', ms = '0'] = parts
  return (
    Number(d) * UNITS_MS.d +
    Number(h) * UNITS_MS.h +
    Number(m) * UNITS_MS.m +
    Number(s) * UNITS_MS.s +
    Number(ms) * UNITS_MS.ms
  )
}
