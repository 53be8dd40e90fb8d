// The whiteboard's sums, made where the rows are.

import type Database from 'better-sqlite3'
import {
  NO_TASKS,
  type ReportFilter,
  type ReportGroup,
  type TaskGrouping,
  isPlaceGrouping,
} from '../../core/task/report.js'
import { HOUR_MS } from './batch.js'
import { firstNumberSince } from './hours.js'
import { GROUP_BY, NANO_PER_USD, bitOf, only } from './report-sql.js'
import { promptCacheSums } from './sqlite-prompt-cache.js'
import { reportByPlace } from './sqlite-report-by-place.js'
import {
  CACHE_HIT,
  DEGRADED,
  ESCALATED,
  HARM,
  SIMULATED,
  SLO_JUDGED,
  SLO_MET,
  SUCCESS,
} from './task-codes.js'

/** Refused calls had no step, so no model and no release of their own. */
const REFUSED_BY: Readonly<Partial<Record<ReportFilter['by'], string>>> = {
  contract: "iif(contract = '', 'none', contract)",
  tenant: "iif(tenant = '', 'none', tenant)",
  none: "'all'",
}

const SUMS = `count(*) AS tasks,
  count(verdict) AS ended,
  ifnull(sum(${bitOf('verdict', SUCCESS)}), 0) AS successes,
  ifnull(sum(${bitOf('verdict', HARM)}), 0) AS harms,
  sum(cost_nano) AS nanoUsd,
  ifnull(sum(iif(verdict IS NULL, 0, (cost_nano / ${NANO_PER_USD}) * (cost_nano / ${NANO_PER_USD}))), 0.0)
    AS costSquaredUsd,
  ifnull(sum(iif(${bitOf('verdict', SUCCESS)}, cost_nano / ${NANO_PER_USD}, 0)), 0.0) AS costOfSuccessesUsd,
  sum(price_nano) AS priceNanoUsd,
  percentile(iif(verdict IS NULL, NULL, latency_ms), 50) AS p50,
  percentile(iif(verdict IS NULL, NULL, latency_ms), 95) AS p95,
  percentile(iif(verdict IS NULL, NULL, latency_ms), 99) AS p99,
  sum(iif(${bitOf('verdict', SLO_JUDGED)}, ${bitOf('verdict', SLO_MET)}, NULL)) AS sloMet,
  ifnull(sum(${bitOf('verdict', SLO_JUDGED)}), 0) AS sloJudged,
  sum(${bitOf('flags', DEGRADED)}) AS degraded,
  sum(${bitOf('flags', ESCALATED)}) AS escalated,
  sum(${bitOf('flags', CACHE_HIT)}) AS cacheHits,
  sum(model_calls) AS modelCalls,
  sum(unpriced) AS unpricedCalls,
  sum(attempts) AS attempts,
  sum(premium_calls) AS premiumCalls,
  sum(input_tokens) AS inputTokens,
  sum(output_tokens) AS outputTokens,
  max(${bitOf('flags', SIMULATED)}) AS simulated`

interface Sums extends Omit<ReportGroup, 'latencyMs' | 'refused' | 'simulated'> {
  readonly p50: number | null
  readonly p95: number
  readonly p99: number
  readonly simulated: 0 | 1
}

function groupFrom({ p50, p95, p99, simulated, ...sums }: Sums, refused: number): ReportGroup {
  const latencyMs = p50 === null ? null : { p50, p95, p99 }
  return { ...sums, latencyMs, refused, simulated: simulated === 1 }
}

/**
 * Tasks opened from `sinceMs` until before `untilMs`; refusals by whole hours. Groups in order of their
 * names.
 */
export function report(db: Database.Database, filter: ReportFilter): readonly ReportGroup[] {
  const { by } = filter
  const groups = isPlaceGrouping(by) ? reportByPlace(db, filter, by) : reportByTask(db, filter, by)
  const cached = promptCacheSums(db, filter)
  if (cached.size === 0) return groups
  return groups.map((group) => {
    const promptCache = cached.get(group.group)
    return promptCache === undefined ? group : { ...group, promptCache }
  })
}

function reportByTask(db: Database.Database, filter: ReportFilter, by: TaskGrouping): readonly ReportGroup[] {
  const { sql, values } = only(filter)
  const from = firstNumberSince(db, filter.sinceMs)
  const tasks = db
    .prepare(
      `SELECT ${GROUP_BY[by]} AS "group", ${SUMS} FROM tasks JOIN kinds USING (kind)
        WHERE n >= ? AND opened_ms >= ? AND opened_ms < ? ${sql} GROUP BY 1`,
    )
    .all(from, filter.sinceMs, filter.untilMs, ...values) as Sums[]
  const refused = refusals(db, filter)
  const groups = tasks.map((sums) => groupFrom(sums, refused.get(sums.group) ?? 0))
  const seen = new Set(groups.map(({ group }) => group))
  const rest = [...refused].filter(([group]) => !seen.has(group))
  const refusedOnly = rest.map(([group, count]) => ({ ...NO_TASKS, group, refused: count }))
  return [...groups, ...refusedOnly].sort((a, b) => (a.group < b.group ? -1 : 1))
}

function refusals(db: Database.Database, filter: ReportFilter): ReadonlyMap<string, number> {
  const by = REFUSED_BY[filter.by]
  if (by === undefined) return new Map()
  const { sql, values } = only(filter)
  const sinceHour = Math.floor(filter.sinceMs / HOUR_MS) * HOUR_MS
  const rows = db
    .prepare(`SELECT ${by}, sum(count) FROM refusals WHERE hour_ms >= ? AND hour_ms < ? ${sql} GROUP BY 1`)
    .raw()
    .all(sinceHour, filter.untilMs, ...values)
  return new Map(rows as [string, number][])
}
