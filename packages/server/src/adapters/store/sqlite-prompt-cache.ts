// What was read from providers' caches of prompts and what that saved, per group of the whiteboard. Only
// tasks that are marked for it are looked into: their charges are text.

import type Database from 'better-sqlite3'
import {
  type PromptCacheSums,
  type ReportFilter,
  UNKNOWN_APPROACH,
  isPlaceGrouping,
} from '../../core/task/report.js'
import { firstNumberSince } from './hours.js'
import { GROUP_BY, bitOf, only } from './report-sql.js'
import { PLACES_PER_TASK } from './schema.js'
import { PROMPT_CACHE } from './task-codes.js'

/** Places in the texts: `PackedCharge` and `PackedAttempt`. */
const ROWS = (where: string): string => `WITH chosen AS (
    SELECT * FROM tasks JOIN kinds USING (kind)
    WHERE n >= ? AND opened_ms >= ? AND opened_ms < ? AND ${bitOf('flags', PROMPT_CACHE)} ${where})
  SELECT contract, tenant, release, last_model, packed ->> '$[2]' AS deployment,
    packed ->> '$[3]' AS provider, call ->> '$[1][10][1]' AS tokens,
    (call ->> '$[1][10][2]') + (call ->> '$[1][10][3]') AS written, call ->> '$[1][14]' AS saved
  FROM chosen JOIN terms USING (terms) WHERE call IS NOT NULL
  UNION ALL SELECT contract, tenant, release, last_model, attempt ->> '$[4]', attempt ->> '$[5]',
    attempt ->> '$[13][1]', (attempt ->> '$[13][2]') + (attempt ->> '$[13][3]'), attempt ->> '$[20]'
  FROM chosen JOIN charges ON key >= n * ${PLACES_PER_TASK} AND key < (n + 1) * ${PLACES_PER_TASK}
  WHERE call IS NULL`

function groupOf(by: ReportFilter['by']): string {
  if (!isPlaceGrouping(by)) return GROUP_BY[by]
  if (by !== 'approach') return by
  return `ifnull((SELECT hosting FROM deployments served
    WHERE served.release = used.release AND served.deployment = used.deployment), '${UNKNOWN_APPROACH}')`
}

export function promptCacheSums(
  db: Database.Database,
  filter: ReportFilter,
): ReadonlyMap<string, PromptCacheSums> {
  const { sql, values } = only(filter)
  const from = firstNumberSince(db, filter.sinceMs)
  const rows = db
    .prepare(
      `SELECT ${groupOf(filter.by)} AS place, sum(tokens) AS tokens, ifnull(sum(saved), 0) AS savedNanoUsd
        FROM (${ROWS(sql)}) used WHERE tokens + written > 0 GROUP BY 1`,
    )
    .all(from, filter.sinceMs, filter.untilMs, ...values) as ({ readonly place: string } & PromptCacheSums)[]
  return new Map(rows.map(({ place, tokens, savedNanoUsd }) => [place, { tokens, savedNanoUsd }]))
}
