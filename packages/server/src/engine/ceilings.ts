// The accounts above a task: tenant, product and premium money, per UTC day and month. They exist only where
// a limit is configured, so that nobody pays for a ceiling they do not have.

import { type Amounts, NO_LIMITS } from '../core/budget/amounts.js'
import type { CeilingLimits, Contract, Tenant, Tier } from '../core/release/release.js'
import type { Ledger, System } from './ports.js'
import type { Task } from './task-registry.js'

const DAY_MS = 86_400_000

/** Prefixes under which the books keep totals, so that ceilings survive a restart. */
export const CEILING_PREFIXES = ['tenant:', 'product:', 'premium:'] as const

export class Ceilings {
  readonly #ledger: Ledger
  readonly #restored: ReadonlyMap<string, Amounts>
  readonly #opened = new Map<string, number>()
  #shared = new WeakMap<Tenant, { readonly product: CeilingLimits; readonly names: readonly string[] }>()
  #day = { number: -1, day: '', month: '' }

  constructor(ledger: Ledger, restored: ReadonlyMap<string, Amounts>) {
    this.#ledger = ledger
    this.#restored = restored
  }

  /** Account names a hold of this task is charged to besides its own, made when first needed. */
  accountsFor({ tenant, contract, release }: Task, tier: Tier | null, nowMs: number): readonly string[] {
    const premium = tier === 'premium' ? contract.route.premium.maxNanoUsdPerDay : null
    const hasShared = hasMoney(tenant.limits) || hasMoney(release.product)
    if (!hasShared && premium === null) return NONE
    this.#turnDay(nowMs)
    const shared = hasShared ? this.#sharedBy(tenant, release.product) : NONE
    if (premium === null) return shared
    const account = premiumAccount(contract, this.#day.day)
    this.#open(account, premium)
    return [...shared, account]
  }

  /** Of all tasks of a tenant: today's accounts of its own and of the product. */
  #sharedBy(tenant: Tenant, product: CeilingLimits): readonly string[] {
    const known = this.#shared.get(tenant)
    if (known?.product === product) return known.names
    const own = this.#openAll(`tenant:${tenant.name}`, tenant.limits)
    const names = [...own, ...this.#openAll('product:all', product)]
    this.#shared.set(tenant, { product, names })
    return names
  }

  /**
   * Settled and held for premium calls of this contract today, nano-USD; 0 where there is no such ceiling.
   */
  premiumSpent(task: Task, clock: Pick<System, 'nowMs'>): number {
    if (task.contract.route.premium.maxNanoUsdPerDay === null) return 0
    this.#turnDay(clock.nowMs())
    const state = this.#ledger.read(premiumAccount(task.contract, this.#day.day))
    return state === null ? 0 : state.settled.nanoUsd + state.held.nanoUsd
  }

  #openAll(prefix: string, { nanoUsdPerDay, nanoUsdPerMonth }: CeilingLimits): readonly string[] {
    const { day, month } = this.#day
    const names: string[] = []
    if (nanoUsdPerDay !== null) names.push(this.#open(`${prefix}:day:${day}`, nanoUsdPerDay))
    if (nanoUsdPerMonth !== null) names.push(this.#open(`${prefix}:month:${month}`, nanoUsdPerMonth))
    return names
  }

  #open(account: string, nanoUsd: number): string {
    if (this.#opened.get(account) === nanoUsd) return account
    this.#opened.set(account, nanoUsd)
    this.#ledger.open(account, { ...NO_LIMITS, nanoUsd }, this.#restored.get(account))
    return account
  }

  #turnDay(nowMs: number): void {
    const number = Math.floor(nowMs / DAY_MS)
    if (number === this.#day.number) return
    const day = new Date(nowMs).toISOString().slice(0, 10)
    this.#day = { number, day, month: day.slice(0, 7) }
    this.#opened.clear()
    this.#shared = new WeakMap()
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
