// What happened to one task since it was last written to the database. A one-step task is usually complete
// before it is written, so that it touches each table once.

import { NOTHING } from '../../core/budget/amounts.js'
import type { TaskId } from '../../core/ids.js'
import type { DoneColumns, PackedCall } from './call-line.js'
import { type KindDefinition, type TermsDefinition, openedDetail } from './definitions.js'
import {
  type OpenedColumns,
  type OutcomeColumns,
  type SettledColumns,
  type StepColumns,
  type WithDetail,
  outcomeParts,
  settledParts,
  stepParts,
} from './lines.js'
import { type UnpackedCall, factsOf, openedColumns, unpackCall } from './unpack-call.js'

/** A whole call: one line, to become one row. */
export interface DoneCall extends WithDetail<DoneColumns> {
  readonly kind: KindDefinition
  readonly terms: TermsDefinition | null
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

export function hasParts({ settled, steps, outcomes }: TaskFold): boolean {
  return settled.length > 0 || steps.length > 0 || outcomes.length > 0
}

/** A call as the parts it was made of, where it is not the only thing there is to say about its task. */
export function takeApart(fold: TaskFold, { columns, detail, kind, terms }: DoneCall): void {
  const packed = JSON.parse(detail) as PackedCall
  fold.opened ??= { columns: openedColumns(columns, kind.names), detail: openedDetail(kind, packed[0]) }
  addParts(fold, unpackCall(factsOf(columns, terms?.terms ?? null), packed))
}

export function addParts(fold: TaskFold, { settled, step, outcome }: UnpackedCall): void {
  if (settled !== null) fold.settled.push(settledParts(settled))
  // The charge is in the ledger: the step only names it.
  fold.steps.push(stepParts(step, new Set(step.attempts.map(({ id }) => id))))
  fold.outcomes.push(outcomeParts(outcome))
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
  flags: number
  lastStepEndedMs: number | null
  lastModel: string | null
}

function noTotals(): FoldTotals {
  return {
    ...NOTHING,
    unpriced: 0,
    premiumCalls: 0,
    flags: 0,
    lastStepEndedMs: null,
    lastModel: null,
  }
}

function addSettled(totals: FoldTotals, columns: SettledColumns): void {
  const [, , , , premium, unpriced, flags, actual] = columns
  totals.modelCalls += actual[0]
  totals.inputTokens += actual[1]
  totals.outputTokens += actual[2]
  totals.toolCalls += actual[3]
  totals.toolMs += actual[4]
  totals.nanoUsd += actual[5]
  totals.unpriced += unpriced
  if (premium === 1) totals.premiumCalls += actual[0]
  totals.flags |= flags
}

function addStep(totals: FoldTotals, columns: StepColumns): void {
  const [, , endedMs, model, flags, toolCalls, toolMs, otherNanoUsd] = columns
  totals.toolCalls += toolCalls
  totals.toolMs += toolMs
  totals.nanoUsd += otherNanoUsd
  totals.flags |= flags
  totals.lastStepEndedMs = Math.max(totals.lastStepEndedMs ?? endedMs, endedMs)
  totals.lastModel = model ?? totals.lastModel
}

export function totalsOf(fold: TaskFold): FoldTotals {
  const totals = noTotals()
  for (const { columns } of fold.settled) addSettled(totals, columns)
  for (const { columns } of fold.steps) addStep(totals, columns)
  return totals
}
