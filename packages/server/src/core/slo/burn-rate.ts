// How fast a contract uses up what its objectives allow. A burn rate of 1 uses the whole error budget in the
// period, 14.4 uses 2 % of a 30-day budget in one hour. Windows and rates are those of Google's SRE workbook,
// "Alerting on SLOs", multiwindow and multi-burn-rate.

import type { SloCounts, SloSums } from './slo-counts.js'

export const OBJECTIVES = ['success_rate', 'p95_latency_ms'] as const
export type Objective = (typeof OBJECTIVES)[number]

/** As a contract states them; null: none. */
export interface Slo {
  readonly p95LatencyMs: number | null
  /** 0..1. */
  readonly successRate: number | null
}

const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS
const DAY_MS = 24 * HOUR_MS

/** What the error budget is for. */
export const PERIOD_MS = 30 * DAY_MS

export interface BurnAlert {
  readonly name: 'fast' | 'slow' | 'steady'
  readonly severity: 'page' | 'ticket'
  /** Alerts while both windows burn at least this fast: the short one says that it goes on. */
  readonly rate: number
  readonly longMs: number
  readonly shortMs: number
}

export const BURN_ALERTS = [
  { name: 'fast', severity: 'page', rate: 14.4, longMs: HOUR_MS, shortMs: 5 * MINUTE_MS },
  { name: 'slow', severity: 'page', rate: 6, longMs: 6 * HOUR_MS, shortMs: 30 * MINUTE_MS },
  { name: 'steady', severity: 'ticket', rate: 1, longMs: 3 * DAY_MS, shortMs: 6 * HOUR_MS },
] as const satisfies readonly BurnAlert[]

/** With less traffic one unlucky task would be an incident: bad tasks that the long window must have. */
const BAD_MIN = 3

/** An objective of 100 % allows nothing; any bad task burns this fast. */
const RATE_MAX = 1_000_000

/** Share of tasks that may be bad. `p95`: one in twenty may take longer. */
export function allowedShare(slo: Slo, objective: Objective): number | null {
  if (objective === 'p95_latency_ms') return slo.p95LatencyMs === null ? null : 0.05
  return slo.successRate === null ? null : 1 - slo.successRate
}

/** An objective that can burn at most so fast alerts a little below it: else 80 % could never page. */
export function alertRate(alert: BurnAlert, allowed: number): number {
  return allowed <= 0 ? alert.rate : Math.min(alert.rate, 0.9 / allowed)
}

export interface Burn {
  readonly alert: BurnAlert
  readonly longRate: number
  readonly shortRate: number
  /** The rate from which it alerts. */
  readonly from: number
  readonly isBurning: boolean
}

export interface ObjectiveState {
  readonly objective: Objective
  readonly burns: readonly Burn[]
  /** Of the period's error budget, 0..1; below 0 more was used than there was. null: no task has ended. */
  readonly budgetLeft: number | null
  readonly period: SloSums
}

/** null: the contract does not have this objective. */
export function stateOf(
  counts: SloCounts,
  ask: { readonly slo: Slo; readonly objective: Objective; readonly nowMs: number },
): ObjectiveState | null {
  const { slo, objective, nowMs } = ask
  const allowed = allowedShare(slo, objective)
  if (allowed === null) return null
  const burns = BURN_ALERTS.map((alert): Burn => {
    const long = counts.sums(alert.longMs, nowMs)
    const longRate = burnRate(long, objective, allowed)
    const shortRate = burnRate(counts.sums(alert.shortMs, nowMs), objective, allowed)
    const from = alertRate(alert, allowed)
    const isMany = badOf(long, objective) >= BAD_MIN
    return { alert, longRate, shortRate, from, isBurning: isMany && longRate >= from && shortRate >= from }
  })
  const period = counts.sums(PERIOD_MS, nowMs)
  const budgetLeft = period.total === 0 ? null : 1 - burnRate(period, objective, allowed)
  return { objective, burns, budgetLeft, period }
}

function burnRate(sums: SloSums, objective: Objective, allowed: number): number {
  const bad = badOf(sums, objective)
  if (sums.total === 0 || bad === 0) return 0
  return allowed <= 0 ? RATE_MAX : Math.min(RATE_MAX, bad / sums.total / allowed)
}

function badOf(sums: SloSums, objective: Objective): number {
  return objective === 'success_rate' ? sums.failed : sums.slow
}
