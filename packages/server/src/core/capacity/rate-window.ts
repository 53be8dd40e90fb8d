// Limits per minute as a token bucket: it refills steadily up to one minute's worth. Over any minute at
// most twice the limit passes, once the whole bucket has been saved up, and the limit itself in the long
// run.

export interface RateWindow {
  readonly perMinute: number
  /**
   * What could be taken at `atMs`, in 60,000ths: refilling by the millisecond stays exact. Below 0:
   * overused.
   */
  readonly level: number
  readonly atMs: number
}

export type Take =
  | { readonly kind: 'taken'; readonly window: RateWindow }
  /** Infinity: more than a minute's worth, it never fits. */
  | { readonly kind: 'wait'; readonly waitMs: number; readonly window: RateWindow }

const MINUTE_MS = 60_000

export function fullWindow(perMinute: number, nowMs: number): RateWindow {
  return { perMinute, level: perMinute * MINUTE_MS, atMs: nowMs }
}

/** Takes `amount`, or says how long to wait for it. A clock that goes back refills nothing. */
export function take(window: RateWindow, amount: number, nowMs: number): Take {
  const { perMinute } = window
  const level = levelAt(window, nowMs)
  const atMs = Math.max(window.atMs, nowMs)
  const waitMs = waitFor(window, amount, nowMs)
  if (waitMs > 0) return { kind: 'wait', waitMs, window: { perMinute, level, atMs } }
  return { kind: 'taken', window: { perMinute, level: level - amount * MINUTE_MS, atMs } }
}

/** How long until `amount` can be taken, ms; 0 when it can be now. */
export function waitFor(window: RateWindow, amount: number, nowMs: number): number {
  const missing = amount * MINUTE_MS - levelAt(window, nowMs)
  if (missing <= 0) return 0
  return amount > window.perMinute ? Infinity : Math.ceil(missing / window.perMinute)
}

/** Corrects an estimate: positive gives back, negative takes what was used beyond it. */
export function correct(window: RateWindow, amount: number): RateWindow {
  return { ...window, level: Math.min(window.perMinute * MINUTE_MS, window.level + amount * MINUTE_MS) }
}

/** A reload changed the limit: what is saved up stays, within the new limit. */
export function withLimit(window: RateWindow, perMinute: number): RateWindow {
  return { ...window, perMinute, level: Math.min(perMinute * MINUTE_MS, window.level) }
}

function levelAt({ perMinute, level, atMs }: RateWindow, nowMs: number): number {
  const elapsedMs = nowMs - atMs
  return elapsedMs <= 0 ? level : Math.min(perMinute * MINUTE_MS, level + elapsedMs * perMinute)
}
