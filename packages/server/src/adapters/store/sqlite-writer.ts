// Writes what a batch says into the tables, inside the caller's transaction.

import type Database from 'better-sqlite3'
import type { TaskId } from '../../core/ids.js'
import { type Batch, HOUR_MS, type Served } from './batch.js'
import { UNKNOWN_KIND, kindDefinition, openedDetail } from './definitions.js'
import type { OpenedColumns, WithDetail } from './lines.js'
import { NumberedRows } from './numbered-rows.js'
import type { PackedAmounts } from './packed.js'
import { PLACES_PER_TASK } from './schema.js'
import type { Position } from './segments.js'
import { SqliteReader } from './sqlite-reader.js'
import {
  NO_OUTCOME,
  type Statements,
  outcomeColumns,
  prepareStatements,
  totalColumns,
} from './sqlite-statements.js'
import { ANSWERED, ONE_STEP } from './task-codes.js'
import { type DoneCall, type FoldTotals, type TaskFold, addParts, emptyFold, totalsOf } from './task-fold.js'

/** Where a task is, and how many parts it has: the next one's key follows. */
interface Place {
  readonly n: number
  readonly steps: number
  readonly attempts: number
  /** Its parts are one text in its own row. */
  readonly whole: 0 | 1
}

interface AccountSum {
  readonly amounts: [number, number, number, number, number, number]
  updatedMs: number
}

export class SqliteWriter {
  readonly #statements: Statements
  readonly #reader: SqliteReader
  readonly #kinds: NumberedRows
  readonly #terms: NumberedRows
  /** Sums of this transaction by ceiling account: one write each, however many charges. */
  readonly #accounts = new Map<string, AccountSum>()
  #nextN = 1
  #lastHourMs = -1

  constructor(db: Database.Database) {
    this.#statements = prepareStatements(db)
    this.#reader = new SqliteReader(db)
    this.#kinds = new NumberedRows(db, {
      name: 'kinds',
      columns: ['contract', 'release', 'tenant', 'shared'],
    })
    this.#terms = new NumberedRows(db, { name: 'terms', columns: ['packed'] })
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
    this.#markHour(batch.latestMs)
    for (const { hourMs: hour, tenant, contract, code, count } of batch.refusals.values()) {
      this.#statements.addRefusals.run(hour, tenant, contract, code, count)
    }
    for (const { columns, detail } of batch.contents) this.#statements.addContent.run(...columns, detail)
    for (const { columns, detail } of batch.events) this.#statements.addEvent.run(...columns, detail)
    for (const served of batch.served) this.#writeServed(served)
  }

  /** A task in one row. false: the task is there already. By place, not by name: every call pays for this. */
  writeCall(call: DoneCall): boolean {
    const { columns, terms } = call
    this.#markHour(columns[1])
    if (!this.#insertCall(call)) return false
    this.#nextN++
    if (terms === null) return true
    const charged = [columns[7], columns[8], columns[9], 0, 0, columns[10]] as const
    this.#addToAccounts(terms.terms[0], charged, columns[1] + columns[15])
    return true
  }

  writeTask(fold: TaskFold): void {
    const totals = totalsOf(fold)
    const inserted = fold.opened === null ? undefined : this.#insert(fold, fold.opened, totals)
    const found = inserted ?? this.#find(fold.id)
    if (inserted === undefined && found !== undefined) this.#update(found, fold, totals)
    // Money is never dropped because the task it belongs to is not there (pruned, or its line was damaged).
    const place = found ?? this.#insert(fold, unknownTask(fold), totals)
    if (place !== undefined) this.#writeParts(place, fold)
    for (const { columns } of fold.settled) this.#addToAccounts(columns[8], columns[7], columns[2])
  }

  #writeServed({ columns: [atMs, release], deployments }: Served): void {
    this.#statements.addServing.run(atMs, release, release)
    for (const { deployment, provider, hosting, nanoUsdPerHour, concurrency } of deployments) {
      this.#statements.addDeployment.run(release, deployment, provider, hosting, nanoUsdPerHour, concurrency)
    }
  }

  /** After a transaction that was rolled back. */
  reset(): void {
    this.#accounts.clear()
    this.#kinds.forget()
    this.#terms.forget()
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

  #markHour(atMs: number): void {
    if (!(atMs >= this.#lastHourMs + HOUR_MS)) return
    const hourMs = Math.floor(atMs / HOUR_MS) * HOUR_MS
    this.#statements.addHour.run(hourMs, this.#nextN)
    this.#lastHourMs = hourMs
  }

  #insertCall({ columns, detail, kind, terms }: DoneCall): boolean {
    const hold = terms?.terms
    const openedMs = columns[1]
    const done = this.#statements.insertCall.run(
      this.#nextN,
      columns[0],
      this.#kinds.numberOf(kind),
      openedMs,
      openedMs + columns[2],
      columns[4],
      columns[5],
      terms === null ? null : this.#terms.numberOf(terms),
      columns[7],
      columns[8],
      columns[9],
      columns[10],
      columns[11],
      hold?.[4] === 'premium' ? columns[7] : 0,
      columns[12],
      hold === undefined ? 0 : 1,
      openedMs + columns[13],
      hold !== undefined && (columns[12] & ANSWERED) !== 0 ? hold[1] : null,
      columns[14],
      openedMs + columns[15],
      columns[16],
      columns[17],
      columns[18],
      detail,
    )
    return done.changes > 0
  }

  /** Parts follow: a task that is whole in its row is taken apart first. */
  #find(id: TaskId): Place | undefined {
    const place = this.#statements.find.get(id) as Place | undefined
    if (place === undefined || place.whole === 0) return place
    const { opened, parts } = this.#reader.wholeCall(place.n)
    const fold = emptyFold(id)
    addParts(fold, parts)
    this.#statements.takeApart.run(opened, fold.outcomes[0]?.detail, place.n)
    this.#writeParts({ ...place, steps: 0, attempts: 0 }, fold)
    return place
  }

  /** undefined: the task is there already. */
  #insert(fold: TaskFold, opened: WithDetail<OpenedColumns>, totals: FoldTotals): Place | undefined {
    const last = fold.outcomes.at(-1)
    const [id, atMs, contract, release, tenant, parent, session, externalId, deadlineMs, oneStep] =
      opened.columns
    const kind = kindDefinition([contract, release, tenant], null)
    const done = this.#statements.insertTask.run(
      this.#nextN,
      id,
      this.#kinds.numberOf(kind),
      atMs,
      deadlineMs,
      parent,
      session,
      externalId,
      opened.detail,
      fold.steps.length,
      fold.settled.length,
      ...totalColumns(totals, oneStep === 1 ? ONE_STEP : 0),
      ...(last === undefined ? NO_OUTCOME : outcomeColumns(last)),
    )
    if (done.changes === 0) return undefined
    const n = this.#nextN++
    for (const [seq, outcome] of fold.outcomes.slice(0, -1).entries()) {
      this.#statements.addOutcome.run(n, seq, ...outcomeColumns(outcome))
    }
    return { n, steps: 0, attempts: 0, whole: 0 }
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

function unknownTask(fold: TaskFold): WithDetail<OpenedColumns> {
  const atMs = fold.settled[0]?.columns[2] ?? fold.outcomes[0]?.columns[2] ?? fold.steps[0]?.columns[2] ?? 0
  const columns: OpenedColumns = [fold.id, atMs, ...UNKNOWN_KIND.names, null, null, null, atMs, 0]
  return { columns, detail: openedDetail(UNKNOWN_KIND, null) }
}
