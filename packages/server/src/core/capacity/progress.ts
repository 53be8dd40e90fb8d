// Does a deployment get on with what it has? Its streams bring tokens at a pace of their own; when all of
// them pause for many times that long it is browned out, long before its calls end and show it. Others are
// preferred then, but for a call now and again, until it keeps its pace.

/** Gaps between tokens that make the usual one known. */
const GAPS_KNOWN = 20
/** Tokens that come together are one step. */
const SAME_STEP_MS = 3
const SMOOTHING = 0.05
/** A pause that is taken for what is usual from now on is learned this slowly. */
const SMOOTHING_LAGGING = 0.002
/** A pause is long when it is this many times the usual gap, and no shorter than `LAG_MS_MIN`. */
const LAG_FACTOR = 5
const LAG_MS_MIN = 200
/** So many gaps in a row at its pace, and it is well again. */
const GAPS_WELL = 4
/** Between two calls that try it while it lags, ms. */
const TRY_MS = 2_000

export class Progress {
  /** Streams that have begun to generate. */
  #generating = 0
  #lastMs = 0
  #usualMs = 0
  #gaps = 0
  /** Of a deployment that lags: gaps in a row at its pace. */
  #well = 0
  #isLagging = false
  #triedMs = 0

  /** Tokens came; `isFirst`: of their stream. */
  generated(isFirst: boolean, nowMs: number): void {
    if (isFirst) this.#generating += 1
    // The first stream of several has nothing to be measured from.
    if (this.#generating > 1 || !isFirst) this.#gap(nowMs - this.#lastMs)
    this.#lastMs = Math.max(this.#lastMs, nowMs)
  }

  /** A stream that had begun to generate is over. */
  ended(): void {
    this.#generating = Math.max(0, this.#generating - 1)
  }

  /** Others are to be preferred. */
  lags(nowMs: number): boolean {
    if (this.#isLagging || this.#generating === 0) return this.#isLagging
    if (nowMs - this.#lastMs > this.#lagMs) this.#fallBehind(nowMs)
    return this.#isLagging
  }

  /** While it lags: may a call try it? */
  mayTry(nowMs: number): boolean {
    return nowMs - this.#triedMs >= TRY_MS
  }

  tried(nowMs: number): void {
    this.#triedMs = nowMs
  }

  get #lagMs(): number {
    return this.#gaps < GAPS_KNOWN ? Infinity : Math.max(LAG_MS_MIN, LAG_FACTOR * this.#usualMs)
  }

  #fallBehind(nowMs: number): void {
    if (!this.#isLagging) this.#triedMs = nowMs
    this.#isLagging = true
    this.#well = 0
  }

  #gap(ms: number): void {
    if (ms < SAME_STEP_MS) return
    const isLong = ms > this.#lagMs
    if (isLong) this.#fallBehind(this.#lastMs + ms)
    else if (this.#isLagging && ++this.#well >= GAPS_WELL) this.#isLagging = false
    this.#gaps = Math.min(this.#gaps + 1, GAPS_KNOWN)
    const smoothing = isLong ? SMOOTHING_LAGGING : Math.max(SMOOTHING, 1 / (this.#gaps + 1))
    this.#usualMs += (ms - this.#usualMs) * smoothing
  }
}
