// How many second copies of a call may be sent, and what they may cost: a share of the calls and a share of
// the money, earned first and spent afterwards. Nothing is lent: without traffic there is no hedging either.

/** A second copy for at most one call in this many, so 2 % (Dean and Barroso, The Tail at Scale, 2013). */
const CALLS_PER_HEDGE = 50
/** Copies that may follow each other at once after a quiet time. */
const BURST = 10
/** What copies cost in vain is at most this part of what the calls cost, so 1 %. */
const SPEND_PER_EXTRA = 100
/** Credit in nano-dollars ends here: sums stay exact. */
const CREDIT_MAX = 2 ** 52

export interface HedgeBudgetState {
  /** Since the start. */
  readonly calls: number
  readonly hedges: number
  /** Charged to copies that lost, nano-dollars. */
  readonly extraNanoUsd: number
  /** Copies that may be sent now, as far as calls decide. */
  readonly available: number
}

export class HedgeBudget {
  #calls = 0
  #hedges = 0
  #extraNanoUsd = 0
  /** In calls. */
  #credit = 0
  /** In nano-dollars of calls. Negative: the copies cost more than was expected. */
  #spendCredit = 0

  /** A call that was sent for the first time. */
  called(): void {
    this.#calls += 1
    if (this.#credit < CALLS_PER_HEDGE * BURST) this.#credit += 1
  }

  /** What an attempt cost that was not in vain. */
  spent(nanoUsd: number): void {
    if (nanoUsd > 0) this.#spendCredit = Math.min(CREDIT_MAX, this.#spendCredit + nanoUsd)
  }

  /**
   * Takes the right to send one copy, or leaves all as it was. `extraNanoUsd`: what one of the two will have
   * cost in vain. `kept`: that many copies stay for calls that need one more. `lost` or `cancel` follows.
   */
  take(extraNanoUsd: number, kept = 0): boolean {
    const price = worth(extraNanoUsd)
    if (this.#credit < CALLS_PER_HEDGE * (kept + 1) || this.#spendCredit < price) return false
    this.#credit -= CALLS_PER_HEDGE
    this.#spendCredit -= price
    this.#hedges += 1
    return true
  }

  /** The copy was not sent after all. */
  cancel(extraNanoUsd: number): void {
    this.#credit = Math.min(CALLS_PER_HEDGE * BURST, this.#credit + CALLS_PER_HEDGE)
    this.#spendCredit = Math.min(CREDIT_MAX, this.#spendCredit + worth(extraNanoUsd))
    this.#hedges -= 1
  }

  /** What it came to, in place of what was expected when the copy was sent. */
  lost(expectedNanoUsd: number, nanoUsd: number): void {
    this.#extraNanoUsd += Math.max(0, nanoUsd)
    this.#spendCredit = Math.min(CREDIT_MAX, this.#spendCredit + worth(expectedNanoUsd) - worth(nanoUsd))
  }

  state(): HedgeBudgetState {
    return {
      calls: this.#calls,
      hedges: this.#hedges,
      extraNanoUsd: this.#extraNanoUsd,
      available: Math.floor(this.#credit / CALLS_PER_HEDGE),
    }
  }
}

/** Spend that has to be there for so much to be wasted. */
function worth(nanoUsd: number): number {
  return Math.min(CREDIT_MAX, Math.max(0, Math.ceil(nanoUsd)) * SPEND_PER_EXTRA)
}
