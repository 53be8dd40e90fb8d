// What is left to spend: a call draws on several accounts at once, so the tightest one decides.

import { type Amounts, NO_LIMITS, RESOURCES, type Resource } from './amounts.js'

/** One account as the ledger shows it. */
export interface AccountState {
  readonly limits: Amounts
  readonly settled: Amounts
  readonly held: Amounts
}

export type MutableAmounts = { -readonly [R in Resource]: number }

/**
 * The least that any of the accounts has left, per resource. Never negative; Infinity where none has a
 * limit.
 */
export function remainingOf(states: readonly AccountState[]): Amounts {
  const left: MutableAmounts = { ...NO_LIMITS }
  for (const state of states) lower(left, state)
  return left
}

/** Written out, because it runs on every call. */
export function lower(left: MutableAmounts, { limits, settled, held }: AccountState): void {
  left.modelCalls = Math.min(left.modelCalls, free(limits.modelCalls, settled.modelCalls, held.modelCalls))
  left.inputTokens = Math.min(
    left.inputTokens,
    free(limits.inputTokens, settled.inputTokens, held.inputTokens),
  )
  left.outputTokens = Math.min(
    left.outputTokens,
    free(limits.outputTokens, settled.outputTokens, held.outputTokens),
  )
  left.toolCalls = Math.min(left.toolCalls, free(limits.toolCalls, settled.toolCalls, held.toolCalls))
  left.toolMs = Math.min(left.toolMs, free(limits.toolMs, settled.toolMs, held.toolMs))
  left.nanoUsd = Math.min(left.nanoUsd, free(limits.nanoUsd, settled.nanoUsd, held.nanoUsd))
}

export function leftOf({ limits, settled, held }: AccountState, resource: Resource): number {
  return free(limits[resource], settled[resource], held[resource])
}

/** A limit of Infinity must not meet a used amount of Infinity: their difference is not a number. */
function free(limit: number, settled: number, held: number): number {
  return limit === Infinity ? Infinity : Math.max(0, limit - settled - held)
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
