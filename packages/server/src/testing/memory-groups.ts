// What the plain reports over a list of entries share.

import type { AttemptRecord } from '../core/task/records.js'
import type { ReportFilter, ReportGroup, TaskGrouping } from '../core/task/report.js'
import type { TaskStory } from './task-story.js'

/** Linear between the two nearest ranks, as SQLite's `percentile`. */
export function percentile(values: readonly number[], percent: number): number {
  const sorted = [...values].sort((a, b) => a - b)
  const rank = (percent / 100) * (sorted.length - 1)
  const low = sorted[Math.floor(rank)] ?? 0
  const high = sorted[Math.ceil(rank)] ?? low
  return low + (high - low) * (rank - Math.floor(rank))
}

export function percentiles(values: readonly number[]): ReportGroup['latencyMs'] {
  if (values.length === 0) return null
  return { p50: percentile(values, 50), p95: percentile(values, 95), p99: percentile(values, 99) }
}

/** To be laid into a group. */
export function promptCacheOf(
  attempts: readonly Pick<AttemptRecord, 'tokens' | 'cacheSavedNanoUsd'>[],
): Pick<ReportGroup, 'promptCache'> {
  const cached = attempts.filter(
    ({ tokens }) => tokens.cacheRead + tokens.cacheWrite + tokens.cacheWrite1h > 0,
  )
  if (cached.length === 0) return {}
  const tokens = sum(cached, (attempt) => attempt.tokens.cacheRead)
  return { promptCache: { tokens, savedNanoUsd: sum(cached, (attempt) => attempt.cacheSavedNanoUsd ?? 0) } }
}

export function sum<T>(values: readonly T[], of: (value: T) => number): number {
  return values.reduce((total, value) => total + of(value), 0)
}

export function groupName({ opened, steps }: TaskStory, by: TaskGrouping): string {
  switch (by) {
    case 'none':
      return 'all'
    case 'model':
      return steps.findLast((step) => step.model !== null)?.model ?? 'none'
    default:
      return opened[by]
  }
}

export function isWanted(filter: ReportFilter, tenant: string | null, contract: string | null): boolean {
  return (
    (filter.tenant === undefined || tenant === filter.tenant) &&
    (filter.contract === undefined || contract === filter.contract)
  )
}

export function isInWindow({ opened }: TaskStory, filter: ReportFilter): boolean {
  const { atMs, tenant, contract } = opened
  return atMs >= filter.sinceMs && atMs < filter.untilMs && isWanted(filter, tenant, contract)
}
