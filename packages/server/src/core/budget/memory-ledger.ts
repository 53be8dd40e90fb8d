// The ledger of one process: who may spend what, promised before it is sent and settled after. Everything is
// synchronous, so nothing can happen between the check and the promise, which is the whole trick.
// The six resources are written out instead of looped over: a hold runs on every call and must cost nothing.

import { IdTable } from '../id-table.js'
import type { HoldId } from '../ids.js'
import { type Amounts, type LimitName, NO_LIMITS, NOTHING, RESOURCES, type Resource } from './amounts.js'
import { type AccountState, type MutableAmounts, leftOf, lower } from './remaining.js'

export type HoldResult =
  | { readonly kind: 'granted' }
  | {
      readonly kind: 'refused'
      readonly account: string
      readonly limit: LimitName
      readonly shortBy: number
    }

/** What to hold, given what is left; or the limit that leaves no room. */
export type Fit =
  | { readonly kind: 'fits'; readonly amounts: Amounts }
  | { readonly kind: 'short'; readonly limit: LimitName; readonly shortBy: number }

export type FittedHold<F extends Fit> =
  | { readonly kind: 'held'; readonly fit: Extract<F, { readonly kind: 'fits' }> }
  /** `account`: the one with the least left. */
  | { readonly kind: 'short'; readonly limit: LimitName; readonly shortBy: number; readonly account: string }

interface Account {
  readonly name: string
  limits: Amounts
  readonly settled: MutableAmounts
  readonly held: MutableAmounts
  /** Holds not settled yet. */
  liveHolds: number
  /** Closed while holds were live: gone when the last one is settled, so that no promise is forgotten. */
  closing: boolean
}

interface LiveHold {
  readonly accounts: readonly Account[]
  readonly amounts: Amounts
}

const GRANTED: HoldResult = { kind: 'granted' }

export class MemoryLedger {
  readonly #accounts = new IdTable<string, Account>()
  readonly #holds = new IdTable<HoldId, LiveHold>()
  readonly #left: MutableAmounts = { ...NO_LIMITS }
  #overruns = 0

  /** Settlements so far that used more of something than was held for it. */
  get overruns(): number {
    return this.#overruns
  }

  /** Makes the account, `spent` already settled, or finds it: then only its limits are replaced. */
  open(account: string, limits: Amounts, spent: Amounts = NOTHING): void {
    const existing = this.#accounts.get(account)
    if (existing) {
      existing.limits = limits
      existing.closing = false
      return
    }
    this.#accounts.set(account, {
      name: account,
      limits,
      settled: copyOf(spent),
      held: copyOf(NOTHING),
      liveHolds: 0,
      closing: false,
    })
  }

  /**
   * Promises the amounts on all accounts, or on none. An account that is not open (any more) grants
   * nothing, and one named twice is charged once. Throws on what only a bug can ask for: an id that is
   * live, amounts that are not whole and non-negative.
   */
  hold(id: HoldId, accounts: readonly string[], amounts: Amounts): HoldResult {
    if (this.#holds.has(id)) throw new Error(`hold ${id} is already live`)
    if (!isWhole(amounts)) throw new Error(`hold ${id}: amounts must be whole and not negative`)
    const found: Account[] = []
    for (const name of accounts) {
      const account = this.#accounts.get(name)
      if (account === undefined || account.closing) return notOpen(name, amounts)
      if (found.includes(account)) continue
      const limit = firstShort(account, amounts)
      if (limit !== null) return refused(account, limit, amounts)
      found.push(account)
    }
    for (const account of found) {
      add(account.held, amounts, 1)
      account.liveHolds += 1
    }
    this.#holds.set(id, { accounts: found, amounts })
    return GRANTED
  }

  /**
   * Sizes a promise by what is left and makes it, in one step: nobody can come between. `fit` sees the least
   * that any of the accounts has left; the object is reused, so it must not be kept.
   */
  holdFitting<F extends Fit>(
    id: HoldId,
    accounts: readonly string[],
    fit: (left: Amounts) => F,
  ): FittedHold<F> {
    const left = this.#leftOf(accounts)
    const fitted = fit(left)
    if (fitted.kind === 'short') {
      return {
        kind: 'short',
        limit: fitted.limit,
        shortBy: fitted.shortBy,
        account: this.#tightest(accounts, fitted.limit),
      }
    }
    const held = this.hold(id, accounts, fitted.amounts)
    if (held.kind === 'granted') return { kind: 'held', fit: fitted as Extract<F, { readonly kind: 'fits' }> }
    return { kind: 'short', limit: held.limit, shortBy: held.shortBy, account: held.account }
  }

  #leftOf(accounts: readonly string[]): Amounts {
    const left = this.#left
    setNoLimits(left)
    for (const name of accounts) {
      const account = this.#accounts.get(name)
      if (account !== undefined) lower(left, account)
    }
    return left
  }

  #tightest(accounts: readonly string[], limit: LimitName): string {
    let tightest = accounts[0] ?? ''
    let least = Infinity
    if (limit === 'latencyMs') return tightest
    for (const name of accounts) {
      const account = this.#accounts.get(name)
      const left = account === undefined ? Infinity : leftOf(account, limit)
      if (left < least) {
        least = left
        tightest = name
      }
    }
    return tightest
  }

  /**
   * Replaces the hold by what was really used, also where that is more than was held: the money is gone, so
   * the books say so. Unknown or settled ids change nothing. An amount that is no amount counts as what was
   * held.
   */
  settle(id: HoldId, actual: Amounts): void {
    const hold = this.#holds.take(id)
    if (hold === undefined) return
    const used = isWhole(actual) ? actual : believable(actual, hold.amounts)
    if (exceeds(used, hold.amounts)) this.#overruns += 1
    for (const account of hold.accounts) {
      add(account.held, hold.amounts, -1)
      add(account.settled, used, 1)
      account.liveHolds -= 1
      if (account.closing && account.liveHolds === 0) this.#accounts.take(account.name)
    }
  }

  /**
   * Books what was already spent elsewhere: in full, even above a limit. Accounts that are not open are
   * skipped.
   */
  charge(accounts: readonly string[], amounts: Amounts): void {
    const used = believable(amounts, NOTHING)
    for (const name of new Set(accounts)) {
      const account = this.#accounts.get(name)
      if (account !== undefined) add(account.settled, used, 1)
    }
  }

  /** A snapshot, or null for an account that is not open. */
  read(account: string): AccountState | null {
    const found = this.#accounts.get(account)
    if (found === undefined) return null
    return { limits: found.limits, settled: copyOf(found.settled), held: copyOf(found.held) }
  }

  /** From now on nothing is granted; the account is forgotten once its last hold is settled. */
  close(account: string): void {
    const found = this.#accounts.get(account)
    if (found === undefined) return
    if (found.liveHolds === 0) this.#accounts.take(account)
    else found.closing = true
  }

  /** Everything held now, summed over accounts: zero when no call is under way. */
  heldTotal(): Amounts {
    const total: MutableAmounts = { ...NOTHING }
    for (const account of this.#accounts.values()) add(total, account.held, 1)
    return total
  }

  /** The accounts a live hold draws on; none for an unknown or settled id. */
  accountsHolding(id: HoldId): readonly string[] {
    return this.#holds.get(id)?.accounts.map((account) => account.name) ?? []
  }
}

