// What the books say about tasks, one or many, and about accounts. The whiteboard is in `sqlite-report.ts`.

import type Database from 'better-sqlite3'
import type { Amounts } from '../../core/budget/amounts.js'
import type { AttemptId, HoldId, ReleaseId, TaskId } from '../../core/ids.js'
import type { AttemptRecord, HoldSettled, OutcomeJudged } from '../../core/task/records.js'
import type { TaskFilter, TaskRow, TaskStatus, TaskSummary, TaskTrace } from '../../core/task/views.js'
import type { OpenedDetail } from './lines.js'
import { type PackedAttempt, unpackAttempt } from './packed.js'
import { type PackedOutcome, type PackedStep, unpackStep } from './packed-step.js'
import { PLACES_PER_TASK } from './schema.js'
import { firstNumberSince } from './hours.js'

const PAGE_ROWS_DEFAULT = 50
const PAGE_ROWS_MAX = 500

interface AmountFields {
  readonly model_calls: number
  readonly input_tokens: number
  readonly output_tokens: number
  readonly tool_calls: number
  readonly tool_ms: number
}

interface TaskFields extends AmountFields {
  readonly n: number
  readonly id: TaskId
  readonly opened_ms: number
  readonly contract: string
  readonly release: ReleaseId
  readonly tenant: string
  readonly parent: TaskId | null
  readonly session: string | null
  readonly external_id: string | null
  readonly deadline_ms: number
  readonly one_step: 0 | 1
  readonly detail: string
  readonly steps: number
  readonly attempts: number
  readonly cost_nano: number
  readonly unpriced: number
  readonly degraded: 0 | 1
  readonly escalated: 0 | 1
  readonly last_step_ended_ms: number | null
  readonly status: TaskStatus
  readonly success: 0 | 1 | null
  readonly harm: 0 | 1 | null
  readonly latency_ms: number | null
  readonly outcome: string | null
}

/** The columns of an outcome, in `tasks` (the last one) as in `outcomes` (those before it). */
interface OutcomeFields {
  readonly status: OutcomeJudged['status']
  readonly ended_ms: number
  readonly success: 0 | 1
  readonly harm: 0 | 1
  readonly latency_ms: number
  readonly slo_met: 0 | 1 | null
  readonly price_nano: number | null
  readonly outcome: string
}

function outcomeFrom(task: TaskId, fields: OutcomeFields): OutcomeJudged {
  const [source, reasons, score, evidence, nanoUsd, unpricedCalls, rules] = JSON.parse(
    fields.outcome,
  ) as PackedOutcome
  return {
    kind: 'outcome-judged',
    task,
    atMs: fields.ended_ms,
    status: fields.status,
    source,
    success: fields.success === 1,
    harm: fields.harm === 1,
    reasons,
    ...(rules ? { rules } : {}),
    score,
    evidence,
    latencyMs: fields.latency_ms,
    sloMet: fields.slo_met === null ? null : fields.slo_met === 1,
    nanoUsd,
    unpricedCalls,
    priceNanoUsd: fields.price_nano,
  }
}

/** The row of an ended task has every column of an outcome. */
function lastOutcome(fields: TaskFields): OutcomeJudged | null {
  return fields.outcome === null ? null : outcomeFrom(fields.id, fields as TaskFields & OutcomeFields)
}

interface ChargeFields extends AmountFields {
  readonly step: number
  readonly at_ms: number
  readonly hold: HoldId
  readonly charged_nano: number
  readonly accounts: string
  readonly attempt: string
}

function amountsFrom(fields: AmountFields, nanoUsd: number): Amounts {
  return {
    modelCalls: fields.model_calls,
    inputTokens: fields.input_tokens,
    outputTokens: fields.output_tokens,
    toolCalls: fields.tool_calls,
    toolMs: fields.tool_ms,
    nanoUsd,
  }
}

function summaryFrom(fields: TaskFields): TaskSummary {
  return {
    opened: {
      kind: 'task-opened',
      id: fields.id,
      atMs: fields.opened_ms,
      contract: fields.contract,
      release: fields.release,
      tenant: fields.tenant,
      parent: fields.parent,
      session: fields.session,
      externalId: fields.external_id,
      ...(JSON.parse(fields.detail) as OpenedDetail),
      deadlineMs: fields.deadline_ms,
      oneStep: fields.one_step === 1,
    },
    status: fields.status,
    spent: amountsFrom(fields, fields.cost_nano),
    unpricedCalls: fields.unpriced,
    attempts: fields.attempts,
    steps: fields.steps,
    outcome: lastOutcome(fields),
    degraded: fields.degraded === 1,
    lastStepEndedMs: fields.last_step_ended_ms,
  }
}

