// The accounts above a task: tenant, product and premium money, per UTC day and month. They exist only where
// a limit is configured, so that nobody pays for a ceiling they do not have.

import { type Amounts, NO_LIMITS } from '../core/budget/amounts.js'
import type { CeilingLimits, Contract, Tier } from '../core/release/release.js'
import type { Ledger } from './ports.js'
import type { Task } from './task-registry.js'

const DAY_MS = 86_400_000

/** Prefixes under which the books keep totals, so that ceilings survive a restart. */
export const CEILING_PREFIXES = ['tenant:', 'product:', 'premium:'] as const

export class Ceilings {
  readonly #ledger: Ledger
  readonly #restored: ReadonlyMap<string, Amounts>
  readonly #opened = new Map<string, number>()
  #day = { number: -1, day: '', month: '' }

  constructor(ledger: Ledger, restored: ReadonlyMap<string, Amounts>) {
    this.#ledger = ledger
    this.#restored = restored
  }

  /** Account names a hold of this task is charged to besides its own, made when first needed. */
  accountsFor(task: Task, tier: Tier | null, nowMs: number): readonly string[] {
    const { limits } = task.tenant
    const premium = task.contract.route.premium.maxNanoUsdPerDay
    if (!hasMoney(limits) && !hasMoney(task.release.product) && premium === null) return NONE
    this.#turnDay(nowMs)
    const names: string[] = []
    this.#add(names, `tenant:${task.tenant.name}`, task.tenant.limits)
    this.#add(names, 'product:all', task.release.product)
    if (tier === 'premium' && premium !== null)
      this.#open(names, premiumAccount(task.contract, this.#day.day), premium)
    return names
  }

  /**
   * Settled and held for premium calls of this contract today, nano-USD; 0 where there is no such ceiling.
   */
  premiumSpent(task: Task, nowMs: number): number {
    if (task.contract.route.premium.maxNanoUsdPerDay === null) return 0
    this.#turnDay(nowMs)
    const state = this.#ledger.read(premiumAccount(task.contract, this.#day.day))
    return state === null ? 0 : state.settled.nanoUsd + state.held.nanoUsd
  }

  #add(names: string[], prefix: string, limits: CeilingLimits): void {
    if (limits.nanoUsdPerDay !== null)
      this.#open(names, `${prefix}:day:${this.#day.day}`, limits.nanoUsdPerDay)
    if (limits.nanoUsdPerMonth !== null) {
      this.#open(names, `${prefix}:month:${this.#day.month}`, limits.nanoUsdPerMonth)
    }
  }

  #open(names: string[], account: string, nanoUsd: number): void {
    names.push(account)
    if (this.#opened.get(account) === nanoUsd) return
    this.#opened.set(account, nanoUsd)
    this.#ledger.open(account, { ...NO_LIMITS, nanoUsd }, this.#restored.get(account))
  }

  #turnDay(nowMs: number): void {
    const number = Math.floor(nowMs / DAY_MS)
    if (number === this.#day.number) return
    const day = new Date(nowMs).toISOString().slice(0, 10)
    this.#day = { number, day, month: day.slice(0, 7) }
    this.#opened.clear()
  }
}

const NONE: readonly string[] = []

function hasMoney(limits: CeilingLimits): boolean {
  return limits.nanoUsdPerDay !== null || limits.nanoUsdPerMonth !== null
}

function premiumAccount(contract: Contract, day: string): string {
  return `premium:${contract.name}:day:${day}`
}

export function ceilingOf(account: string): 'premium' | 'other' | null {
  if (account.startsWith('premium:')) return 'premium'
  return CEILING_PREFIXES.some((prefix) => account.startsWith(prefix)) ? 'other' : null
}
