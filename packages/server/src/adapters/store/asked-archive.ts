// Everything that is read from the books, as questions to the database's thread.

import type { Amounts } from '../../core/budget/amounts.js'
import type { TaskId } from '../../core/ids.js'
import type { OwnedCost } from '../../core/money/owned-hours.js'
import type { ReportFilter, ReportGroup } from '../../core/task/report.js'
import type { EventFilter, EventRow, TaskFilter, TaskSummary, TaskTrace } from '../../core/task/views.js'
import type { Archive, ContractTasks } from '../../engine/ports.js'
import type { Ask } from './worker-protocol.js'

export abstract class AskedArchive implements Archive {
  /** Reads see everything written before they were asked. */
  protected abstract ask<T>(ask: Ask): Promise<T>
  protected abstract nowMs(): number

  loadTask(id: TaskId): Promise<TaskSummary | null> {
    return this.ask({ kind: 'load-task', task: id })
  }

  trace(id: TaskId): Promise<TaskTrace | null> {
    return this.ask({ kind: 'trace', task: id })
  }

  list(filter: TaskFilter): ReturnType<Archive['list']> {
    return this.ask({ kind: 'list', filter })
  }

  report(filter: ReportFilter): Promise<readonly ReportGroup[]> {
    return this.ask({ kind: 'report', filter })
  }

  ownedCosts(filter: ReportFilter): Promise<readonly OwnedCost[]> {
    return this.ask({ kind: 'owned-costs', filter })
  }

  events(filter: EventFilter): Promise<readonly EventRow[]> {
    return this.ask({ kind: 'events', filter })
  }

  endedTasks(sinceMs: number, untilMs: number): Promise<readonly ContractTasks[]> {
    return this.ask({ kind: 'ended-tasks', sinceMs, untilMs })
  }

  accountTotals(prefixes: readonly string[]): Promise<ReadonlyMap<string, Amounts>> {
    return this.ask({ kind: 'account-totals', prefixes })
  }

  loadContent(reference: string): Promise<string | null> {
    return this.ask({ kind: 'load-content', reference, nowMs: this.nowMs() })
  }
}
