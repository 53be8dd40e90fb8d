// Capacity that is paid by the hour, whether it works or not. The hours a deployment was configured are split
// into those in which it worked, whose cost is shared out over the work, and idle ones, which are nobody's.

import type { Hosting } from '../release/release.js'
import type { ServedDeployment } from '../release/served-deployment.js'
import { shareOut } from './share-out.js'

const HOUR_MS = 3_600_000

/** A release served from then on, until the next one did. */
export interface Serving {
  readonly fromMs: number
  readonly deployments: readonly ServedDeployment[]
}

export interface Span {
  readonly sinceMs: number
  readonly untilMs: number
}

/** One attempt at an owned deployment. */
export interface OwnedUse {
  readonly deployment: string
  readonly startedMs: number
  readonly durationMs: number
  readonly outputTokens: number
  /** The group of the report that it belongs to. null: to none, as the work of other tenants. */
  readonly group: string | null
}

/** What one deployment cost by the hour, and who had it work. Its work and its idle cost add up to it. */
export interface OwnedCost {
  readonly deployment: string
  readonly provider: string
  readonly hosting: Hosting
  readonly ownedMs: number
  readonly busyMs: number
  readonly ownedNanoUsd: number
  readonly workNanoUsd: number
  readonly idleNanoUsd: number
  /** The groups' parts of the work's cost. What is missing is of uses that belong to none. */
  readonly shares: readonly { readonly group: string; readonly nanoUsd: number }[]
}

interface Period {
  readonly fromMs: number
  readonly untilMs: number
  readonly nanoUsdPerHour: number
  readonly concurrency: number | null
  /** With a concurrency: the sum of all durations. Without: the time at least one call ran. */
  busyMs: number
  busyUntilMs: number
}

interface Weight {
  tokens: number
  ms: number
}

interface Owned {
  readonly of: ServedDeployment
  readonly periods: Period[]
  readonly weights: Map<string | null, Weight>
}

/** `servings` in order of time; `uses` in order of their start. What lies outside the window is cut off. */
export function ownedCosts(
  servings: readonly Serving[],
  uses: Iterable<OwnedUse>,
  window: Span,
): readonly OwnedCost[] {
  const owned = ownedIn(servings, window)
  const byDeployment = new Map<string, Owned[]>()
  for (const each of owned) listIn(byDeployment, each.of.deployment).push(each)
  for (const use of uses) for (const each of byDeployment.get(use.deployment) ?? []) work(each, use)
  return owned.map(costOfOwned)
}

/** Deployments that are owned somewhere in the window. Differently hosted, the same one counts as two. */
function ownedIn(servings: readonly Serving[], window: Span): readonly Owned[] {
  const owned = new Map<string, Owned>()
  servings.forEach(({ fromMs, deployments }, i) => {
    const from = Math.max(fromMs, window.sinceMs)
    const until = Math.min(servings[i + 1]?.fromMs ?? Infinity, window.untilMs)
    if (until <= from) return
    for (const of of deployments) {
      if (of.nanoUsdPerHour === null) continue
      const key = JSON.stringify([of.deployment, of.hosting])
      const known: Owned = owned.get(key) ?? { of, periods: [], weights: new Map() }
      owned.set(key, known)
      const { nanoUsdPerHour, concurrency } = of
      const period = { fromMs: from, untilMs: until, nanoUsdPerHour, concurrency }
      known.periods.push({ ...period, busyMs: 0, busyUntilMs: 0 })
    }
  })
  return [...owned.values()]
}

function listIn<T>(lists: Map<string, T[]>, key: string): T[] {
  const list = lists.get(key) ?? []
  lists.set(key, list)
  return list
}

function work({ periods, weights }: Owned, use: OwnedUse): void {
  const endMs = use.startedMs + use.durationMs
  for (const period of periods) {
    const fromMs = Math.max(use.startedMs, period.fromMs)
    const untilMs = Math.min(endMs, period.untilMs)
    if (untilMs > fromMs) occupy(period, fromMs, untilMs)
    if (use.startedMs < period.fromMs || use.startedMs >= period.untilMs) continue
    const weight = weights.get(use.group) ?? { tokens: 0, ms: 0 }
    weights.set(use.group, weight)
    weight.tokens += use.outputTokens
    weight.ms += use.durationMs
  }
}

function occupy(period: Period, fromMs: number, untilMs: number): void {
  const since = period.concurrency === null ? Math.max(fromMs, period.busyUntilMs) : fromMs
  period.busyMs += Math.max(0, untilMs - since)
  period.busyUntilMs = Math.max(period.busyUntilMs, untilMs)
}

function costOfOwned({ of, periods, weights }: Owned): OwnedCost {
  const sums = { ownedMs: 0, busyMs: 0, ownedNanoUsd: 0, workNanoUsd: 0 }
  for (const { fromMs, untilMs, nanoUsdPerHour, concurrency, busyMs } of periods) {
    const ownedMs = untilMs - fromMs
    const busy = Math.min(ownedMs, busyMs / (concurrency ?? 1))
    const ownedNanoUsd = Math.round(nanoUsdPerHour * (ownedMs / HOUR_MS))
    sums.ownedMs += ownedMs
    sums.busyMs += busy
    sums.ownedNanoUsd += ownedNanoUsd
    sums.workNanoUsd += Math.round(ownedNanoUsd * (busy / ownedMs))
  }
  const { deployment, provider, hosting } = of
  const idleNanoUsd = sums.ownedNanoUsd - sums.workNanoUsd
  return { deployment, provider, hosting, ...sums, idleNanoUsd, shares: shares(sums.workNanoUsd, weights) }
}

/** By output tokens; where no use made any, as with embeddings, by time. */
function shares(workNanoUsd: number, weights: Owned['weights']): OwnedCost['shares'] {
  const all = [...weights]
  const hasTokens = all.some(([, { tokens }]) => tokens > 0)
  const parts = shareOut(
    workNanoUsd,
    all.map(([, { tokens, ms }]) => (hasTokens ? tokens : ms)),
  )
  return all.flatMap(([group], i) => (group === null ? [] : [{ group, nanoUsd: parts[i] ?? 0 }]))
}