function copyOf(amounts: Amounts): MutableAmounts {
  const { modelCalls, inputTokens, outputTokens, toolCalls, toolMs, nanoUsd } = amounts
  return { modelCalls, inputTokens, outputTokens, toolCalls, toolMs, nanoUsd }
}

/** The first resource that does not fit, in the order of RESOURCES: the same refusal for the same state. */
function firstShort({ limits, settled, held }: Account, amounts: Amounts): Resource | null {
  if (settled.modelCalls + held.modelCalls + amounts.modelCalls > limits.modelCalls) return 'modelCalls'
  if (settled.inputTokens + held.inputTokens + amounts.inputTokens > limits.inputTokens) return 'inputTokens'
  if (settled.outputTokens + held.outputTokens + amounts.outputTokens > limits.outputTokens)
    return 'outputTokens'
  if (settled.toolCalls + held.toolCalls + amounts.toolCalls > limits.toolCalls) return 'toolCalls'
  if (settled.toolMs + held.toolMs + amounts.toolMs > limits.toolMs) return 'toolMs'
  if (settled.nanoUsd + held.nanoUsd + amounts.nanoUsd > limits.nanoUsd) return 'nanoUsd'
  return null
}

function setNoLimits(left: MutableAmounts): void {
  left.modelCalls = Infinity
  left.inputTokens = Infinity
  left.outputTokens = Infinity
  left.toolCalls = Infinity
  left.toolMs = Infinity
  left.nanoUsd = Infinity
}

function refused(account: Account, limit: Resource, amounts: Amounts): HoldResult {
  const wanted = account.settled[limit] + account.held[limit] + amounts[limit]
  return { kind: 'refused', account: account.name, limit, shortBy: wanted - account.limits[limit] }
}

function notOpen(account: string, amounts: Amounts): HoldResult {
  const limit = RESOURCES.find((resource) => amounts[resource] > 0) ?? 'modelCalls'
  return { kind: 'refused', account, limit, shortBy: amounts[limit] }
}

function add(target: MutableAmounts, amounts: Amounts, sign: 1 | -1): void {
  target.modelCalls += sign * amounts.modelCalls
  target.inputTokens += sign * amounts.inputTokens
  target.outputTokens += sign * amounts.outputTokens
  target.toolCalls += sign * amounts.toolCalls
  target.toolMs += sign * amounts.toolMs
  target.nanoUsd += sign * amounts.nanoUsd
}

function exceeds(used: Amounts, held: Amounts): boolean {
  return (
    used.modelCalls > held.modelCalls ||
    used.inputTokens > held.inputTokens ||
    used.outputTokens > held.outputTokens ||
    used.toolCalls > held.toolCalls ||
    used.toolMs > held.toolMs ||
    used.nanoUsd > held.nanoUsd
  )
}

function isWhole(amounts: Amounts): boolean {
  return (
    isCount(amounts.modelCalls) &&
    isCount(amounts.inputTokens) &&
    isCount(amounts.outputTokens) &&
    isCount(amounts.toolCalls) &&
    isCount(amounts.toolMs) &&
    isCount(amounts.nanoUsd)
  )
}

function isCount(value: number): boolean {
  return value >= 0 && Number.isSafeInteger(value)
}

/** Settling may not fail, or the hold would never be released: a broken amount costs what was promised. */
function believable(actual: Amounts, held: Amounts): Amounts {
  const used: MutableAmounts = { ...held }
  for (const resource of RESOURCES) if (isCount(actual[resource])) used[resource] = actual[resource]
  return used
}
