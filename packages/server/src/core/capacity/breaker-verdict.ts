// What the end of a call says of the deployment. Refusals of the request itself say nothing, and neither does
// a rate limit: that is our pace, not its health, and makes it rest instead.

import { isDeploymentFault } from './retry.js'

export type Verdict = 'good' | 'bad' | 'none'

const BAD_ENDS: ReadonlySet<string> = new Set([
  'connection',
  'broken',
  'broken_stream',
  'stream_error',
  'invalid_body',
  'stalled',
  'slow_start',
  'slow',
])

/** A timeout that came sooner says more of the caller's hurry than of the deployment, ms. */
const TIMEOUT_MS_MIN = 1_000
/** One that came later counts, however long its answers usually take, ms. */
const TIMEOUT_MS_MAX = 30_000

export interface EndedCall {
  /** `ok`, or the name of the failure as attempts are recorded. */
  readonly end: string
  readonly durationMs: number
  /** What its answers usually take, ms; 0: not known. */
  readonly usualMs: number
}

/** 503 and 529 count: "no capacity" is its state, not our quota. 408, 409, 424 and 429 do not. */
export function verdictOf({ end, durationMs, usualMs }: EndedCall): Verdict {
  if (end === 'ok') return 'good'
  if (end === 'timeout') return durationMs >= timeoutCountsFrom(usualMs) ? 'bad' : 'none'
  const isBad = BAD_ENDS.has(end) || isDeploymentFault(end) || /^http_5\d\d$/.test(end)
  return isBad ? 'bad' : 'none'
}

function timeoutCountsFrom(usualMs: number): number {
  return Math.min(TIMEOUT_MS_MAX, Math.max(TIMEOUT_MS_MIN, usualMs))
}
