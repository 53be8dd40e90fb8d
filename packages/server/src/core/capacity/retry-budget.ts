// How many retries a model's deployments may get together: a tenth of the first attempts. When everything
// fails, callers, tasks and this server would each try again at once; the budget is what keeps an outage from
// doubling the load. One per model: its pool is what a retry burdens.

import { SteadyClock } from './steady-clock.js'

/** In tenths of a retry, so that sums stay exact. */
const RETRY = 10
/** SRE: at most one retry per ten first attempts. */
const PER_FIRST = 1
/** Saved up at most, and there from the start: a budget that knows nothing yet lets retries through. */
export const RETRIES_MAX = 50
/** With little traffic a tenth of it is nothing: one retry per 10 s is always allowed. */
export const ONE_PER_MS = 10_000

export class RetryBudget {
  readonly #clock = new SteadyClock()
  #tenths = RETRIES_MAX * RETRY
  #grantedMs = -ONE_PER_MS

  /** A call's first attempt at a deployment of this model. */
  first(): void {
    this.#tenths = Math.min(RETRIES_MAX * RETRY, this.#tenths + PER_FIRST)
  }

  /** May there be one more attempt? Takes it when so. */
  take(nowMs: number): boolean {
    const now = this.#clock.at(nowMs)
    if (this.#tenths >= RETRY) {
      this.#tenths -= RETRY
      return true
    }
    if (now - this.#grantedMs < ONE_PER_MS) return false
    this.#grantedMs = now
    return true
  }

  /** Whole retries that are saved up. */
  get left(): number {
    return Math.floor(this.#tenths / RETRY)
  }
}
