// What the main thread asks of the database's thread, and how each question is answered.

import type { TaskId } from '../../core/ids.js'
import type { ReportFilter } from '../../core/task/report.js'
import type { EventFilter, TaskFilter } from '../../core/task/views.js'
import { unreachable } from '../../core/unreachable.js'
import type { PruneOptions } from './prune.js'
import type { Position } from './segments.js'
import type { SqliteDatabase } from './sqlite-database.js'
import type { StoreErrorCode } from './store-error.js'

export type Ask =
  | { readonly kind: 'open' }
  | { readonly kind: 'ingest'; readonly to: Position }
  | { readonly kind: 'release'; readonly before: number }
  | { readonly kind: 'open-one-step-tasks' }
  | { readonly kind: 'load-task'; readonly task: TaskId }
  | { readonly kind: 'trace'; readonly task: TaskId }
  | { readonly kind: 'list'; readonly filter: TaskFilter }
  | { readonly kind: 'report'; readonly filter: ReportFilter }
  | { readonly kind: 'owned-costs'; readonly filter: ReportFilter }
  | { readonly kind: 'events'; readonly filter: EventFilter }
  | { readonly kind: 'ended-tasks'; readonly sinceMs: number; readonly untilMs: number }
  | { readonly kind: 'account-totals'; readonly prefixes: readonly string[] }
  | { readonly kind: 'load-content'; readonly reference: string; readonly nowMs: number }
  | { readonly kind: 'prune'; readonly nowMs: number; readonly options: PruneOptions }
  | { readonly kind: 'check' }
  | { readonly kind: 'close'; readonly end: Position | null }

export type Reply =
  | { readonly id: number; readonly kind: 'ok'; readonly value: unknown }
  | { readonly id: number; readonly kind: 'failed'; readonly code: StoreErrorCode; readonly message: string }

export function answer(database: SqliteDatabase, ask: Ask): unknown {
  switch (ask.kind) {
    case 'open':
      return database.open()
    case 'ingest':
      return database.ingest(ask.to)
    case 'release':
      return database.releaseBefore(ask.before)
    case 'prune':
      return database.prune(ask.nowMs, ask.options)
    case 'check':
      return database.check()
    case 'close':
      return database.close(ask.end)
    default:
      return answerQuestion(database, ask)
  }
}

type Question = Exclude<Ask, { readonly kind: 'open' | 'ingest' | 'release' | 'prune' | 'check' | 'close' }>

function answerQuestion(database: SqliteDatabase, ask: Question): unknown {
  switch (ask.kind) {
    case 'open-one-step-tasks':
      return database.openOneStepTasks()
    case 'load-task':
      return database.read((reader) => reader.loadTask(ask.task))
    case 'trace':
      return database.read((reader) => reader.trace(ask.task))
    case 'list':
      return database.read((reader) => reader.list(ask.filter))
    case 'report':
      return database.report(ask.filter)
    case 'owned-costs':
      return database.ownedCosts(ask.filter)
    case 'events':
      return database.events(ask.filter)
    case 'ended-tasks':
      return database.endedTasks(ask.sinceMs, ask.untilMs)
    case 'account-totals':
      return database.read((reader) => reader.accountTotals(ask.prefixes))
    case 'load-content':
      return database.read((reader) => reader.loadContent(ask.reference, ask.nowMs))
    default:
      return unreachable(ask)
  }
}
