// One batch of the journal, read into memory: what happened to each task, and what is counted beside tasks.
// Pure reading: nothing here touches the database.

import type { TaskId } from '../../core/ids.js'
import {
  type ContentColumns,
  FORMAT_VERSION,
  type OpenedColumns,
  type OutcomeColumns,
  type RefusedColumns,
  type SettledColumns,
  type SplitLine,
  type StepColumns,
  eachLine,
} from './lines.js'
import { StoreError, messageOf } from './store-error.js'
import { type TaskFold, type WithDetail, emptyFold } from './task-fold.js'

export const HOUR_MS = 3_600_000

export interface Refusals {
  readonly hourMs: number
  readonly tenant: string
  readonly contract: string
  readonly code: string
  count: number
}

/** Kept between batches: tasks that have not ended wait here for the rest of their entries. */
export type PendingTasks = Map<TaskId, TaskFold>

export interface Batch {
  readonly pending: PendingTasks
  /** Tasks this batch said something about. */
  readonly touched: Set<TaskFold>
  readonly refusals: Map<string, Refusals>
  readonly contents: WithDetail<ContentColumns>[]
  /** Latest instant any entry tells, or 0. */
  latestMs: number
  readonly problems: string[]
}

export function newBatch(pending: PendingTasks): Batch {
  return { pending, touched: new Set(), refusals: new Map(), contents: [], latestMs: 0, problems: [] }
}

/** Adds whole lines of the journal to the batch. */
export function readInto(batch: Batch, text: string): void {
  eachLine(text, (line) => {
    try {
      readLine(line, batch)
    } catch (error) {
      if (error instanceof StoreError) throw error
      // A damaged line must not keep the books closed: the rest of them is still true.
      batch.problems.push(`a line of the journal cannot be read and was left out: ${messageOf(error)}`)
    }
  })
}

function readLine(line: SplitLine, batch: Batch): void {
  switch (line.tag) {
    case 'O': {
      const columns = JSON.parse(line.columns) as OpenedColumns
      foldOf(batch, columns[0], columns[1]).opened = { columns, detail: line.detail }
      return
    }
    case 'S': {
      const columns = JSON.parse(line.columns) as SettledColumns
      foldOf(batch, columns[0], columns[2]).settled.push({ columns, detail: line.detail })
      return
    }
    case 'E': {
      const columns = JSON.parse(line.columns) as StepColumns
      foldOf(batch, columns[0], 0).steps.push({ columns, detail: line.detail })
      return
    }
    case 'J': {
      const columns = JSON.parse(line.columns) as OutcomeColumns
      foldOf(batch, columns[0], columns[2]).outcomes.push({ columns, detail: line.detail })
      return
    }
    default:
      return readOther(line, batch)
  }
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
    case 'H': // lives in the journal only: recovery reads it
      return
    case 'V':
      if (Number(line.columns) <= FORMAT_VERSION) return
      throw new StoreError(
        'newer-format',
        `the journal is of format ${line.columns}, newer than ${FORMAT_VERSION}`,
      )
    default:
      throw new Error(`unknown kind ${JSON.stringify(line.tag)}`)
  }
}

function foldOf(batch: Batch, id: TaskId, atMs: number): TaskFold {
  let fold = batch.pending.get(id)
  if (fold === undefined) {
    fold = emptyFold(id)
    batch.pending.set(id, fold)
  }
  batch.touched.add(fold)
  if (atMs > batch.latestMs) batch.latestMs = atMs
  return fold
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
