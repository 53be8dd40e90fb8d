// What is left to spend: a call draws on several accounts at once, so the tightest one decides.

import { type Amounts, NO_LIMITS, RESOURCES, type Resource } from './amounts.js'

/** One account as the ledger shows it. */
export interface AccountState {
  readonly limits: Amounts
  readonly settled: Amounts
  readonly held: Amounts
}

type MutableAmounts = { -readonly [R in Resource]: number }

/**
 * The least that any of the accounts has left, per resource. Never negative; Infinity where none has a
 * limit.
 */
export function remainingOf(states: readonly AccountState[]): Amounts {
  const left: MutableAmounts = { ...NO_LIMITS }
  for (const { limits, settled, held } of states) {
    for (const resource of RESOURCES) {
      // A limit of Infinity must not meet a used amount of Infinity: their difference is not a number.
      if (limits[resource] === Infinity) continue
      const free = Math.max(0, limits[resource] - settled[resource] - held[resource])
      if (free < left[resource]) left[resource] = free
    }
  }
  return left
}

/**
 * A caller's own limits over the contract's: each may only become smaller. Nonsense is ignored, below 0 is
 * 0.
 */
export function tighten(contractLimits: Amounts, asked: Readonly<Partial<Amounts>>): Amounts {
  const limits: MutableAmounts = { ...contractLimits }
  for (const resource of RESOURCES) {
    const wish = asked[resource]
    if (wish !== undefined && wish < limits[resource]) limits[resource] = Math.max(0, wish)
  }
  return limits
}
