// Time that does not go back. A pause of a second must not last an hour because somebody set the clock back
// by one: what was still to come is then as far away as before.

export class SteadyClock {
  #seenMs = -Infinity
  #aheadMs = 0

  /** The steady instant of this reading of the wall clock, ms; differences between two of them are true. */
  at(nowMs: number): number {
    if (nowMs < this.#seenMs) this.#aheadMs += this.#seenMs - nowMs
    this.#seenMs = nowMs
    return nowMs + this.#aheadMs
  }
}
