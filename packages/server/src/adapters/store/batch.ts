// One batch of the journal, read into memory: what happened to each task, and what is counted beside tasks.
// Only whole calls are handed on at once, so that nothing of them is kept.

import type { TaskId } from '../../core/ids.js'
import type { ServedDeployment } from '../../core/release/served-deployment.js'
import type { BegunColumns, DoneColumns } from './call-line.js'
import { type Definitions, openedDetail } from './definitions.js'
import {
  type ContentColumns,
  type EventColumns,
  FORMAT_VERSION,
  type OpenedColumns,
  type OutcomeColumns,
  type RefusedColumns,
  type ServedColumns,
  type SettledColumns,
  type SplitLine,
  type StepColumns,
  type WithDetail,
  eachLine,
} from './lines.js'
import { StoreError, messageOf } from './store-error.js'
import { type DoneCall, type TaskFold, emptyFold, hasParts, takeApart } from './task-fold.js'
import { openedColumns } from './unpack-call.js'

export const HOUR_MS = 3_600_000

export interface Refusals {
  readonly hourMs: number
  readonly tenant: string
  readonly contract: string
  readonly code: string
  count: number
}

export interface Served {
  readonly columns: ServedColumns
  readonly deployments: readonly ServedDeployment[]
}

/** Kept between batches: tasks that have not ended wait here for the rest of their entries. */
export type PendingTasks = Map<TaskId, TaskFold>

export interface Batch {
  readonly pending: PendingTasks
  readonly definitions: Definitions
  /** Files a whole call; false: its task is there already. */
  readonly file: (call: DoneCall) => boolean
  /** Columns of calls that have begun and, so far, are not done. Those that are done in time are not read. */
  readonly begun: Map<string, string>
  /** Tasks of which this batch has parts. */
  readonly touched: Set<TaskFold>
  readonly refusals: Map<string, Refusals>
  readonly contents: WithDetail<ContentColumns>[]
  /** Releases that began to serve. */
  readonly served: Served[]
  readonly events: WithDetail<EventColumns>[]
  /** Latest instant any entry tells, or 0. */
  latestMs: number
  readonly problems: string[]
}

export function newBatch(reading: Pick<Batch, 'pending' | 'definitions' | 'file'>): Batch {
  const { pending, definitions, file } = reading
  const rest = { refusals: new Map<string, Refusals>(), contents: [], served: [], events: [] }
  const counts = { latestMs: 0, problems: [] }
  return { pending, definitions, file, begun: new Map(), touched: new Set(), ...rest, ...counts }
}

/** Adds whole lines of the journal to the batch. */
export function readInto(batch: Batch, text: string): void {
  eachLine(text, (line) => {
    try {
      readLine(line, batch)
    } catch (error) {
      leaveOut(error, batch)
    }
  })
}

/** After the last lines: calls that are not done by then wait for the next batch. */
export function endBatch(batch: Batch): void {
  for (const id of batch.begun.keys()) takeBegun(batch, id)
}

/** A damaged line must not keep the books closed: the rest of them is still true. */
function leaveOut(error: unknown, { problems }: Batch): void {
  if (error instanceof StoreError) throw error
  problems.push(`a line of the journal cannot be read and was left out: ${messageOf(error)}`)
}

function readLine(line: SplitLine, batch: Batch): void {
  switch (line.tag) {
    case 'B':
      batch.begun.set(firstText(line.columns), line.columns)
      return
    case 'D':
      return readDone(JSON.parse(line.columns) as DoneColumns, line.detail, batch)
    case 'O': {
      const columns = JSON.parse(line.columns) as OpenedColumns
      foldOf(batch, columns[0]).opened = { columns, detail: detached(line.detail) }
      return sawTime(batch, columns[1])
    }
    case 'S':
    case 'E':
    case 'J':
      return readPart(line, batch)
    default:
      return readOther(line, batch)
  }
}

/** The id that a list of columns begins with. Ids have no quotes in them. */
function firstText(columns: string): string {
  return columns.slice(2, columns.indexOf('"', 2))
}

