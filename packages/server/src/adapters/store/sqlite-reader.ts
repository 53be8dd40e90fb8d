// What the books say about tasks, one or many, and about accounts. The whiteboard is in `sqlite-report.ts`.

import type Database from 'better-sqlite3'
import type { Amounts } from '../../core/budget/amounts.js'
import type { AttemptId, HoldId, TaskId } from '../../core/ids.js'
import type { AttemptRecord, HoldSettled } from '../../core/task/records.js'
import type { TaskFilter, TaskRow, TaskSummary, TaskTrace } from '../../core/task/views.js'
import { firstNumberSince } from './hours.js'
import { type PackedAttempt, unpackAttempt } from './packed.js'
import { type PackedStep, unpackStep } from './packed-step.js'
import { PLACES_PER_TASK } from './schema.js'
import { DEGRADED, ONE_STEP, statusCode } from './task-codes.js'
import {
  type AmountFields,
  type OutcomeFields,
  TASK_FIELDS,
  type TaskFields,
  amountsFrom,
  callFrom,
  lastOutcome,
  openedText,
  outcomeFrom,
  rowFrom,
  summaryFrom,
} from './task-row.js'
import type { UnpackedCall } from './unpack-call.js'

const PAGE_ROWS_DEFAULT = 50
const PAGE_ROWS_MAX = 500

interface ChargeFields extends AmountFields {
  readonly step: number
  readonly at_ms: number
  readonly hold: HoldId
  readonly charged_nano: number
  readonly accounts: string
  readonly attempt: string
}

function chargeFrom(task: TaskId, fields: ChargeFields): HoldSettled {
  return {
    kind: 'hold-settled',
    id: fields.hold,
    task,
    atMs: fields.at_ms,
    accounts: JSON.parse(fields.accounts) as string[],
    actual: amountsFrom(fields, fields.charged_nano),
    stepNumber: fields.step,
    attempt: unpackAttempt(JSON.parse(fields.attempt) as PackedAttempt),
  }
}

function byPlace(a: HoldSettled, b: HoldSettled): number {
  return a.stepNumber - b.stepNumber || a.attempt.number - b.attempt.number
}

type Parts = Pick<TaskTrace, 'steps' | 'charges' | 'outcomes'>

function listsOf({ settled, step, outcome }: UnpackedCall): Parts {
  return { steps: [step], charges: settled === null ? [] : [settled], outcomes: [outcome] }
}

/** A task, its sub-tasks and theirs, in all depths. */
const SPENT_BY_FAMILY = `WITH RECURSIVE family (id) AS (
    VALUES (?) UNION SELECT tasks.id FROM tasks JOIN family ON tasks.parent = family.id
  )
  SELECT count(*) AS tasks, sum(model_calls) AS model_calls, sum(input_tokens) AS input_tokens,
    sum(output_tokens) AS output_tokens, sum(tool_calls) AS tool_calls, sum(tool_ms) AS tool_ms,
    sum(cost_nano) AS cost_nano FROM tasks WHERE id IN family`

interface FamilyFields extends AmountFields {
  readonly tasks: number
  readonly cost_nano: number
}

type Condition = readonly [sql: string, value: string | number | undefined]

export class SqliteReader {
  readonly #db: Database.Database

  constructor(db: Database.Database) {
    this.#db = db
  }

  loadTask(id: TaskId): TaskSummary | null {
    const fields = this.#taskFields('id', id)
    return fields === undefined ? null : this.#summary(fields)
  }

