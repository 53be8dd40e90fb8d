// The books as tables. Reads the journal up to a place, exactly once: the place is stored with what was read.
// A task that has not ended waits in memory for the rest of its entries, and the journal still has them: so
// at any time a task is either in the database up to the stored place, or not at all. `adopt` finds the
// latter again.

import Database from 'better-sqlite3'
import { join } from 'node:path'
import type { OwnedCost } from '../../core/money/owned-hours.js'
import type { HoldMade } from '../../core/task/records.js'
import type { ReportFilter, ReportGroup } from '../../core/task/report.js'
import type { EventFilter, EventRow, TaskSummary } from '../../core/task/views.js'
import type { ContractTasks } from '../../engine/ports.js'
import { type Batch, type PendingTasks, endBatch, newBatch, readInto } from './batch.js'
import { Definitions } from './definitions.js'
import { eachLine } from './lines.js'
import { lockDirectory } from './lock.js'
import { OpenHolds } from './open-holds.js'
import { type PruneOptions, type Pruned, pruneSlice } from './prune.js'
import { prepareSchema } from './schema.js'
import { type Position, deleteSegmentsBefore, listSegments, readSlices } from './segments.js'
import { SqliteReader } from './sqlite-reader.js'
import { endedTasksOf, eventsOf } from './sqlite-events.js'
import { ownedCostsOf } from './sqlite-owned.js'
import { report } from './sqlite-report.js'
import { SqliteWriter } from './sqlite-writer.js'
import { StoreError, messageOf } from './store-error.js'
import type { DoneCall, TaskFold } from './task-fold.js'

/** Journal bytes written to the tables in one transaction. */
const TRANSACTION_BYTES = 1024 * 1024
/** Tasks that wait in memory for their end; at this many all are written as they are. */
const PENDING_TASKS_MAX = 20_000

/** What is remembered of the journal before the stored place. */
interface Reading {
  readonly pending: PendingTasks
  /** Of the segment of that place. */
  definitions: Definitions
}

export interface DatabaseOptions {
  readonly dir: string
  /** For tests: tasks that may wait in memory. Default 20000. */
  readonly pendingTasksMax?: number
}

export interface Opened {
  readonly position: Position
  /** Last segment that exists, or 0. */
  readonly lastSegment: number
  /** Made and never settled, in order of making. */
  readonly openHolds: readonly HoldMade[]
  readonly problems: readonly string[]
}

export class SqliteDatabase {
  readonly #dir: string
  readonly #lock: Database.Database
  readonly #db: Database.Database
  readonly #writer: SqliteWriter
  readonly #pendingMax: number
  #position: Position
  /**
   * null after a failed transaction: memory may be ahead of the tables, so it is read again from the
   * journal.
   */
  #reading: Reading | null = null

