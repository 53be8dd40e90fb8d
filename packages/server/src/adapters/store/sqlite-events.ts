// What happened to the service as a whole, and how the tasks of each contract ended by minute and hour: what
// alerts are made of.

import type Database from 'better-sqlite3'
import type { EventFilter, EventRow } from '../../core/task/views.js'
import type { ContractTasks } from '../../engine/ports.js'
import { firstNumberSince } from './hours.js'
import { bitOf } from './report-sql.js'
import { SLO_JUDGED, SLO_MET, SUCCESS } from './task-codes.js'

const ROWS_DEFAULT = 50
const ROWS_MAX = 500

interface EventFields extends Omit<EventRow, 'detail'> {
  readonly detail: string
}

/** Newest first. */
export function eventsOf(db: Database.Database, filter: EventFilter): readonly EventRow[] {
  const { event = null, subject = null, before = null } = filter
  const limit = Math.min(Math.max(filter.limit ?? ROWS_DEFAULT, 1), ROWS_MAX)
  const rows = db
    .prepare(
      `SELECT n, at_ms AS atMs, event, subject, detail FROM events
        WHERE (@event IS NULL OR event = @event) AND (@subject IS NULL OR subject = @subject)
          AND (@before IS NULL OR n < @before) ORDER BY n DESC LIMIT @limit`,
    )
    .all({ event, subject, before, limit }) as EventFields[]
  return rows.map((row) => ({ ...row, detail: JSON.parse(row.detail) as EventRow['detail'] }))
}

const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS
/** By minutes as long as this, before that by hours. */
const MINUTES_KEPT_MS = 6 * HOUR_MS
/** A task may be open this long before it ends within the window. */
const LONGEST_TASK_MS = 24 * HOUR_MS
/** Rows that are read at most: a server has to be ready before it has read a whole month. */
const TASKS_READ_MAX = 1_000_000

/** Tasks that ended in the window, in order of time; of very many, those opened last. */
export function endedTasksOf(
  db: Database.Database,
  sinceMs: number,
  untilMs: number,
): readonly ContractTasks[] {
  const last = Number(db.prepare('SELECT ifnull(max(n), 0) FROM tasks').pluck().get())
  const from = Math.max(firstNumberSince(db, sinceMs - LONGEST_TASK_MS), last - TASKS_READ_MAX)
  return db
    .prepare(
      `SELECT contract, iif(ended_ms < @minutesFrom, ended_ms / ${HOUR_MS} * ${HOUR_MS},
          ended_ms / ${MINUTE_MS} * ${MINUTE_MS}) AS atMs, count(*) AS total,
          sum(NOT ${bitOf('verdict', SUCCESS)}) AS failed,
          sum(${bitOf('verdict', SLO_JUDGED)} AND NOT ${bitOf('verdict', SLO_MET)}) AS slow
        FROM tasks JOIN kinds USING (kind)
        WHERE n >= @from AND ended_ms >= @sinceMs AND ended_ms < @untilMs AND verdict IS NOT NULL
        GROUP BY 1, 2 ORDER BY 2, 1`,
    )
    .all({ from, sinceMs, untilMs, minutesFrom: untilMs - MINUTES_KEPT_MS }) as ContractTasks[]
}
