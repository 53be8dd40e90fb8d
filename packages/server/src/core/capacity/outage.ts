// Since when nothing can be served at all, because every deployment is out, and when those who waited then
// have waited for long enough. Nothing is overloaded meanwhile: what is asked for has no part in it.

/** So long calls wait for one that is out to be tried again before the ladder answers, ms. */
export const OUT_PATIENCE_MS = 2_000

export class Outage {
  #sinceMs: number | null = null
  #isTold = false

  get isOn(): boolean {
    return this.#sinceMs !== null
  }

  /** A clock that goes back takes the beginning with it. */
  see(isOut: boolean, nowMs: number): void {
    if (!isOut) this.#isTold = false
    this.#sinceMs = isOut ? Math.min(this.#sinceMs ?? nowMs, nowMs) : null
  }

  /** When those who waited at its beginning give up; Infinity: they do not, or have. */
  get giveUpMs(): number {
    return this.#sinceMs === null || this.#isTold ? Infinity : this.#sinceMs + OUT_PATIENCE_MS
  }

  /** Once, when it is time: who has waited since this or longer gives up. Else null. */
  takeGiveUp(nowMs: number): number | null {
    if (nowMs < this.giveUpMs) return null
    this.#isTold = true
    return this.#sinceMs
  }
}
