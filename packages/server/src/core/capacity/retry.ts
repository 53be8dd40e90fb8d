// Which failures are worth another attempt, and when. How many there may be is the task's attempt cap; that
// nothing is retried once a byte has reached the caller is the engine's to know.

const RETRYABLE_ENDS: ReadonlySet<string> = new Set([
  'connection',
  'timeout',
  'broken',
  'broken_stream',
  'stream_error',
  'invalid_body',
  'http_408',
  'http_409',
  // Bedrock: the model failed at this request.
  'http_424',
  'http_429',
  'throttled',
  // Given up while nobody had seen anything of it.
  'slow_start',
  'stalled',
  'slow',
  // Another one is being fetched.
  'stale_credentials',
])

const DEPLOYMENT_FAULTS: ReadonlySet<string> = new Set([
  'credentials',
  'no_credit',
  'unknown_model',
  'http_401',
  'http_402',
  'http_403',
  'http_404',
])

/**
 * May the same request be sent again? Refusals of the request itself (400, 413, 422) and of us (401, 403)
 * are final.
 */
export function isRetryable(end: string): boolean {
  return RETRYABLE_ENDS.has(end) || /^http_5\d\d$/.test(end)
}

/**
 * The deployment cannot serve us (key, credit, no such model), but another one may; never try this one
 * again.
 */
export function isDeploymentFault(end: string): boolean {
  return DEPLOYMENT_FAULTS.has(end)
}

/** Another may be quicker: for this call it is not asked again. */
export function isTooSlow(end: string): boolean {
  return end === 'slow_start' || end === 'stalled' || end === 'slow'
}

/** Too much at a time, here: the deployment rests before it is asked again. */
export function isThrottle(end: string): boolean {
  return end === 'throttled' || /^http_(?:429|503|529)$/.test(end)
}

export interface RetryDelay {
  /** Attempts that have failed, from 1. */
  readonly attempt: number
  /** What the provider asked for, or null. */
  readonly retryAfterMs: number | null
  /** 0 <= x < 1. */
  readonly random: number
  /** Default 250. */
  readonly baseMs?: number
  /** Longest wait of our own choosing. Default 8000. */
  readonly capMs?: number
}

/**
 * Milliseconds to wait: exponential with full jitter. Retry-After is a floor, plus up to `baseMs`, or
 * everybody who was told the same second would come back in it.
 */
export function retryDelayMs({
  attempt,
  retryAfterMs,
  random,
  baseMs = 250,
  capMs = 8_000,
}: RetryDelay): number {
  if (retryAfterMs !== null) return Math.ceil(retryAfterMs) + Math.floor(random * baseMs)
  return Math.floor(random * Math.min(capMs, baseMs * 2 ** Math.max(0, attempt - 1)))
}

/** Is there any time left after the wait? */
export function fitsDeadline(delayMs: number, leftMs: number): boolean {
  return delayMs < leftMs
}
