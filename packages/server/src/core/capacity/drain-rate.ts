// How fast a queue is served, measured while somebody waits: only then is it what the deployments can do and
// not what is asked of them. Before enough was seen there is no rate, rather than a guess.

/** Weight of what was served falls to 1/e in this time of waiting, ms. */
const MEMORY_MS = 5_000

/** Less waiting than this says nothing, ms. */
const MEASURED_MS_MIN = 1_000

export class DrainRate {
  /** Decayed sum of what was served, as of `#seenMs`. */
  #mass = 0
  /** Time of waiting that was measured, ms. */
  #measuredMs = 0
  #seenMs: number | null = null

  /** Somebody waits as of now. */
  begin(nowMs: number): void {
    this.#seenMs ??= nowMs
  }

  /** Nobody waits any longer: the clock of the measurement stands still. */
  pause(nowMs: number): void {
    this.#advance(nowMs)
    this.#seenMs = null
  }

  served(cost: number, nowMs: number): void {
    this.#advance(nowMs)
    this.#mass += cost
  }

  /** Cost per second; null when nobody has waited for long enough to know. */
  perSecond(nowMs: number): number | null {
    this.#advance(nowMs)
    if (this.#measuredMs < MEASURED_MS_MIN) return null
    // A short measurement is not the beginning of a decay from nothing.
    const windowMs = MEMORY_MS * (1 - Math.exp(-this.#measuredMs / MEMORY_MS))
    return (this.#mass / windowMs) * 1_000
  }

  /** A clock that goes back counts as one that stands still. */
  #advance(nowMs: number): void {
    if (this.#seenMs === null || nowMs <= this.#seenMs) return
    const elapsedMs = nowMs - this.#seenMs
    this.#mass *= Math.exp(-elapsedMs / MEMORY_MS)
    this.#measuredMs = Math.min(10 * MEMORY_MS, this.#measuredMs + elapsedMs)
    this.#seenMs = nowMs
  }
}
