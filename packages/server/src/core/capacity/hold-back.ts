// Room that is kept for more critical work: the less critical a class, the earlier it stops being let in.
// Only for classes that were seen of late; where all work is of one class, nothing is held back.

import { CRITICALITIES, type Criticality } from './demand.js'

/** The share of a limit that each class may fill. */
const CEILINGS: readonly number[] = [1, 0.9, 0.75, 0.5]

/** Room is kept this long for a class after its last call, ms. */
const KEPT_MS = 60_000

/** 0, the most critical, to 3. */
export function rankOf(criticality: Criticality): number {
  return CRITICALITIES.indexOf(criticality)
}

export class HoldBack {
  readonly #seenMs: number[] = CRITICALITIES.map(() => -Infinity)

  see(criticality: Criticality, nowMs: number): void {
    this.#seenMs[rankOf(criticality)] = nowMs
  }

  /** The share of a limit, up to 1, that a call of this class may fill. */
  shareOf(criticality: Criticality, nowMs: number): number {
    const rank = rankOf(criticality)
    for (let above = 0; above < rank; above++) {
      // A clock that went back is as good as one that stands still, for as long.
      if (Math.abs(nowMs - (this.#seenMs[above] ?? -Infinity)) < KEPT_MS) return CEILINGS[rank] ?? 1
    }
    return 1
  }
}

/** Of a limit in whole calls, how many a class may fill: what is kept is rounded down, one is left. */
export function usableOf(limit: number, share: number): number {
  return share === 1 ? limit : Math.max(1, limit - Math.floor(limit * (1 - share) + 1e-9))
}
