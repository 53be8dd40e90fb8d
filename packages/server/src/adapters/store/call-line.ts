// A call as lines: `B` when it has begun (opened and held for), `D` when it is done. The second says
// everything again, so it needs no other line to be filed. Its columns are what the tables sum; its detail
// is one text that becomes one field of the task's row as it is. Times are told from the task's opening:
// short numbers. Every call pays for its lines, so they are put together from text, in the order of the
// types below: numbers, our own ids and codes need no escaping, and what most calls say alike comes
// as text from `ways.ts`.

import type { Amounts } from '../../core/budget/amounts.js'
import type { AttemptId, HoldId, StepId, TaskId } from '../../core/ids.js'
import type { TokenCounts } from '../../core/money/token-counts.js'
import type { AttemptRecord, HoldMade, HoldSettled, StepEnded, TaskOpened } from '../../core/task/records.js'
import type { Call, WholeCall } from './call.js'
import type { Dictionary, Kind } from './dictionary.js'
import type { OpenedDetail } from './lines.js'
import { type PackedAmounts, type PackedTokens, bit } from './packed.js'
import type { PackedDecision, PackedOutcome } from './packed-step.js'
import { ANSWERED, ONE_STEP, attemptFlags, statusCode, stepFlags, verdictCode } from './task-codes.js'
import type { Ways } from './ways.js'

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
  cacheSavedNanoUsd?: number,
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
  const kind = dictionary.kindOf(opened)
  const terms = dictionary.termsOf(hold)
  const task = `${taskText(opened, kind)},${ownText(opened, kind)},${terms}`
  const held = `"${hold.id}",${hold.atMs - opened.atMs},${heldText(hold.amounts)}`
  return `${dictionary.takeDefinitions()}B\t[${task},${held},"${hold.step}","${hold.attempt.id}"]\t\n`
}

export function doneLine(call: WholeCall, dictionary: Dictionary, ways: Ways): string {
  const { opened, hold } = call
  const kind = dictionary.kindOf(opened)
  const terms = hold === null ? null : dictionary.termsOf(hold)
  const columns = `${taskText(opened, kind)},${terms},${columnsText(call)}`
  const detail = `${ownText(opened, kind)},${chargeText(call)},${callText(call, ways)}`
  return `${dictionary.takeDefinitions()}D\t[${columns}]\t[${detail}]\n`
}

function taskText({ id, atMs, deadlineMs, session, externalId }: TaskOpened, kind: Kind): string {
  const names =
    session === null && externalId === null ? 'null,null' : `${quoted(session)},${quoted(externalId)}`
  return `"${id}",${atMs},${deadlineMs - atMs},${kind.number},${names}`
}

function ownText({ limits, attributes }: TaskOpened, { shared }: Kind): string {
  return shared === null ? JSON.stringify({ limits, attributes }) : 'null'
}

function quoted(text: string | null): string {
  return text === null ? 'null' : JSON.stringify(text)
}

/** A call uses no tool, or it would have left the plan. */
function heldText({ modelCalls, inputTokens, outputTokens, nanoUsd }: Amounts): string {
  return `[${modelCalls},${inputTokens},${outputTokens},0,0,${nanoUsd}]`
}

/** Mostly zeros: as one piece of text these cost less than one by one. */
function tokensText(tokens: TokenCounts): string {
  const { input, cacheRead, cacheWrite, cacheWrite1h, output, reasoning, audioInput, audioOutput } = tokens
  const isCached = cacheRead !== 0 || cacheWrite !== 0 || cacheWrite1h !== 0
  const cached = isCached ? `${cacheRead},${cacheWrite},${cacheWrite1h}` : '0,0,0'
  const isMore = reasoning !== 0 || audioInput !== 0 || audioOutput !== 0
  const more = isMore ? `${reasoning},${audioInput},${audioOutput}` : '0,0,0'
  return `[${input},${cached},${output},${more}]`
}

/** From what was charged on. */
function columnsText({ opened, settled, step, outcome }: WholeCall): string {
  const { atMs } = opened
  const flags =
    stepFlags(step) |
    ONE_STEP |
    (settled === null ? 0 : attemptFlags(settled.attempt)) |
    (step.model === null ? 0 : ANSWERED)
  const stepEndedAfterMs = step.startedMs + step.durationMs - atMs
  const judged = `${statusCode(outcome.status)},${outcome.atMs - atMs},${verdictCode(outcome)}`
  const latency = `${outcome.latencyMs},${outcome.priceNanoUsd}`
  return `${chargedText(settled)},${flags},${stepEndedAfterMs},${judged},${latency}`
}

function chargedText(settled: HoldSettled | null): string {
  if (settled === null) return '0,0,0,0,0'
  const { modelCalls, inputTokens, outputTokens, nanoUsd } = settled.actual
  return `${modelCalls},${inputTokens},${outputTokens},${nanoUsd},${bit(settled.attempt.nanoUsd === null)}`
}

function chargeText({ opened, hold, settled }: WholeCall): string {
  if (hold === null || settled === null) return 'null'
  const { atMs } = opened
  const { attempt } = settled
  const { id, startedMs, durationMs, firstByteMs, status, end, nanoUsd, disputed } = attempt
  const held = `"${hold.id}",${hold.atMs - atMs},${heldText(hold.amounts)},"${id}"`
  const times = `${settled.atMs - atMs},${startedMs - atMs},${durationMs},${firstByteMs}`
  const ending = `${status},${end === 'ok' ? '"ok"' : quoted(end)},${tokensText(attempt.tokens)}`
  const known = `"${attempt.basis}",${disputed === undefined ? 'null' : JSON.stringify(disputed)}`
  const saved = attempt.cacheSavedNanoUsd === undefined ? '' : `,${attempt.cacheSavedNanoUsd}`
  return `[${held},${times},${ending},${bit(nanoUsd !== null)},${known}${saved}]`
}

/** From the step on. */
function callText({ opened, step, outcome }: WholeCall, ways: Ways): string {
  const way = ways.textsOf(opened.contract, step, outcome)
  const { id, startedMs, durationMs, firstByteMs, promptHash, error, content, traceparent } = step
  const times = `"${id}",${way.name},${startedMs - opened.atMs},${durationMs},${firstByteMs}`
  const ending = `${quoted(error)},${quoted(content)},${way.finish},${quoted(traceparent)}`
  const judged = `${way.judged},${outcome.nanoUsd},${outcome.unpricedCalls},${way.rules}`
  return `${times},${way.course},${quoted(promptHash)},${ending},[${judged}]`
}
