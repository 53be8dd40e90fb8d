// From raw sums to the whiteboard's numbers. Cost per success is a ratio of two sums over the same tasks, so
// its interval comes from how cost and success vary together (Fieller's theorem), not from an average of
// ratios.

import { usdFromNano } from '../money/nano.js'
import type { ReportGroup } from './report.js'

/** USD per successful task with its 95 % interval. A bound is null where the data do not bound it. */
export interface CostPerSuccess {
  readonly value: number
  readonly low: number | null
  readonly high: number | null
}

/** What is shown of one group. Money in USD, shares 0..1; null means unknown, never zero. */
export interface GroupSummary {
  readonly group: string
  readonly tasks: number
  readonly ended: number
  readonly successes: number
  readonly harms: number
  readonly successRate: number | null
  readonly costUsd: number
  /** null: no success in the window, so there is spend but no cost per success. */
  readonly costPerSuccessUsd: CostPerSuccess | null
  readonly priceUsd: number | null
  /** Price minus everything spent, failed tasks included. null: no price is set. */
  readonly marginUsd: number | null
  readonly latencyMs: ReportGroup['latencyMs']
  /** Share of the tasks with a latency target that met it. */
  readonly sloMet: number | null
  readonly degradedShare: number | null
  readonly escalatedShare: number | null
  readonly cacheHitShare: number | null
  /** Of the model calls, like the unpriced share. */
  readonly premiumShare: number | null
  readonly unpricedShare: number | null
  readonly attempts: number
  readonly modelCalls: number
  readonly inputTokens: number
  readonly outputTokens: number
  /** Of the input tokens, those read from providers' caches. */
  readonly cachedInputShare: number | null
  /** Against the price without a cache, minus what writing cost more. Below 0: it cost more. */
  readonly cacheSavedUsd: number
  readonly refused: number
  readonly simulated: boolean
}

/** Two-sided 95 % of the normal distribution. */
const Z = 1.959964

export function summariseGroup(group: ReportGroup): GroupSummary {
  const ofEnded = (count: number) => share(count, group.ended)
  const ofCalls = (count: number) => share(count, group.modelCalls)
  const costUsd = usdFromNano(group.nanoUsd)
  return {
    group: group.group,
    tasks: group.tasks,
    ended: group.ended,
    successes: group.successes,
    harms: group.harms,
    successRate: ofEnded(group.successes),
    costUsd,
    costPerSuccessUsd: costPerSuccess(group),
    priceUsd: group.priceNanoUsd === null ? null : usdFromNano(group.priceNanoUsd),
    marginUsd: group.priceNanoUsd === null ? null : usdFromNano(group.priceNanoUsd - group.nanoUsd),
    latencyMs: group.latencyMs,
    sloMet: group.sloMet === null ? null : share(group.sloMet, group.sloJudged),
    degradedShare: ofEnded(group.degraded),
    escalatedShare: ofEnded(group.escalated),
    cacheHitShare: ofEnded(group.cacheHits),
    premiumShare: ofCalls(group.premiumCalls),
    unpricedShare: ofCalls(group.unpricedCalls),
    attempts: group.attempts,
    modelCalls: group.modelCalls,
    inputTokens: group.inputTokens,
    outputTokens: group.outputTokens,
    cachedInputShare: share(group.promptCache?.tokens ?? 0, group.inputTokens),
    cacheSavedUsd: usdFromNano(group.promptCache?.savedNanoUsd ?? 0),
    refused: group.refused,
    simulated: group.simulated,
  }
}

/** null: of nothing. */
export function share(count: number, total: number): number | null {
  return total > 0 ? count / total : null
}

/**
 * Tasks still running have spent but cannot have succeeded: their cost counts, they do not count as trials.
 */
function costPerSuccess(group: ReportGroup): CostPerSuccess | null {
  if (group.successes === 0) return null
  const costUsd = usdFromNano(group.nanoUsd)
  return { value: costUsd / group.successes, ...fieller(group, costUsd) }
}

function fieller(group: ReportGroup, costUsd: number): Pick<CostPerSuccess, 'low' | 'high'> {
  const n = group.ended
  if (n < 2) return { low: null, high: null }
  const cost = costUsd / n
  const rate = group.successes / n
  // Variances of the two means and their covariance; rounding may push a true zero below zero.
  const costVar = Math.max(0, group.costSquaredUsd / n - cost * cost) / (n - 1)
  const rateVar = (rate * (1 - rate)) / (n - 1)
  const covariance = (group.costOfSuccessesUsd / n - cost * rate) / (n - 1)
  const a = rate * rate - Z * Z * rateVar
  const b = cost * rate - Z * Z * covariance
  const c = cost * cost - Z * Z * costVar
  // The success rate itself could be zero as far as these tasks tell: any cost per success is possible.
  if (a <= 0) return { low: null, high: null }
  const root = Math.sqrt(Math.max(0, b * b - a * c))
  return { low: Math.max(0, (b - root) / a), high: (b + root) / a }
}
