// Retention: what may be forgotten is forgotten in small slices, so that writing never waits long behind it.

import type Database from 'better-sqlite3'
import { PLACES_PER_TASK } from './schema.js'

const ROWS_PER_SLICE = 500
/** Totals of a month are asked for until it ends; after two months nobody asks. */
const ACCOUNT_KEPT_MS = 62 * 86_400_000

/** Newest events that are kept. */
const EVENTS_KEPT = 100_000

export interface PruneOptions {
  /** Ended tasks opened longer ago are deleted, their charges included. Default: tasks are kept. */
  readonly tasksOlderThanMs?: number
}

export interface Pruned {
  readonly contents: number
  readonly tasks: number
  /** There may be more: prune again. */
  readonly more: boolean
}

export function pruneSlice(db: Database.Database, nowMs: number, options: PruneOptions): Pruned {
  const contents = db
    .prepare(
      `DELETE FROM contents WHERE rowid IN
        (SELECT rowid FROM contents WHERE delete_after_ms <= ? ORDER BY delete_after_ms LIMIT ?)`,
    )
    .run(nowMs, ROWS_PER_SLICE).changes
  db.prepare('DELETE FROM accounts WHERE updated_ms < ?').run(nowMs - ACCOUNT_KEPT_MS)
  db.prepare('DELETE FROM events WHERE n <= (SELECT max(n) FROM events) - ?').run(EVENTS_KEPT)
  const tasks = options.tasksOlderThanMs === undefined ? 0 : pruneTasks(db, nowMs - options.tasksOlderThanMs)
  return { contents, tasks, more: contents === ROWS_PER_SLICE || tasks === ROWS_PER_SLICE }
}

function pruneTasks(db: Database.Database, beforeMs: number): number {
  const old = db.prepare('SELECT n FROM tasks WHERE opened_ms < ? AND status <> 0 ORDER BY n LIMIT ?').pluck()
  const parts = ['steps', 'charges'].map((table) =>
    db.prepare(`DELETE FROM ${table} WHERE key >= ? AND key < ?`),
  )
  const outcomes = db.prepare('DELETE FROM outcomes WHERE n = ?')
  const task = db.prepare('DELETE FROM tasks WHERE n = ?')
  const numbers = old.all(beforeMs, ROWS_PER_SLICE).map(Number)
  for (const n of numbers) {
    for (const part of parts) part.run(n * PLACES_PER_TASK, (n + 1) * PLACES_PER_TASK)
    outcomes.run(n)
    task.run(n)
  }
  return numbers.length
}
