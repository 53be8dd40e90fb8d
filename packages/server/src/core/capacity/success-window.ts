// How many calls of the last minute were answered, and whether that is an outlier among the deployments of a
// model: each is compared with what the others do at the same time, so a bad hour of all ejects nobody.

export interface Counts {
  readonly good: number
  readonly bad: number
}

/** Counted in two halves: what is seen is the last 30 to 60 s. */
const HALF_MS = 30_000

export class SuccessWindow {
  #startMs = 0
  #good = 0
  #bad = 0
  #goodBefore = 0
  #badBefore = 0

  /** `nowMs` never goes back. */
  add(isGood: boolean, nowMs: number): void {
    this.#turn(nowMs)
    if (isGood) this.#good += 1
    else this.#bad += 1
  }

  counts(nowMs: number): Counts {
    this.#turn(nowMs)
    return { good: this.#good + this.#goodBefore, bad: this.#bad + this.#badBefore }
  }

  clear(): void {
    this.#good = this.#bad = this.#goodBefore = this.#badBefore = 0
  }

  #turn(nowMs: number): void {
    const elapsedMs = nowMs - this.#startMs
    if (elapsedMs < HALF_MS) return
    const isNext = elapsedMs < 2 * HALF_MS
    this.#goodBefore = isNext ? this.#good : 0
    this.#badBefore = isNext ? this.#bad : 0
    this.#good = 0
    this.#bad = 0
    this.#startMs = nowMs - (elapsedMs % HALF_MS)
  }
}

/** Siblings that must have enough calls: with fewer there is no telling who is odd. */
export const SIBLINGS_MIN = 2
/** Calls in the window. Envoy asks for 100 in 10 s; model calls are that much rarer. */
export const CALLS_MIN = 20
/** Envoy: success_rate_stdev_factor 1900, in thousandths. */
const STDEV_FACTOR = 1.9
/** Siblings that agree to the last call would make every difference an outlier: 19 points are the least. */
const STDEV_MIN = 0.1

/**
 * Does it fail far more often than the others? They are its measure without it: among three or four its own
 * failures would widen the spread so much that nothing could ever be outside.
 */
export function isOutlier(own: Counts, siblings: readonly Counts[]): boolean {
  if (own.good + own.bad < CALLS_MIN) return false
  const shares = siblings.filter(({ good, bad }) => good + bad >= CALLS_MIN).map(shareOf)
  if (shares.length < SIBLINGS_MIN) return false
  const mean = shares.reduce((sum, share) => sum + share, 0) / shares.length
  const variance = shares.reduce((sum, share) => sum + (share - mean) ** 2, 0) / shares.length
  return shareOf(own) < mean - STDEV_FACTOR * Math.max(STDEV_MIN, Math.sqrt(variance))
}

function shareOf({ good, bad }: Counts): number {
  return good / (good + bad)
}
