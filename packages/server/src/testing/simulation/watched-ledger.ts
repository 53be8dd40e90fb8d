// The ledger with an accountant beside it, who keeps books of their own and compares after every entry:
// nothing above a limit, nothing settled twice, nothing forgotten.

import { type Amounts, NOTHING, RESOURCES } from '../../core/budget/amounts.js'
import { type Fit, type FittedHold, MemoryLedger } from '../../core/budget/memory-ledger.js'
import type { AccountState } from '../../core/budget/remaining.js'
import type { HoldId } from '../../core/ids.js'
import type { Ledger } from '../../engine/ports.js'

type Sums = { -readonly [R in keyof Amounts]: number }

interface Account {
  limits: Amounts
  readonly settled: Sums
  readonly held: Sums
  /** Used beyond what was held for it: the error of estimate of the calls themselves. */
  readonly over: Sums
}

export interface OpenHold {
  readonly accounts: readonly string[]
  readonly amounts: Amounts
}

export interface Accountant {
  fail(problem: string): void
  /** Lets a promise or settlement take its time; null: it is made at once. */
  wait(): Promise<void> | null
  onSettle(id: HoldId, actual: Amounts): void
}

/** Nothing may ever be used beyond what was held of these. */
const NEVER_OVER = ['modelCalls', 'toolCalls', 'toolMs'] as const

export class WatchedLedger implements Ledger {
  readonly inner = new MemoryLedger()
  readonly #accounts = new Map<string, Account>()
  readonly #open = new Map<HoldId, OpenHold>()
  readonly #accountant: Accountant

  constructor(accountant: Accountant) {
    this.#accountant = accountant
  }

  /** Promised and not settled, by id. */
  get openHolds(): ReadonlyMap<HoldId, OpenHold> {
    return this.#open
  }

  /** As the accountant has it, also of accounts that are closed. */
  settledOf(account: string): Amounts | null {
    return this.#accounts.get(account)?.settled ?? null
  }

  limitsOf(account: string): Amounts | null {
    return this.#accounts.get(account)?.limits ?? null
  }

  get accountNames(): readonly string[] {
    return [...this.#accounts.keys()]
  }

  open(account: string, limits: Amounts, spent: Amounts = NOTHING): void {
    const known = this.#accounts.get(account)
    if (known !== undefined) {
      known.limits = limits
      allowWhatWas(known)
    } else
      this.#accounts.set(account, {
        limits,
        settled: { ...spent },
        held: { ...NOTHING },
        over: { ...NOTHING },
      })
    this.inner.open(account, limits, spent)
  }

  holdFitting<F extends Fit>(
    id: HoldId,
    accounts: readonly string[],
    fit: (left: Amounts) => F,
  ): FittedHold<F> | Promise<FittedHold<F>> {
    const waiting = this.#accountant.wait()
    if (waiting === null) return this.#hold(id, accounts, fit)
    return waiting
      .then(() => this.#hold(id, accounts, fit))
      .then((held) => this.#accountant.wait()?.then(() => held) ?? held)
  }

  #hold<F extends Fit>(id: HoldId, accounts: readonly string[], fit: (left: Amounts) => F): FittedHold<F> {
    const held = this.inner.holdFitting(id, accounts, fit)
    if (held.kind !== 'held') return held
    const { amounts } = held.fit
    if (this.#open.has(id)) this.#accountant.fail(`${id} was promised twice`)
    const names = [...new Set(accounts)]
    this.#open.set(id, { accounts: names, amounts })
    for (const name of names) this.#move(name, amounts, 1)
    for (const name of names) this.#check(name)
    return held
  }

  settle(id: HoldId, actual: Amounts): void | Promise<void> {
    const waiting = this.#accountant.wait()
    if (waiting === null) return this.#settle(id, actual)
    return waiting.then(() => this.#settle(id, actual))
  }

  #settle(id: HoldId, actual: Amounts): void {
    const hold = this.#open.get(id)
    this.inner.settle(id, actual)
    if (hold === undefined) return this.#accountant.fail(`${id} was settled, and is not open`)
    this.#open.delete(id)
    this.#accountant.onSettle(id, actual)
    this.#checkUse(id, hold, actual)
    for (const name of hold.accounts) {
      this.#move(name, hold.amounts, -1)
      this.#use(name, actual, hold.amounts)
      this.#check(name)
    }
  }

  #checkUse(id: HoldId, { accounts, amounts }: OpenHold, actual: Amounts): void {
    // Where nothing limits it, a provider is not told how long its answer may be.
    const isLimited = accounts.some((name) => {
      const limits = this.#accounts.get(name)?.limits ?? NOTHING
      return limits.outputTokens !== Infinity || limits.nanoUsd !== Infinity
    })
    const bounded = isLimited ? ([...NEVER_OVER, 'outputTokens'] as const) : NEVER_OVER
    for (const resource of bounded)
      if (actual[resource] > amounts[resource])
        this.#accountant.fail(`${id} used ${actual[resource]} ${resource}, held ${amounts[resource]}`)
  }

  #move(name: string, amounts: Amounts, sign: 1 | -1): void {
    const account = this.#accounts.get(name)
    if (account === undefined) return this.#accountant.fail(`the account ${name} was never opened`)
    for (const resource of RESOURCES) account.held[resource] += sign * amounts[resource]
  }

  #use(name: string, actual: Amounts, held: Amounts): void {
    const account = this.#accounts.get(name)
    if (account === undefined) return
    for (const resource of RESOURCES) {
      account.settled[resource] += actual[resource]
      account.over[resource] += Math.max(0, actual[resource] - held[resource])
    }
  }

  #check(name: string): void {
    const account = this.#accounts.get(name)
    const said = this.inner.read(name)
    if (account === undefined) return
    for (const resource of RESOURCES) {
      const { settled, held, over, limits } = account
      const sum = settled[resource] + held[resource]
      if (sum > limits[resource] + over[resource])
        this.#accountant.fail(`${name}: ${resource} ${sum} of ${limits[resource]} (over ${over[resource]})`)
      if (held[resource] < 0) this.#accountant.fail(`${name}: ${held[resource]} ${resource} are held`)
      if (
        said !== null &&
        (said.settled[resource] !== settled[resource] || said.held[resource] !== held[resource])
      )
        this.#accountant.fail(
          `${name}: the ledger says ${said.settled[resource]} + ${said.held[resource]} ${resource}, not ${settled[resource]} + ${held[resource]}`,
        )
    }
  }

  charge(accounts: readonly string[], amounts: Amounts): void | Promise<void> {
    const waiting = this.#accountant.wait()
    if (waiting === null) return this.#charge(accounts, amounts)
    return waiting.then(() => this.#charge(accounts, amounts))
  }

  /** It has happened, whatever the limit. */
  #charge(accounts: readonly string[], amounts: Amounts): void {
    this.inner.charge(accounts, amounts)
    for (const name of new Set(accounts)) {
      this.#use(name, amounts, amounts)
      const account = this.#accounts.get(name)
      if (account !== undefined) allowWhatWas(account)
      this.#check(name)
    }
  }

  read(account: string): AccountState | null {
    return this.inner.read(account)
  }

  close(account: string): void {
    this.inner.close(account)
  }
}

/** A reload may lower a limit below what is used or promised already: then nothing more is granted. */
function allowWhatWas({ settled, held, over, limits }: Account): void {
  for (const resource of RESOURCES)
    over[resource] = Math.max(over[resource], settled[resource] + held[resource] - limits[resource])
}