  /** Fails with code `locked` when another process, or another store of this one, has the directory. */
  constructor(options: DatabaseOptions) {
    this.#dir = options.dir
    this.#pendingMax = options.pendingTasksMax ?? PENDING_TASKS_MAX
    this.#lock = lockDirectory(options.dir)
    this.#db = new Database(join(options.dir, 'books.db'))
    prepareSchema(this.#db)
    this.#writer = new SqliteWriter(this.#db)
    this.#position = this.#db.prepare('SELECT segment, offset FROM meta').get() as Position
  }

  get position(): Position {
    return this.#position
  }

  /** Reads whatever the journal has, and finds the holds that nobody settled. */
  open(): Opened {
    const problems = this.ingest({ segment: Infinity, offset: Infinity })
    const openHolds = new OpenHolds()
    const segments = listSegments(this.#dir)
    for (const segment of segments) {
      openHolds.beginSegment()
      for (const { text } of readSlices(this.#dir, { segment, offset: 0 }, Infinity)) {
        eachLine(text, (line) => openHolds.read(line))
      }
    }
    const lastSegment = Math.max(this.#position.segment, segments.at(-1) ?? 0)
    return { position: this.#position, lastSegment, openHolds: openHolds.list(), problems }
  }

  /** Reads the journal up to `to`. Returns what was wrong with it. */
  ingest(to: Position): string[] {
    const problems: string[] = []
    for (const segment of listSegments(this.#dir)) {
      if (segment < this.#position.segment || segment > to.segment) continue
      const offset = segment === this.#position.segment ? this.#position.offset : 0
      problems.push(
        ...this.#ingestSegment({ segment, offset }, segment === to.segment ? to.offset : Infinity),
      )
    }
    return problems
  }

  /** Files of the journal before `segment` are not needed any more: everything in them is in the tables. */
  releaseBefore(segment: number): void {
    if (this.#position.segment < segment) return
    this.#writePending()
    // The tables reach the disk before the journal's copy goes.
    this.#db.pragma('wal_checkpoint(FULL)')
    deleteSegmentsBefore(this.#dir, segment)
  }

  /** For every reading: tasks that still wait are written first, so that reads see everything. */
  read<T>(query: (reader: SqliteReader) => T): T {
    this.#writePending()
    return query(new SqliteReader(this.#db))
  }

  report(filter: ReportFilter): readonly ReportGroup[] {
    this.#writePending()
    return report(this.#db, filter)
  }

  ownedCosts(filter: ReportFilter): readonly OwnedCost[] {
    this.#writePending()
    return ownedCostsOf(this.#db, filter)
  }

  events(filter: EventFilter): readonly EventRow[] {
    this.#writePending()
    return eventsOf(this.#db, filter)
  }

  endedTasks(sinceMs: number, untilMs: number): readonly ContractTasks[] {
    this.#writePending()
    return endedTasksOf(this.#db, sinceMs, untilMs)
  }

  openOneStepTasks(): readonly TaskSummary[] {
    return this.read((reader) => reader.openOneStepTasks())
  }

  prune(nowMs: number, options: PruneOptions): Pruned {
    this.#writePending()
    return this.#db.transaction(() => pruneSlice(this.#db, nowMs, options))()
  }

  /** `PRAGMA integrity_check`: `ok`, or what is broken. */
  check(): string {
    return String(this.#db.pragma('integrity_check', { simple: true }))
  }

  /**
   * `end`: where the journal ends, when nothing in it is needed once it has been read; null keeps its files.
   */
  close(end: Position | null): void {
    try {
      this.#writePending()
      this.#db.pragma('wal_checkpoint(TRUNCATE)')
      const { segment, offset } = this.#position
      if (segment === end?.segment && offset === end.offset) deleteSegmentsBefore(this.#dir, segment + 1)
    } finally {
      this.#db.close()
      this.#lock.close()
    }
  }

  #ingestSegment({ segment, offset: from }: Position, to: number): readonly string[] {
    if (from === 0) this.#waiting().definitions = new Definitions()
    const problems: string[] = []
    for (let start = from, isMore = true; isMore;) {
      const batch = this.#newBatch()
      const end = this.#transact(() => {
        const offset = this.#readBatch(batch, { segment, offset: start }, to)
        this.#writeBatch(batch)
        return { segment, offset }
      })
      problems.push(...batch.problems)
      isMore = end.offset - start >= TRANSACTION_BYTES
      start = end.offset
    }
    return problems
  }

  /** One transaction's worth; less, when there is no more. Returns where it ends. */
  #readBatch(batch: Batch, from: Position, to: number): number {
    let end = from.offset
    for (const { text, endOffset } of readSlices(this.#dir, from, to)) {
      readInto(batch, text)
      end = endOffset
      if (end - from.offset >= TRANSACTION_BYTES) break
    }
    endBatch(batch)
    return end
  }

  #newBatch(): Batch {
    return newBatch({ ...this.#waiting(), file: (call) => this.#file(call) })
  }

  #file(call: DoneCall): boolean {
    try {
      return this.#writer.writeCall(call)
    } catch (error) {
      if (isDamage(error)) throw error
      throw new StoreError('database', messageOf(error), error)
    }
  }

  #waiting(): Reading {
    this.#reading ??= this.#adopt()
    return this.#reading
  }

  #writeBatch(batch: Batch): void {
    const { pending } = this.#waiting()
    this.#writer.writeCounts(batch)
    for (const fold of batch.touched) {
      // Not ended, and not in the tables yet: the rest is on its way.
      if (isWaiting(fold)) continue
      pending.delete(fold.id)
      try {
        this.#writer.writeTask(fold)
      } catch (error) {
        if (!isDamage(error)) throw error
        batch.problems.push(`what the journal says of a task was left out: ${messageOf(error)}`)
      }
    }
    if (pending.size > this.#pendingMax) this.#writeAll(pending)
  }

  #writePending(): void {
    const { pending } = this.#waiting()
    if (pending.size === 0) return
    this.#transact(() => {
      this.#writeAll(pending)
      return this.#position
    })
  }

  #writeAll(pending: PendingTasks): void {
    for (const fold of pending.values()) this.#writer.writeTask(fold)
    pending.clear()
  }

  /** `write` says up to where the journal is in the tables afterwards. */
  #transact(write: () => Position): Position {
    try {
      this.#position = this.#db.transaction(() => {
        const position = write()
        this.#writer.finish(position)
        return position
      })()
      return this.#position
    } catch (error) {
      this.#reading = null
      this.#writer.reset()
      throw error
    }
  }

  /** Tasks of the journal before the stored place that have not ended and are not in the tables. */
  #adopt(): Reading {
    const pending: PendingTasks = new Map()
    let definitions = new Definitions()
    for (const segment of listSegments(this.#dir)) {
      if (segment > this.#position.segment) break
      definitions = new Definitions()
      const end = segment === this.#position.segment ? this.#position.offset : Infinity
      for (const { text } of readSlices(this.#dir, { segment, offset: 0 }, end)) {
        const batch = newBatch({ pending, definitions, file: () => true })
        readInto(batch, text)
        endBatch(batch)
        for (const fold of batch.touched) if (!isWaiting(fold)) pending.delete(fold.id)
      }
    }
    for (const id of pending.keys()) if (this.#writer.has(id)) pending.delete(id)
    return { pending, definitions }
  }
}

/** For the rest of its entries, with the journal to find it in again. */
function isWaiting({ opened, outcomes }: TaskFold): boolean {
  return opened !== null && outcomes.length === 0
}

/** Is it the values that cannot be filed, and not the database that refuses? */
function isDamage(error: unknown): boolean {
  return !(error instanceof Database.SqliteError) || error.code === 'SQLITE_CONSTRAINT_NOTNULL'
}