/** Its line is read now: the call has parts, or has to wait. */
function takeBegun(batch: Batch, id: string): void {
  const columns = batch.begun.get(id)
  if (columns === undefined) return
  batch.begun.delete(id)
  try {
    readBegun(columns, batch)
  } catch (error) {
    leaveOut(error, batch)
  }
}

function readBegun(text: string, batch: Batch): void {
  const columns = JSON.parse(text) as BegunColumns
  const kind = batch.definitions.kind(columns[3])
  const detail = openedDetail(kind, columns[6])
  waitingFold(batch, columns[0]).opened = { columns: openedColumns(columns, kind.names), detail }
  sawTime(batch, columns[1])
}

function readDone(columns: DoneColumns, detail: string, batch: Batch): void {
  const [id, openedMs] = columns
  batch.begun.delete(id)
  const kind = batch.definitions.kind(columns[3])
  const call = { columns, detail, kind, terms: batch.definitions.terms(columns[6]) }
  sawTime(batch, openedMs)
  const waiting = batch.pending.get(id)
  if ((waiting === undefined || !hasParts(waiting)) && batch.file(call)) {
    batch.pending.delete(id)
    return
  }
  const fold = foldOf(batch, id)
  takeApart(fold, call)
  batch.touched.add(fold)
}

function readPart({ tag, columns: text, detail }: SplitLine, batch: Batch): void {
  const columns = JSON.parse(text) as SettledColumns | StepColumns | OutcomeColumns
  const fold = foldOf(batch, columns[0])
  const part = { columns, detail: detached(detail) }
  if (tag === 'S') fold.settled.push(part as WithDetail<SettledColumns>)
  else if (tag === 'E') fold.steps.push(part as WithDetail<StepColumns>)
  else fold.outcomes.push(part as WithDetail<OutcomeColumns>)
  if (tag !== 'E') sawTime(batch, columns[2])
  batch.touched.add(fold)
}

/** A slice of a text keeps all of it in memory; this may wait there for the end of its task. */
function detached(text: string): string {
  return Buffer.from(text).toString()
}

function readOther(line: SplitLine, batch: Batch): void {
  switch (line.tag) {
    case 'R':
      return addRefusal(JSON.parse(line.columns) as RefusedColumns, batch)
    case 'C': {
      const columns = JSON.parse(line.columns) as ContentColumns
      batch.contents.push({ columns, detail: line.detail })
      return
    }
    case 'F': {
      const columns = JSON.parse(line.columns) as ServedColumns
      const deployments = JSON.parse(line.detail) as readonly ServedDeployment[]
      batch.served.push({ columns, deployments })
      return
    }
    case 'N':
      batch.events.push({ columns: JSON.parse(line.columns) as EventColumns, detail: line.detail })
      return
    case 'K':
    case 'T':
      return batch.definitions.define(line)
    case 'H': // lives in the journal only: recovery reads it
      return
    case 'V':
      return checkFormat(line.columns)
    default:
      throw new Error(`unknown kind ${JSON.stringify(line.tag)}`)
  }
}

function checkFormat(format: string): void {
  if (Number(format) === FORMAT_VERSION) return
  const message = `the journal is of format ${format}, this version reads format ${FORMAT_VERSION}`
  throw new StoreError('other-format', message)
}

function foldOf(batch: Batch, id: TaskId): TaskFold {
  takeBegun(batch, id)
  return waitingFold(batch, id)
}

function waitingFold(batch: Batch, id: TaskId): TaskFold {
  let fold = batch.pending.get(id)
  if (fold === undefined) {
    fold = emptyFold(id)
    batch.pending.set(id, fold)
  }
  return fold
}

function sawTime(batch: Batch, atMs: number): void {
  if (atMs > batch.latestMs) batch.latestMs = atMs
}

function addRefusal(columns: RefusedColumns, batch: Batch): void {
  const [atMs, tenant, contract, , code] = columns
  const hourMs = Math.floor(atMs / HOUR_MS) * HOUR_MS
  const key = JSON.stringify([hourMs, tenant, contract, code])
  const known = batch.refusals.get(key)
  if (known === undefined) {
    batch.refusals.set(key, { hourMs, tenant: tenant ?? '', contract: contract ?? '', code, count: 1 })
  } else known.count++
}
