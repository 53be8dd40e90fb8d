// Steps and outcomes as arrays: see `packed.ts`.

import type { AttemptId, StepId, TaskId } from '../../core/ids.js'
import type { AttemptRecord, Decision, OutcomeJudged, StepEnded } from '../../core/task/records.js'
import { type PackedAttempt, bit, unpackAttempt } from './packed.js'
import { HARM, SUCCESS, endedStatusOf, sloMetOf } from './task-codes.js'

export type PackedDecision = readonly [
  Decision['stage'],
  choice: string,
  reason: string,
  inputs?: Decision['inputs'],
]

export function packDecision({ stage, choice, reason, inputs }: Decision): PackedDecision {
  return inputs === undefined ? [stage, choice, reason] : [stage, choice, reason, inputs]
}

export function unpackDecision([stage, choice, reason, inputs]: PackedDecision): Decision {
  return inputs === undefined ? { stage, choice, reason } : { stage, choice, reason, inputs }
}

/** Attempts whose charge is in the ledger already are named, not repeated. */
type PackedAttempts = readonly (PackedAttempt | AttemptId)[]

export type PackedStep = readonly [
  ...what: readonly [StepId, number, StepEnded['step'], name: string],
  ...times: readonly [startedMs: number, durationMs: number, firstByteMs: number | null],
  ...by: readonly [route: string | null, string | null, string | null, StepEnded['tier']],
  ...how: readonly [StepEnded['cache'], number | null, readonly string[], 0 | 1, 0 | 1, readonly string[]],
  ...parts: readonly [PackedAttempts, readonly PackedDecision[], promptHash: string | null],
  ...sums: readonly [otherNanoUsd: number, toolMs: number],
  ...ending: readonly [
    error: string | null,
    content: string | null,
    string | null,
    traceparent: string | null,
  ],
  reported: StepEnded['reported'] | null,
]

export function packStep(step: StepEnded, attempts: PackedAttempts): PackedStep {
  return [
    step.id,
    step.number,
    step.step,
    step.name,
    step.startedMs,
    step.durationMs,
    step.firstByteMs,
    step.route,
    step.model,
    step.deployment,
    step.tier,
    step.cache,
    step.cacheAgeMs,
    step.degraded,
    bit(step.escalated),
    bit(step.streamed),
    step.unknownRules,
    attempts,
    step.decisions.map(packDecision),
    step.promptHash,
    step.otherNanoUsd,
    step.toolMs,
    step.error,
    step.content,
    step.finishReason,
    step.traceparent,
    step.reported ?? null,
  ]
}

/** The task's attempts that are in the ledger, by id. */
type Charged = ReadonlyMap<AttemptId, AttemptRecord>

export function unpackStep(task: TaskId, packed: PackedStep, charged: Charged): StepEnded {
  const [id, number, step, name, startedMs, durationMs, firstByteMs, ...after] = packed
  const [route, model, deployment, tier, cache, cacheAgeMs, degraded, escalated, streamed, ...rest] = after
  const [unknownRules, attempts, decisions, promptHash, otherNanoUsd, toolMs, ...ending] = rest
  const [error, content, finishReason, traceparent, reported] = ending
  return {
    kind: 'step-ended',
    task,
    id,
    number,
    step,
    name,
    startedMs,
    durationMs,
    firstByteMs,
    route,
    model,
    deployment,
    tier,
    cache,
    cacheAgeMs,
    degraded,
    escalated: escalated === 1,
    streamed: streamed === 1,
    unknownRules,
    attempts: attempts.flatMap((attempt) => unpackNamed(attempt, charged)),
    decisions: decisions.map(unpackDecision),
    promptHash,
    otherNanoUsd,
    toolMs,
    error,
    content,
    finishReason,
    traceparent,
    ...(reported ? { reported } : {}),
  }
}

/** A name whose charge is not there, because its line was damaged, has nothing to show. */
function unpackNamed(attempt: PackedAttempt | AttemptId, charged: Charged): readonly AttemptRecord[] {
  if (typeof attempt !== 'string') return [unpackAttempt(attempt)]
  const found = charged.get(attempt)
  return found === undefined ? [] : [found]
}

/** What an outcome says beside its columns. */
export type PackedOutcome = readonly [
  source: OutcomeJudged['source'],
  reasons: readonly string[],
  score: number | null,
  evidence: readonly unknown[],
  nanoUsd: number,
  unpricedCalls: number,
  rules: OutcomeJudged['rules'] | null,
]

export function packOutcome(outcome: OutcomeJudged): PackedOutcome {
  const { source, reasons, score, evidence, nanoUsd, unpricedCalls, rules } = outcome
  return [source, reasons, score, evidence, nanoUsd, unpricedCalls, rules ?? null]
}

/** The columns of an outcome, of a line as of a row. */
export interface OutcomeFacts {
  readonly id: TaskId
  readonly status: number
  readonly endedMs: number
  readonly verdict: number
  readonly latencyMs: number
  readonly priceNanoUsd: number | null
}

export function unpackOutcome(facts: OutcomeFacts, packed: PackedOutcome): OutcomeJudged {
  const [source, reasons, score, evidence, nanoUsd, unpricedCalls, rules] = packed
  return {
    kind: 'outcome-judged',
    task: facts.id,
    atMs: facts.endedMs,
    status: endedStatusOf(facts.status),
    source,
    success: (facts.verdict & SUCCESS) !== 0,
    harm: (facts.verdict & HARM) !== 0,
    reasons,
    ...(rules ? { rules } : {}),
    score,
    evidence,
    latencyMs: facts.latencyMs,
    sloMet: sloMetOf(facts.verdict),
    nanoUsd,
    unpricedCalls,
    priceNanoUsd: facts.priceNanoUsd,
  }
}
