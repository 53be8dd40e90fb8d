// Writes what a batch says into the tables, inside the caller's transaction.

import type Database from 'better-sqlite3'
import { NO_LIMITS } from '../../core/budget/amounts.js'
import type { ReleaseId, TaskId } from '../../core/ids.js'
import { type Batch, HOUR_MS } from './batch.js'
import type { OpenedColumns, OutcomeColumns } from './lines.js'
import type { PackedAmounts } from './packed.js'
import { PLACES_PER_TASK } from './schema.js'
import type { Position } from './segments.js'
import { type FoldTotals, type TaskFold, type WithDetail, totalsOf } from './task-fold.js'

/** Where a task is, and how many parts it has: the next one's key follows. */
interface Place {
  readonly n: number
  readonly steps: number
  readonly attempts: number
}

function marks(count: number): string {
  return Array.from({ length: count }, () => '?').join(', ')
}

const ADD_TOTALS = `UPDATE tasks SET
  steps = steps + ?, attempts = attempts + ?, model_calls = model_calls + ?,
  input_tokens = input_tokens + ?, output_tokens = output_tokens + ?, tool_calls = tool_calls + ?,
  tool_ms = tool_ms + ?, cost_nano = cost_nano + ?, unpriced = unpriced + ?,
  premium_calls = premium_calls + ?, degraded = degraded | ?, escalated = escalated | ?,
  cache_hit = cache_hit | ?, simulated = simulated | ?,
  last_step_ended_ms = nullif(max(ifnull(last_step_ended_ms, -1), ifnull(?, -1)), -1),
  last_model = ifnull(?, last_model) WHERE n = ?`

const SET_OUTCOME = `UPDATE tasks SET status = ?, ended_ms = ?, success = ?, harm = ?, latency_ms = ?,
  slo_met = ?, price_nano = ?, outcome = ? WHERE n = ?`

const KEEP_OUTCOME = `INSERT INTO outcomes SELECT n, (SELECT count(*) FROM outcomes o WHERE o.n = t.n),
  status, ended_ms, success, harm, latency_ms, slo_met, price_nano, outcome
  FROM tasks t WHERE n = ? AND outcome IS NOT NULL`

const ADD_TO_ACCOUNT = `INSERT INTO accounts VALUES (${marks(8)}) ON CONFLICT (name) DO UPDATE SET
  model_calls = model_calls + excluded.model_calls, input_tokens = input_tokens + excluded.input_tokens,
  output_tokens = output_tokens + excluded.output_tokens, tool_calls = tool_calls + excluded.tool_calls,
  tool_ms = tool_ms + excluded.tool_ms, nano_usd = nano_usd + excluded.nano_usd,
  updated_ms = max(updated_ms, excluded.updated_ms)`

const ADD_REFUSALS = `INSERT INTO refusals VALUES (?, ?, ?, ?, ?)
  ON CONFLICT (hour_ms, tenant, contract, code) DO UPDATE SET count = count + excluded.count`

/** Never below an hour's mark, also after the newest tasks were pruned: reports start reading at marks. */
const NEXT_N = `SELECT max(
  ifnull((SELECT max(n) FROM tasks), 0) + 1,
  ifnull((SELECT max(first_n) FROM hours), 1))`

interface AccountSum {
  readonly amounts: [number, number, number, number, number, number]
  updatedMs: number
}

export class SqliteWriter {
  readonly #statements: ReturnType<typeof prepare>
  /** Sums of this transaction by ceiling account: one write each, however many charges. */
  readonly #accounts = new Map<string, AccountSum>()
  #nextN = 1
  #lastHourMs = -1

  constructor(db: Database.Database) {
    this.#statements = prepare(db)
    this.reset()
  }

  has(id: TaskId): boolean {
    return this.#statements.find.get(id) !== undefined
  }

  /**
   * Everything of a batch but its tasks. Call before writing the batch's tasks: hours mark the first of
   * them.
   */
  writeCounts(batch: Batch): void {
    const hourMs = Math.floor(batch.latestMs / HOUR_MS) * HOUR_MS
    if (hourMs > this.#lastHourMs) {
      this.#statements.addHour.run(hourMs, this.#nextN)
      this.#lastHourMs = hourMs
    }
    for (const { hourMs: hour, tenant, contract, code, count } of batch.refusals.values()) {
      this.#statements.addRefusals.run(hour, tenant, contract, code, count)
    }
    for (const { columns, detail } of batch.contents) this.#statements.addContent.run(...columns, detail)
  }