  openOneStepTasks(): readonly TaskSummary[] {
    const sql = `SELECT * FROM ${TASK_FIELDS} WHERE status = 0 AND flags & ${ONE_STEP} ORDER BY n`
    return (this.#db.prepare(sql).all() as TaskFields[]).map(summaryFrom)
  }

  trace(id: TaskId): TaskTrace | null {
    const fields = this.#taskFields('id', id)
    if (fields === undefined) return null
    const call = callFrom(fields)
    const parts = call === null ? this.#partsOf(fields) : listsOf(call)
    const children = this.#texts('SELECT id FROM tasks WHERE parent = ? ORDER BY id', id) as TaskId[]
    return { summary: this.#summary(fields), ...parts, children }
  }

  /** Of a task that is whole in its row: what opened it, as JSON, and its parts. */
  wholeCall(n: number): { readonly opened: string; readonly parts: UnpackedCall } {
    const fields = this.#taskFields('n', n)
    const parts = fields === undefined ? null : callFrom(fields)
    if (fields === undefined || parts === null) throw new Error(`task ${n} is not whole in its row`)
    return { opened: openedText(fields), parts }
  }

  #summary(fields: TaskFields): TaskSummary {
    const summary = summaryFrom(fields)
    const family = this.#db.prepare(SPENT_BY_FAMILY).get(fields.id) as FamilyFields
    if (family.tasks === 1) return summary
    return { ...summary, spentWithChildren: amountsFrom(family, family.cost_nano) }
  }

  #partsOf(fields: TaskFields): Parts {
    const { n, id } = fields
    const range = [n * PLACES_PER_TASK, (n + 1) * PLACES_PER_TASK]
    const rows = this.#db
      .prepare('SELECT * FROM charges WHERE key >= ? AND key < ? ORDER BY key')
      .all(...range)
    const charges = (rows as ChargeFields[]).map((row) => chargeFrom(id, row)).sort(byPlace)
    const attempts = new Map<AttemptId, AttemptRecord>(charges.map(({ attempt }) => [attempt.id, attempt]))
    const steps = this.#texts(
      'SELECT detail FROM steps WHERE key >= ? AND key < ? ORDER BY number, key',
      ...range,
    ).map((detail) => unpackStep(id, JSON.parse(detail) as PackedStep, attempts))
    const earlier = this.#db.prepare('SELECT * FROM outcomes WHERE n = ? ORDER BY seq').all(n)
    const outcomes = (earlier as OutcomeFields[]).map((row) => outcomeFrom(id, row))
    const last = lastOutcome(fields)
    return { steps, charges, outcomes: last === null ? outcomes : [...outcomes, last] }
  }

  /** Newest first. The cursor is the last id of the page. */
  list(filter: TaskFilter): { readonly rows: readonly TaskRow[]; readonly nextCursor: string | null } {
    const limit = Math.min(Math.max(Math.floor(filter.limit ?? PAGE_ROWS_DEFAULT), 1), PAGE_ROWS_MAX)
    const conditions: readonly Condition[] = [
      ['contract = ?', filter.contract],
      ['tenant = ?', filter.tenant],
      ['status = ?', filter.status === undefined ? undefined : statusCode(filter.status)],
      ['session = ?', filter.session],
      ['external_id = ?', filter.externalId],
      [
        `(flags & ${DEGRADED}) = ?`,
        filter.degraded === undefined ? undefined : filter.degraded ? DEGRADED : 0,
      ],
      ['opened_ms >= ?', filter.sinceMs],
      ['n >= ?', filter.sinceMs === undefined ? undefined : firstNumberSince(this.#db, filter.sinceMs)],
      ['opened_ms < ?', filter.untilMs],
      ['id < ?', filter.cursor],
    ]
    const given = conditions.filter(([, value]) => value !== undefined)
    const where = given.length === 0 ? '' : `WHERE ${given.map(([sql]) => sql).join(' AND ')}`
    // One more than asked for tells whether there is a next page.
    const sql = `SELECT * FROM ${TASK_FIELDS} ${where} ORDER BY id DESC LIMIT ?`
    const found = this.#db.prepare(sql).all(...given.map(([, value]) => value), limit + 1) as TaskFields[]
    const rows = found.slice(0, limit).map(rowFrom)
    return { rows, nextCursor: found.length > limit ? (rows.at(-1)?.id ?? null) : null }
  }

  accountTotals(prefixes: readonly string[]): ReadonlyMap<string, Amounts> {
    const totals = new Map<string, Amounts>()
    const select = this.#db.prepare('SELECT * FROM accounts WHERE name >= ? AND substr(name, 1, ?) = ?')
    for (const prefix of prefixes) {
      for (const row of select.iterate(prefix, prefix.length, prefix)) {
        const fields = row as AmountFields & { readonly name: string; readonly nano_usd: number }
        totals.set(fields.name, amountsFrom(fields, fields.nano_usd))
      }
    }
    return totals
  }

  /** What is past its time is gone for the reader, even where it was not pruned yet. */
  loadContent(reference: string, nowMs: number): string | null {
    const sql = 'SELECT text FROM contents WHERE reference = ? AND delete_after_ms > ?'
    const [text] = this.#texts(sql, reference, nowMs)
    return text === undefined ? null : (JSON.parse(text) as string) || null
  }

  #taskFields(by: 'id' | 'n', value: TaskId | number): TaskFields | undefined {
    return this.#db.prepare(`SELECT * FROM ${TASK_FIELDS} WHERE ${by} = ?`).get(value) as
      | TaskFields
      | undefined
  }

  /** A column of text. */
  #texts(sql: string, ...values: readonly (string | number)[]): string[] {
    return this.#db
      .prepare(sql)
      .pluck()
      .all(...values) as string[]
  }
}
