// A call back from its line or its row: the entries it was made of.

import { NOTHING } from '../../core/budget/amounts.js'
import type { TaskId } from '../../core/ids.js'
import type {
  AttemptRecord,
  HoldMade,
  HoldSettled,
  OutcomeJudged,
  StepEnded,
} from '../../core/task/records.js'
import type { BegunColumns, DoneColumns, PackedCall, PackedCharge } from './call-line.js'
import type { OpenedColumns } from './lines.js'
import { type PackedTerms, unpackAmounts, unpackTokens } from './packed.js'
import { type OutcomeFacts, unpackDecision, unpackOutcome } from './packed-step.js'
import { ANSWERED, ESCALATED } from './task-codes.js'

/** What the columns of a done call say, of a line as of a row. */
export interface CallFacts extends OutcomeFacts {
  readonly openedMs: number
  readonly modelCalls: number
  readonly inputTokens: number
  readonly outputTokens: number
  readonly nanoUsd: number
  readonly flags: number
  readonly terms: PackedTerms | null
}

export interface UnpackedCall {
  readonly settled: HoldSettled | null
  readonly step: StepEnded
  readonly outcome: OutcomeJudged
}

export function factsOf(columns: DoneColumns, terms: PackedTerms | null): CallFacts {
  const [id, openedMs, , , , , , modelCalls, inputTokens, outputTokens, nanoUsd, ...rest] = columns
  const [, flags, , status, endedAfterMs, verdict, latencyMs, priceNanoUsd] = rest
  return {
    id,
    openedMs,
    modelCalls,
    inputTokens,
    outputTokens,
    nanoUsd,
    flags,
    status,
    endedMs: openedMs + endedAfterMs,
    verdict,
    latencyMs,
    priceNanoUsd,
    terms,
  }
}

export function unpackCall(facts: CallFacts, packed: PackedCall): UnpackedCall {
  const settled = unpackCharge(facts, packed[1])
  return { settled, step: unpackStep(facts, packed, settled), outcome: unpackOutcome(facts, packed[19]) }
}

/** The hold of a begun call. */
export function unpackBegunHold(columns: BegunColumns, terms: PackedTerms): HoldMade {
  const [task, openedMs, , , , , , , id, heldAfterMs, amounts, step, attempt] = columns
  return {
    kind: 'hold-made',
    id,
    atMs: openedMs + heldAfterMs,
    task,
    step,
    stepNumber: 1,
    amounts: unpackAmounts(amounts),
    attempt: { id: attempt, number: 1, purpose: 'answer' },
    ...unpackTerms(task, terms),
  }
}

/** The columns of the task, as the line that only opens one would have them. */
export function openedColumns(
  [id, atMs, deadlineAfterMs, , session, externalId]: BegunColumns | DoneColumns,
  [contract, release, tenant]: readonly [string, OpenedColumns[3], string],
): OpenedColumns {
  return [id, atMs, contract, release, tenant, null, session, externalId, atMs + deadlineAfterMs, 1]
}

function unpackTerms(task: TaskId, terms: PackedTerms) {
  const [accounts, model, deployment, provider, tier, priceBook, simulated] = terms
  const made = { model, deployment, provider, tier, priceBook, simulated: simulated === 1 }
  return { accounts: [`task:${task}`, ...accounts], ...made }
}

function unpackCharge(facts: CallFacts, packed: PackedCharge | null): HoldSettled | null {
  const { id: task, openedMs, terms, modelCalls, inputTokens, outputTokens, nanoUsd } = facts
  if (packed === null || terms === null) return null
  const { accounts } = unpackTerms(task, terms)
  return {
    kind: 'hold-settled',
    id: packed[0],
    task,
    atMs: openedMs + packed[4],
    accounts,
    actual: { ...NOTHING, modelCalls, inputTokens, outputTokens, nanoUsd },
    stepNumber: 1,
    attempt: unpackAttempt(facts, packed, terms),
  }
}

function unpackAttempt(facts: CallFacts, packed: PackedCharge, terms: PackedTerms): AttemptRecord {
  const [, , held, id, , startedAfterMs, durationMs, firstByteMs, ...rest] = packed
  const [status, end, tokens, isPriced, basis, disputed, cacheSavedNanoUsd = null] = rest
  const { accounts: _, ...deployment } = unpackTerms(facts.id, terms)
  return {
    id,
    number: 1,
    purpose: 'answer',
    ...deployment,
    startedMs: facts.openedMs + startedAfterMs,
    durationMs,
    firstByteMs,
    status,
    end,
    held: unpackAmounts(held),
    tokens: unpackTokens(tokens),
    nanoUsd: isPriced === 1 ? facts.nanoUsd : null,
    chargedNanoUsd: facts.nanoUsd,
    basis,
    ...(cacheSavedNanoUsd === null ? {} : { cacheSavedNanoUsd }),
    ...(disputed ? { disputed } : {}),
  }
}

function unpackStep(facts: CallFacts, packed: PackedCall, settled: HoldSettled | null): StepEnded {
  const [, , id, name, startedAfterMs, durationMs, firstByteMs, route, cache, cacheAgeMs, ...rest] = packed
  const [degraded, streamed, unknownRules, decisions, promptHash, error, content, ...ending] = rest
  const [finishReason, traceparent] = ending
  const by = (facts.flags & ANSWERED) === 0 ? null : (settled?.attempt ?? null)
  return {
    kind: 'step-ended',
    task: facts.id,
    id,
    number: 1,
    step: 'model',
    name,
    startedMs: facts.openedMs + startedAfterMs,
    durationMs,
    firstByteMs,
    route,
    model: by?.model ?? null,
    deployment: by?.deployment ?? null,
    tier: by?.tier ?? null,
    cache,
    cacheAgeMs,
    degraded,
    escalated: (facts.flags & ESCALATED) !== 0,
    streamed: streamed === 1,
    unknownRules,
    attempts: settled === null ? [] : [settled.attempt],
    decisions: decisions.map(unpackDecision),
    promptHash,
    otherNanoUsd: 0,
    toolMs: 0,
    error,
    content,
    finishReason,
    traceparent,
  }
}
