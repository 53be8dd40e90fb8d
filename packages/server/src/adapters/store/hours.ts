// Time ranges without an index on time: the first task number of each hour is noted when the hour begins.

import type Database from 'better-sqlite3'

/** No task opened at or after `sinceMs` has a smaller number. */
export function firstNumberSince(db: Database.Database, sinceMs: number): number {
  const sql = 'SELECT first_n FROM hours WHERE hour_ms <= ? ORDER BY hour_ms DESC LIMIT 1'
  return Number(db.prepare(sql).pluck().get(sinceMs) ?? 0)
}
