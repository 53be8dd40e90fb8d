// A call as lines: `B` when it has begun (opened and held for), `D` when it is done. The second says
// everything again, so it needs no other line to be filed. Its columns are what the tables sum; its detail
// is one text that becomes one field of the task's row as it is. Times are told from the task's opening:
// short numbers.

import type { AttemptId, HoldId, StepId, TaskId } from '../../core/ids.js'
import type { AttemptRecord, HoldMade, StepEnded } from '../../core/task/records.js'
import type { Call, WholeCall } from './call.js'
import type { Dictionary } from './dictionary.js'
import type { OpenedDetail } from './lines.js'
import { type PackedAmounts, type PackedTokens, packAmounts, packTokens } from './packed.js'
import { type PackedDecision, type PackedOutcome, packDecision, packOutcome } from './packed-step.js'
import { ANSWERED, ONE_STEP, SIMULATED, statusCode, stepFlags, verdictCode } from './task-codes.js'

type TaskColumns = readonly [
  TaskId,
  openedMs: number,
  deadlineAfterMs: number,
  kind: number,
  session: string | null,
  externalId: string | null,
]

export type BegunColumns = readonly [
  ...task: TaskColumns,
  own: OpenedDetail | null,
  terms: number,
  ...hold: readonly [HoldId, heldAfterMs: number, amounts: PackedAmounts, StepId, AttemptId],
]

export type DoneColumns = readonly [
  ...task: TaskColumns,
  terms: number | null,
  ...charged: readonly [modelCalls: number, inputTokens: number, outputTokens: number, nanoUsd: number],
  ...step: readonly [unpriced: 0 | 1, flags: number, stepEndedAfterMs: number],
  ...outcome: readonly [status: number, endedAfterMs: number, verdict: number, latencyMs: number],
  priceNanoUsd: number | null,
]

export type PackedCharge = readonly [
  ...hold: readonly [HoldId, heldAfterMs: number, held: PackedAmounts, AttemptId],
  ...times: readonly [settledAfterMs: number, startedAfterMs: number, durationMs: number, number | null],
  ...ending: readonly [status: number, end: string, PackedTokens, isPriced: 0 | 1],
  ...known: readonly [AttemptRecord['basis'], disputed: AttemptRecord['disputed'] | null],
]

/** What a call says beside its columns. `own`: limits and attributes that it shares with nobody. */
export type PackedCall = readonly [
  own: OpenedDetail | null,
  charge: PackedCharge | null,
  ...step: readonly [StepId, name: string, startedAfterMs: number, durationMs: number, number | null],
  ...how: readonly [
    route: string | null,
    StepEnded['cache'],
    number | null,
    degraded: readonly string[],
    0 | 1,
  ],
  ...why: readonly [readonly string[], readonly PackedDecision[], promptHash: string | null],
  ...ending: readonly [string | null, content: string | null, string | null, traceparent: string | null],
  outcome: PackedOutcome,
]

export function begunLine({ opened }: Call, hold: HoldMade, dictionary: Dictionary): string {
  const { id, atMs, deadlineMs, session, externalId, limits, attributes } = opened
  const kind = dictionary.kindOf(opened)
  const terms = dictionary.termsOf(hold)
  const columns: BegunColumns = [
    id,
    atMs,
    deadlineMs - atMs,
    kind.number,
    session,
    externalId,
    kind.shared === null ? { limits, attributes } : null,
    terms,
    hold.id,
    hold.atMs - atMs,
    packAmounts(hold.amounts),
    hold.step,
    hold.attempt.id,
  ]
  return `${dictionary.takeDefinitions()}B\t${JSON.stringify(columns)}\t\n`
}

export function doneLine(call: WholeCall, dictionary: Dictionary): string {
  const kind = dictionary.kindOf(call.opened)
  const terms = call.hold === null ? null : dictionary.termsOf(call.hold)
  const { limits, attributes } = call.opened
  const columns = JSON.stringify(columnsOf(call, kind.number, terms))
  const detail = JSON.stringify(packCall(call, kind.shared === null ? { limits, attributes } : null))
  return `${dictionary.takeDefinitions()}D\t${columns}\t${detail}\n`
}

function columnsOf(
  { opened, settled, step, outcome }: WholeCall,
  kind: number,
  terms: number | null,
): DoneColumns {
  const { id, atMs, deadlineMs, session, externalId } = opened
  const actual = settled?.actual
  return [
    id,
    atMs,
    deadlineMs - atMs,
    kind,
    session,
    externalId,
    terms,
    actual?.modelCalls ?? 0,
    actual?.inputTokens ?? 0,
    actual?.outputTokens ?? 0,
    actual?.nanoUsd ?? 0,
    settled?.attempt.nanoUsd === null ? 1 : 0,
    stepFlags(step) |
      ONE_STEP |
      (settled?.attempt.simulated === true ? SIMULATED : 0) |
      (step.model === null ? 0 : ANSWERED),
    step.startedMs + step.durationMs - atMs,
    statusCode(outcome.status),
    outcome.atMs - atMs,
    verdictCode(outcome),
    outcome.latencyMs,
    outcome.priceNanoUsd,
  ]
}

function packCharge({ opened, hold, settled }: WholeCall): PackedCharge | null {
  if (hold === null || settled === null) return null
  const { attempt } = settled
  return [
    hold.id,
    hold.atMs - opened.atMs,
    packAmounts(hold.amounts),
    attempt.id,
    settled.atMs - opened.atMs,
    attempt.startedMs - opened.atMs,
    attempt.durationMs,
    attempt.firstByteMs,
    attempt.status,
    attempt.end,
    packTokens(attempt.tokens),
    attempt.nanoUsd === null ? 0 : 1,
    attempt.basis,
    attempt.disputed ?? null,
  ]
}

function packCall(call: WholeCall, own: OpenedDetail | null): PackedCall {
  const { opened, step, outcome } = call
  return [
    own,
    packCharge(call),
    step.id,
    step.name,
    step.startedMs - opened.atMs,
    step.durationMs,
    step.firstByteMs,
    step.route,
    step.cache,
    step.cacheAgeMs,
    step.degraded,
    step.streamed ? 1 : 0,
    step.unknownRules,
    step.decisions.map(packDecision),
    step.promptHash,
    step.error,
    step.content,
    step.finishReason,
    step.traceparent,
    packOutcome(outcome),
  ]
}