function rowFrom(fields: TaskFields): TaskRow {
  return {
    id: fields.id,
    contract: fields.contract,
    tenant: fields.tenant,
    status: fields.status,
    openedMs: fields.opened_ms,
    latencyMs: fields.latency_ms,
    success: fields.success === null ? null : fields.success === 1,
    harm: fields.harm === null ? null : fields.harm === 1,
    nanoUsd: fields.cost_nano,
    unpricedCalls: fields.unpriced,
    steps: fields.steps,
    attempts: fields.attempts,
    degraded: fields.degraded === 1,
    escalated: fields.escalated === 1,
    session: fields.session,
    externalId: fields.external_id,
  }
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

type Condition = readonly [sql: string, value: string | number | undefined]

export class SqliteReader {
  readonly #db: Database.Database

  constructor(db: Database.Database) {
    this.#db = db
  }

  loadTask(id: TaskId): TaskSummary | null {
    const fields = this.#taskFields(id)
    return fields === undefined ? null : summaryFrom(fields)
  }

  openOneStepTasks(): readonly TaskSummary[] {
    const sql = "SELECT * FROM tasks WHERE status = 'open' AND one_step = 1 ORDER BY n"
    return (this.#db.prepare(sql).all() as TaskFields[]).map(summaryFrom)
  }

  trace(id: TaskId): TaskTrace | null {
    const fields = this.#taskFields(id)
    if (fields === undefined) return null
    const range = [fields.n * PLACES_PER_TASK, (fields.n + 1) * PLACES_PER_TASK]
    const rows = this.#db
      .prepare('SELECT * FROM charges WHERE key >= ? AND key < ? ORDER BY key')
      .all(...range)
    const charges = (rows as ChargeFields[]).map((row) => chargeFrom(id, row)).sort(byPlace)
    const attempts = new Map<AttemptId, AttemptRecord>(charges.map(({ attempt }) => [attempt.id, attempt]))
    const steps = this.#texts(
      'SELECT detail FROM steps WHERE key >= ? AND key < ? ORDER BY number, key',
      ...range,
    )
    const earlier = this.#db.prepare('SELECT * FROM outcomes WHERE n = ? ORDER BY seq').all(fields.n)
    const last = lastOutcome(fields)
    const outcomes = (earlier as OutcomeFields[]).map((row) => outcomeFrom(id, row))
    return {
      summary: summaryFrom(fields),
      steps: steps.map((detail) => unpackStep(id, JSON.parse(detail) as PackedStep, attempts)),
      charges,
      outcomes: last === null ? outcomes : [...outcomes, last],
      children: this.#texts('SELECT id FROM tasks WHERE parent = ? ORDER BY id', id) as TaskId[],
    }
  }

  /** Newest first. The cursor is the last id of the page. */
  list(filter: TaskFilter): { readonly rows: readonly TaskRow[]; readonly nextCursor: string | null } {
    const limit = Math.min(Math.max(Math.floor(filter.limit ?? PAGE_ROWS_DEFAULT), 1), PAGE_ROWS_MAX)
    const conditions: readonly Condition[] = [
      ['contract = ?', filter.contract],
      ['tenant = ?', filter.tenant],
      ['status = ?', filter.status],
      ['session = ?', filter.session],
      ['external_id = ?', filter.externalId],
      ['degraded = ?', filter.degraded === undefined ? undefined : Number(filter.degraded)],
      ['opened_ms >= ?', filter.sinceMs],
      ['n >= ?', filter.sinceMs === undefined ? undefined : firstNumberSince(this.#db, filter.sinceMs)],
      ['opened_ms < ?', filter.untilMs],
      ['id < ?', filter.cursor],
    ]
    const given = conditions.filter(([, value]) => value !== undefined)
    const where = given.length === 0 ? '' : `WHERE ${given.map(([sql]) => sql).join(' AND ')}`
    // One more than asked for tells whether there is a next page.
    const sql = `SELECT * FROM tasks ${where} ORDER BY id DESC LIMIT ?`
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

  loadContent(reference: string): string | null {
    const [text] = this.#texts('SELECT text FROM contents WHERE reference = ?', reference)
    return text === undefined ? null : (JSON.parse(text) as string)
  }

  #taskFields(id: TaskId): TaskFields | undefined {
    return this.#db.prepare('SELECT * FROM tasks WHERE id = ?').get(id) as TaskFields | undefined
  }

  /** A column of text. */
  #texts(sql: string, ...values: readonly (string | number)[]): string[] {
    return this.#db
      .prepare(sql)
      .pluck()
      .all(...values) as string[]
  }
}
