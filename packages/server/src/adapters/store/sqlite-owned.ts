// What owned deployments did in a window: when they were configured, and every attempt that occupied them.

import type Database from 'better-sqlite3'
import { type OwnedCost, type OwnedUse, type Serving, ownedCosts } from '../../core/money/owned-hours.js'
import type { ServedDeployment } from '../../core/release/served-deployment.js'
import { OWN_WORK, type ReportFilter, isPlaceGrouping } from '../../core/task/report.js'
import { HOUR_MS } from './batch.js'
import { firstNumberSince } from './hours.js'
import { GROUP_BY, only } from './report-sql.js'
import { PLACES_PER_TASK } from './schema.js'

/** Tasks opened that long before the window may still run in it; what runs for longer is not counted. */
const LOOK_BACK_MS = HOUR_MS

interface ServingRow {
  readonly fromMs: number
  /** null: the release has no deployment. */
  readonly deployment: string | null
  readonly provider: string
  readonly hosting: ServedDeployment['hosting']
  readonly nanoUsdPerHour: number | null
  readonly concurrency: number | null
}

function servingsOf(db: Database.Database): readonly Serving[] {
  const sql = `SELECT from_ms AS fromMs, deployment, provider, hosting, nano_usd_per_hour AS nanoUsdPerHour,
      concurrency FROM servings LEFT JOIN deployments USING (release) ORDER BY from_ms, deployment`
  const servings = new Map<number, ServedDeployment[]>()
  for (const { fromMs, deployment, ...rest } of db.prepare(sql).all() as ServingRow[]) {
    const deployments = servings.get(fromMs) ?? []
    servings.set(fromMs, deployments)
    if (deployment !== null) deployments.push({ deployment, ...rest })
  }
  return [...servings].map(([fromMs, deployments]) => ({ fromMs, deployments }))
}

/** As `sqlite-report-by-place.ts` finds attempts, but of the named deployments only, in order of time. */
function usesSql(group: string): string {
  return `WITH owned AS (SELECT value AS deployment FROM json_each(?)),
  held AS MATERIALIZED (SELECT terms, deployment FROM
    (SELECT terms, packed ->> '$[2]' AS deployment FROM terms) JOIN owned USING (deployment)),
  chosen AS (SELECT tasks.*, ${group} AS "group" FROM tasks JOIN kinds USING (kind)
    WHERE n >= ? AND opened_ms < ?)
  SELECT deployment, opened_ms + (call ->> '$[1][5]') AS startedMs, call ->> '$[1][6]' AS durationMs,
      output_tokens AS outputTokens, "group"
    FROM chosen JOIN held USING (terms)
  UNION ALL SELECT attempt ->> '$[4]', attempt ->> '$[7]', attempt ->> '$[8]', charges.output_tokens, "group"
    FROM chosen JOIN charges ON key >= n * ${PLACES_PER_TASK} AND key < (n + 1) * ${PLACES_PER_TASK}
    WHERE call IS NULL AND attempt ->> '$[4]' IN owned
  ORDER BY startedMs`
}

/** Costs of every deployment that was owned by the hour in the window, whoever used it. */
export function ownedCostsOf(db: Database.Database, filter: ReportFilter): readonly OwnedCost[] {
  const { by, sinceMs, untilMs } = filter
  const servings = servingsOf(db)
  const owned = new Set<string>()
  for (const { deployments } of servings) {
    for (const { deployment, nanoUsdPerHour } of deployments)
      if (nanoUsdPerHour !== null) owned.add(deployment)
  }
  if (owned.size === 0) return []
  const { sql, values } = only(filter)
  const name = isPlaceGrouping(by) ? `'${OWN_WORK}'` : GROUP_BY[by]
  const uses = db.prepare(usesSql(`iif(opened_ms >= ? ${sql}, ${name}, NULL)`))
  const from = firstNumberSince(db, sinceMs - LOOK_BACK_MS)
  const rows = uses.iterate(JSON.stringify([...owned]), sinceMs, ...values, from, untilMs)
  return ownedCosts(servings, rows as Iterable<OwnedUse>, filter)
}
