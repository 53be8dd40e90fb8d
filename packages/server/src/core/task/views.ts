// What the books give back about tasks: summaries for lists, everything for one trace.

import type { Amounts } from '../budget/amounts.js'
import type { TaskId } from '../ids.js'
import type { EventName } from './event-names.js'
import type { HoldSettled, OutcomeJudged, StepEnded, TaskOpened } from './records.js'

export type TaskStatus = 'open' | 'succeeded' | 'failed' | 'abandoned'

/** Enough to go on with a task after a restart. */
export interface TaskSummary {
  readonly opened: TaskOpened
  readonly status: TaskStatus
  /** Sum over its settled attempts and reported steps. */
  readonly spent: Amounts
  /** With all its sub-tasks and theirs. Absent when it has none. */
  readonly spentWithChildren?: Amounts
  readonly unpricedCalls: number
  readonly attempts: number
  readonly steps: number
  /** The last outcome; earlier ones are in the trace. */
  readonly outcome: OutcomeJudged | null
  readonly degraded: boolean
  readonly lastStepEndedMs: number | null
}

/** Everything known about a task, in order of time. */
export interface TaskTrace {
  readonly summary: TaskSummary
  readonly steps: readonly StepEnded[]
  /** Charges, by step number; equal to the attempts inside the steps, plus those settled after a crash. */
  readonly charges: readonly HoldSettled[]
  readonly outcomes: readonly OutcomeJudged[]
  readonly children: readonly TaskId[]
}

export interface TaskFilter {
  readonly contract?: string
  readonly tenant?: string
  readonly status?: TaskStatus
  readonly session?: string
  readonly externalId?: string
  readonly degraded?: boolean
  readonly sinceMs?: number
  readonly untilMs?: number
  /** Most rows, 1..500. Default 50, newest first. */
  readonly limit?: number
  /** `nextCursor` of the page before. */
  readonly cursor?: string
}

export interface TaskRow {
  readonly id: TaskId
  readonly contract: string
  readonly tenant: string
  readonly status: TaskStatus
  readonly openedMs: number
  readonly latencyMs: number | null
  readonly success: boolean | null
  readonly harm: boolean | null
  readonly nanoUsd: number
  readonly unpricedCalls: number
  readonly steps: number
  readonly attempts: number
  readonly degraded: boolean
  readonly escalated: boolean
  readonly session: string | null
  readonly externalId: string | null
}

export interface EventFilter {
  readonly event?: EventName
  readonly subject?: string
  /** Most rows, 1..500. Default 50, newest first. */
  readonly limit?: number
  /** Only those with a smaller number: the last of the page before. */
  readonly before?: number
}

export interface EventRow {
  /** Rises in order of writing. */
  readonly n: number
  readonly atMs: number
  readonly event: EventName
  readonly subject: string
  readonly detail: Readonly<Record<string, unknown>>
}
