// A limit per minute, or per another span, as a token bucket: it refills steadily up to what may be saved
// up, by default one span's worth. Over any span at most twice the limit passes, once the whole bucket has
// been saved up, and the limit itself in the long run.

export interface RateWindow {
  /** Per `spanMs`. */
  readonly limit: number
  /** Default a minute. */
  readonly spanMs: number
  /** Of how much refilling it saves up, ms. Default `spanMs`. */
  readonly savedMs: number
  /**
   * What could be taken at `atMs`, in `spanMs`-ths (60,000ths of a limit per minute): refilling by the
   * millisecond stays exact. Below 0: overused.
   */
  readonly level: number
  readonly atMs: number
}

export type Take =
  | { readonly kind: 'taken'; readonly window: RateWindow }
  /** Infinity: more than can be saved up, it never fits. */
  | { readonly kind: 'wait'; readonly waitMs: number; readonly window: RateWindow }

export const MINUTE_MS = 60_000

export interface WindowSpan {
  readonly spanMs: number
  readonly savedMs: number
}

const MINUTE: WindowSpan = { spanMs: MINUTE_MS, savedMs: MINUTE_MS }

export function fullWindow(
  limit: number,
  nowMs: number,
  { spanMs, savedMs }: WindowSpan = MINUTE,
): RateWindow {
  return { limit, spanMs, savedMs, level: fullLevel({ limit, spanMs, savedMs }), atMs: nowMs }
}

/** The level of a full window. One can always be saved up, or nothing would ever fit into a short slice. */
export function fullLevel({ limit, spanMs, savedMs }: WindowSpan & { readonly limit: number }): number {
  return limit === 0 ? 0 : Math.max(spanMs, limit * savedMs)
}

/** Takes `amount`, or says how long to wait for it. A clock that goes back refills nothing. */
export function take(window: RateWindow, amount: number, nowMs: number): Take {
  const waitMs = waitFor(window, amount, nowMs)
  const now = refilled(window, nowMs)
  if (waitMs > 0) return { kind: 'wait', waitMs, window: now }
  return { kind: 'taken', window: correct(now, -amount) }
}

/** How long until `amount` can be taken, ms; 0 when it can be now. */
export function waitFor(window: RateWindow, amount: number, nowMs: number): number {
  const wanted = amount * window.spanMs
  const missing = wanted - levelAt(window, nowMs)
  if (missing <= 0) return 0
  return wanted > fullLevel(window) ? Infinity : Math.ceil(missing / window.limit)
}

/** The same window at another instant. */
export function refilled(window: RateWindow, nowMs: number): RateWindow {
  const { limit, spanMs, savedMs, atMs } = window
  return { limit, spanMs, savedMs, level: levelAt(window, nowMs), atMs: Math.max(atMs, nowMs) }
}

/** Corrects an estimate: positive gives back, negative takes what was used beyond it. */
export function correct(window: RateWindow, amount: number): RateWindow {
  return withLevel(window, window.level + amount * window.spanMs)
}

/** Never above what may be saved up. */
export function withLevel(window: RateWindow, level: number): RateWindow {
  const { limit, spanMs, savedMs, atMs } = window
  return { limit, spanMs, savedMs, level: Math.min(fullLevel(window), level), atMs }
}

/** A reload changed the limit: what is saved up stays, within the new limit. */
export function withLimit(window: RateWindow, limit: number): RateWindow {
  const { spanMs, savedMs, level, atMs } = window
  return withLevel({ limit, spanMs, savedMs, level, atMs }, level)
}

function levelAt(window: RateWindow, nowMs: number): number {
  const elapsedMs = nowMs - window.atMs
  return elapsedMs <= 0 ? window.level : Math.min(fullLevel(window), window.level + elapsedMs * window.limit)
}
