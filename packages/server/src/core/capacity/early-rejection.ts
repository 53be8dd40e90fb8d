// Saying now that it would be too late: a call whose answer cannot be there in time is refused before it
// waits, with the time after which it is worth another try.

/** Of a target for the first token, waiting may use this share. */
const TARGET_SHARE = 0.8

/**
 * Of a target for the first token, what may have passed when it comes by prediction: half of all come later
 * than predicted, and one that comes after the target was work for nothing.
 */
export const DISPATCH_SHARE = 0.9

/** Clients give up on more, and what holds for a minute is known anew after it. */
const RETRY_SECONDS_MAX = 60

export interface Prospect {
  readonly nowMs: number
  readonly deadlineMs: number
  /** Until it would be dispatched. */
  readonly waitMs: number
  /** From there to its first token; 0 when unknown. */
  readonly firstTokenMs: number
  /** The deployment's target for the first token, or null. */
  readonly targetMs: number | null
}

export interface WaitAsk {
  /** Cost that is served before. */
  readonly workAhead: number
  /** Cost per second; null: not known. */
  readonly perSecond: number | null
  /** Nothing is served before this has passed: every deployment rests. */
  readonly restMs: number
}

/** A rate of nothing, which is an outage, is as good as this wait, ms. */
const WAIT_MS_MAX = 3_600_000

/** How long an arrival would wait; without a rate only what is certain. */
export function predictWaitMs({ workAhead, perSecond, restMs }: WaitAsk): number {
  if (perSecond === null || workAhead === 0) return Math.min(WAIT_MS_MAX, restMs)
  const drainMs = perSecond === 0 ? WAIT_MS_MAX : (workAhead / perSecond) * 1_000
  return Math.min(WAIT_MS_MAX, Math.ceil(Math.max(restMs, drainMs)))
}

/** Would it be answered in time? One that need not wait is always tried. */
export function isFeasible({ nowMs, deadlineMs, waitMs, firstTokenMs, targetMs }: Prospect): boolean {
  if (waitMs === 0) return true
  if (nowMs + waitMs + firstTokenMs >= deadlineMs) return false
  return targetMs === null || waitMs + firstTokenMs <= TARGET_SHARE * targetMs
}

/**
 * Whole seconds, 1 to 60: the wait, and up to a quarter more (at least one second), so that those who were
 * refused together do not come back together. `random`: 0 <= x < 1.
 */
export function retryAfterSeconds(waitMs: number, random: number): number {
  const least = Math.min(RETRY_SECONDS_MAX, Math.max(1, Math.ceil(waitMs / 1_000)))
  const spread = Math.ceil(least / 4)
  const from = Math.min(least, RETRY_SECONDS_MAX - spread)
  return from + Math.floor(random * (spread + 1))
}
