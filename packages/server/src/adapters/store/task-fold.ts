// What happened to one task since it was last written to the database. A one-step task is usually complete
// before it is written, so that it touches each table once.

import { NOTHING } from '../../core/budget/amounts.js'
import type { TaskId } from '../../core/ids.js'
import type { OpenedColumns, OutcomeColumns, SettledColumns, StepColumns } from './lines.js'

export interface WithDetail<C> {
  readonly columns: C
  readonly detail: string
}

export interface TaskFold {
  readonly id: TaskId
  opened: WithDetail<OpenedColumns> | null
  readonly settled: WithDetail<SettledColumns>[]
  readonly steps: WithDetail<StepColumns>[]
  readonly outcomes: WithDetail<OutcomeColumns>[]
}

export function emptyFold(id: TaskId): TaskFold {
  return { id, opened: null, settled: [], steps: [], outcomes: [] }
}

export interface FoldTotals {
  modelCalls: number
  inputTokens: number
  outputTokens: number
  toolCalls: number
  toolMs: number
  nanoUsd: number
  unpriced: number
  premiumCalls: number
  degraded: 0 | 1
  escalated: 0 | 1
  cacheHit: 0 | 1
  simulated: 0 | 1
  lastStepEndedMs: number | null
  lastModel: string | null
}

function noTotals(): FoldTotals {
  return {
    ...NOTHING,
    unpriced: 0,
    premiumCalls: 0,
    degraded: 0,
    escalated: 0,
    cacheHit: 0,
    simulated: 0,
    lastStepEndedMs: null,
    lastModel: null,
  }
}

function addSettled(totals: FoldTotals, columns: SettledColumns): void {
  const [, , , , premium, unpriced, simulated, actual] = columns
  totals.modelCalls += actual[0]
  totals.inputTokens += actual[1]
  totals.outputTokens += actual[2]
  totals.toolCalls += actual[3]
  totals.toolMs += actual[4]
  totals.nanoUsd += actual[5]
  totals.unpriced += unpriced
  if (premium === 1) totals.premiumCalls += actual[0]
  totals.simulated ||= simulated
}

function addStep(totals: FoldTotals, columns: StepColumns): void {
  const [, , endedMs, model, degraded, escalated, cacheHit, toolCalls, toolMs, otherNanoUsd] = columns
  totals.toolCalls += toolCalls
  totals.toolMs += toolMs
  totals.nanoUsd += otherNanoUsd
  totals.degraded ||= degraded
  totals.escalated ||= escalated
  totals.cacheHit ||= cacheHit
  totals.lastStepEndedMs = Math.max(totals.lastStepEndedMs ?? endedMs, endedMs)
  totals.lastModel = model ?? totals.lastModel
}

export function totalsOf(fold: TaskFold): FoldTotals {
  const totals = noTotals()
  for (const { columns } of fold.settled) addSettled(totals, columns)
  for (const { columns } of fold.steps) addStep(totals, columns)
  return totals
}