  writeTask(fold: TaskFold): void {
    const totals = totalsOf(fold)
    const inserted = fold.opened === null ? undefined : this.#insert(fold, fold.opened, totals)
    const found = inserted ?? (this.#statements.find.get(fold.id) as Place | undefined)
    if (inserted === undefined && found !== undefined) this.#update(found, fold, totals)
    // Money is never dropped because the task it belongs to is not there (pruned, or its line was damaged).
    const place = found ?? this.#insert(fold, unknownTask(fold), totals)
    if (place !== undefined) this.#writeParts(place, fold)
  }

  /** After a transaction that was rolled back. */
  reset(): void {
    this.#accounts.clear()
    this.#nextN = Number(this.#statements.nextN.get())
    this.#lastHourMs = Number(this.#statements.lastHour.get())
  }

  finish(position: Position): void {
    for (const [name, { amounts, updatedMs }] of this.#accounts) {
      this.#statements.addToAccount.run(name, ...amounts, updatedMs)
    }
    this.#accounts.clear()
    this.#statements.setPosition.run(position.segment, position.offset)
  }

  /** undefined: the task is there already. */
  #insert(fold: TaskFold, opened: WithDetail<OpenedColumns>, totals: FoldTotals): Place | undefined {
    const last = fold.outcomes.at(-1)
    const done = this.#statements.insertTask.run(
      this.#nextN,
      ...opened.columns,
      opened.detail,
      fold.steps.length,
      fold.settled.length,
      ...totalColumns(totals),
      ...(last === undefined ? NO_OUTCOME : outcomeColumns(last)),
    )
    if (done.changes === 0) return undefined
    const n = this.#nextN++
    for (const [seq, outcome] of fold.outcomes.slice(0, -1).entries()) {
      this.#statements.addOutcome.run(n, seq, ...outcomeColumns(outcome))
    }
    return { n, steps: 0, attempts: 0 }
  }

  #update({ n }: Place, fold: TaskFold, totals: FoldTotals): void {
    this.#statements.addTotals.run(fold.steps.length, fold.settled.length, ...totalColumns(totals), n)
    for (const outcome of fold.outcomes) {
      this.#statements.keepOutcome.run(n)
      this.#statements.setOutcome.run(...outcomeColumns(outcome), n)
    }
  }

  #writeParts(place: Place, fold: TaskFold): void {
    let step = place.n * PLACES_PER_TASK + place.steps
    for (const { columns, detail } of fold.steps) this.#statements.addStep.run(step++, columns[1], detail)
    let charge = place.n * PLACES_PER_TASK + place.attempts
    for (const { columns, detail } of fold.settled) {
      const [, hold, atMs, stepNumber, , , , actual, accounts] = columns
      const names = JSON.stringify(accounts)
      this.#statements.addCharge.run(charge++, stepNumber, atMs, hold, ...actual, names, detail)
      this.#addToAccounts(accounts, actual, atMs)
    }
  }

  #addToAccounts(names: readonly string[], actual: PackedAmounts, atMs: number): void {
    for (const name of names) {
      if (name.startsWith('task:')) continue
      const sum = this.#accounts.get(name)
      if (sum === undefined) this.#accounts.set(name, { amounts: [...actual], updatedMs: atMs })
      else {
        for (let i = 0; i < 6; i++) sum.amounts[i] = (sum.amounts[i] ?? 0) + (actual[i] ?? 0)
        sum.updatedMs = Math.max(sum.updatedMs, atMs)
      }
    }
  }
}

const NO_OUTCOME = ['open', null, null, null, null, null, null, null] as const

function outcomeColumns({ columns, detail }: WithDetail<OutcomeColumns>): readonly unknown[] {
  const [, ...rest] = columns
  return [...rest, detail]
}

function totalColumns(totals: FoldTotals): readonly unknown[] {
  return [
    totals.modelCalls,
    totals.inputTokens,
    totals.outputTokens,
    totals.toolCalls,
    totals.toolMs,
    totals.nanoUsd,
    totals.unpriced,
    totals.premiumCalls,
    totals.degraded,
    totals.escalated,
    totals.cacheHit,
    totals.simulated,
    totals.lastStepEndedMs,
    totals.lastModel,
  ]
}

function unknownTask(fold: TaskFold): WithDetail<OpenedColumns> {
  const atMs = fold.settled[0]?.columns[2] ?? fold.outcomes[0]?.columns[2] ?? fold.steps[0]?.columns[2] ?? 0
  const unknown = '(unknown)'
  const columns: OpenedColumns = [
    fold.id,
    atMs,
    unknown,
    unknown as ReleaseId,
    unknown,
    null,
    null,
    null,
    atMs,
    0,
  ]
  return { columns, detail: JSON.stringify({ limits: NO_LIMITS, attributes: {} }) }
}

function prepare(db: Database.Database) {
  return {
    nextN: db.prepare(NEXT_N).pluck(),
    lastHour: db.prepare('SELECT ifnull(max(hour_ms), -1) FROM hours').pluck(),
    find: db.prepare('SELECT n, steps, attempts FROM tasks WHERE id = ?'),
    insertTask: db.prepare(`INSERT OR IGNORE INTO tasks VALUES (${marks(36)})`),
    addTotals: db.prepare(ADD_TOTALS),
    setOutcome: db.prepare(SET_OUTCOME),
    keepOutcome: db.prepare(KEEP_OUTCOME),
    addOutcome: db.prepare(`INSERT INTO outcomes VALUES (${marks(10)})`),
    addStep: db.prepare('INSERT INTO steps VALUES (?, ?, ?)'),
    addCharge: db.prepare(`INSERT INTO charges VALUES (${marks(12)})`),
    addToAccount: db.prepare(ADD_TO_ACCOUNT),
    addRefusals: db.prepare(ADD_REFUSALS),
    addContent: db.prepare('INSERT OR REPLACE INTO contents VALUES (?, ?, ?, ?)'),
    addHour: db.prepare('INSERT OR IGNORE INTO hours VALUES (?, ?)'),
    setPosition: db.prepare('UPDATE meta SET segment = ?, offset = ?'),
  }
}
