// Time that only goes forward. A wall clock that jumps back stands still for one reading and goes on from
// there, and one that jumps ahead counts as at most a day: nothing is held for ever because of a clock.

/** Nothing in capacity lasts longer. */
const JUMP_MS_MAX = 24 * 3_600_000

export class SteadyClock {
  #readMs: number | null = null
  #nowMs = 0

  /** The steady time at this reading of the wall clock, ms since the first reading. */
  at(wallMs: number): number {
    const elapsedMs = this.#readMs === null ? 0 : wallMs - this.#readMs
    this.#readMs = wallMs
    if (elapsedMs > 0) this.#nowMs += Math.min(elapsedMs, JUMP_MS_MAX)
    return this.#nowMs
  }

  /** As of the last reading. */
  get nowMs(): number {
    return this.#nowMs
  }
}
