// The accounts above a task: tenant, product and premium money, per UTC day and month. They exist only where a
// limit is configured, so that nobody pays for a ceiling they do not have.

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
  readonly #opened = new Set<string>()
  #day = { number: -1, day: '', month: '' }

  constructor(ledger: Ledger, restored: ReadonlyMap<string, Amounts>) {
    this.#ledger = ledger
    this.#restored = restored
  }

  /** Account names a hold of this task is charged to besides its own, made when first needed. */
  async accountsFor(task: Task, tier: Tier | null, nowMs: number): Promise<readonly string[]> {
    this.#turnDay(nowMs)
    const names: string[] = []
    await this.#add(names, `tenant:${task.tenant.name}`, task.tenant.limits)
    await this.#add(names, 'product:all', task.release.product)
    const premium = task.contract.route.premium.maxNanoUsdPerDay
    if (tier === 'premium' && premium !== null) await this.#open(names, premiumAccount(task.contract, this.#day.day), premium)
    return names
  }

  /** Settled and held for premium calls of this contract today, nano-USD; 0 where there is no such ceiling. */
  async premiumSpent(task: Task, nowMs: number): Promise<number> {
    if (task.contract.route.premium.maxNanoUsdPerDay === null) return 0
    this.#turnDay(nowMs)
    const state = await this.#ledger.read(premiumAccount(task.contract, this.#day.day))
    return state === null ? 0 : state.settled.nanoUsd + state.held.nanoUsd
  }

  async #add(names: string[], prefix: string, limits: CeilingLimits): Promise<void> {
    if (limits.nanoUsdPerDay !== null) await this.#open(names, `${prefix}:day:${this.#day.day}`, limits.nanoUsdPerDay)
    if (limits.nanoUsdPerMonth !== null) {
      await this.#open(names, `${prefix}:month:${this.#day.month}`, limits.nanoUsdPerMonth)
    }
  }

  async #open(names: string[], account: string, nanoUsd: number): Promise<void> {
    names.push(account)
    const key = `${account}=${nanoUsd}`
    if (this.#opened.has(key)) return
    this.#opened.add(key)
    await this.#ledger.open(account, { ...NO_LIMITS, nanoUsd }, this.#restored.get(account))
  }

  #turnDay(nowMs: number): void {
    const number = Math.floor(nowMs / DAY_MS)
    if (number === this.#day.number) return
    const day = new Date(nowMs).toISOString().slice(0, 10)
    this.#day = { number, day, month: day.slice(0, 7) }
    this.#opened.clear()
  }
}

function premiumAccount(contract: Contract, day: string): string {
  return `premium:${contract.name}:day:${day}`
}

export function isCeiling(account: string): boolean {
  return CEILING_PREFIXES.some((prefix) => account.startsWith(prefix))
}
