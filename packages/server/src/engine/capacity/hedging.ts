// Whether a second copy of a call may be sent now: its budget, and whether there is room to spare.

import { HedgeBudget, type HedgeBudgetState } from '../../core/capacity/hedge-budget.js'

/** Above this share of a deployment's limit a copy would take the place of a call. */
const UTILISATION_MAX = 0.7

/**
 * One call in twenty is later than the p95, and there are copies for one in fifty: the last of them are for
 * those that are really late.
 */
const KEPT_FOR_LATE = 3

/** What a deployment says of itself. */
export interface Room {
  /** 0..1 of its limit; 0: no limit is known. */
  readonly utilisation: number
  /** Its limit was lowered of late. */
  readonly isShrinking: boolean
}

export interface HedgeAsk {
  /** Of the model, from 0: nothing is given up. */
  readonly overloadLevel: number
  /** Where the call is, and where its copy would be. */
  readonly slow: Room
  readonly other: Room
  /** What one of the two will have cost in vain. */
  readonly extraNanoUsd: number
  /** It has waited for far longer than is normal. */
  readonly isLate: boolean
}

export type Denied = 'overload' | 'busy' | 'shrinking' | 'budget'

export class Hedging {
  readonly #budget = new HedgeBudget()

  /** A first attempt at a model that has several deployments. */
  called(): void {
    this.#budget.called()
  }

  spent(nanoUsd: number): void {
    this.#budget.spent(nanoUsd)
  }

  /** null: it may be sent, and its budget is taken. `lost` or `cancel` follows. */
  take({ overloadLevel, slow, other, extraNanoUsd, isLate }: HedgeAsk): Denied | null {
    if (overloadLevel >= 1) return 'overload'
    if (slow.isShrinking || other.isShrinking) return 'shrinking'
    if (other.utilisation >= UTILISATION_MAX) return 'busy'
    return this.#budget.take(extraNanoUsd, isLate ? 0 : KEPT_FOR_LATE) ? null : 'budget'
  }

  cancel(extraNanoUsd: number): void {
    this.#budget.cancel(extraNanoUsd)
  }

  lost(expectedNanoUsd: number, nanoUsd: number): void {
    this.#budget.lost(expectedNanoUsd, nanoUsd)
  }

  /** For `GET /v1/capacity`. */
  state(): HedgeBudgetState {
    return this.#budget.state()
  }
}
