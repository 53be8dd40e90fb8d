// Records as arrays: every name would otherwise be in every line, and bytes are what writing costs. The order of the
// fields is the format. A new field goes to the end; a value that is not there reads as null.

import type { Amounts } from '../../core/budget/amounts.js'
import type { AttemptId, HoldId, StepId, TaskId } from '../../core/ids.js'
import type { TokenCounts } from '../../core/money/token-counts.js'
import type {
  AttemptRecord,
  Decision,
  HoldMade,
  OutcomeJudged,
  StepEnded,
} from '../../core/task/records.js'

export type PackedAmounts = readonly [
  modelCalls: number,
  inputTokens: number,
  outputTokens: number,
  toolCalls: number,
  toolMs: number,
  nanoUsd: number,
]

type PackedTokens = readonly [number, number, number, number, number, number, number, number]

export type PackedAttempt = readonly [
  ...whoAndWhen: readonly [AttemptId, number, AttemptRecord['purpose'], string, string, string, AttemptRecord['tier']],
  ...times: readonly [startedMs: number, durationMs: number, firstByteMs: number | null],
  ...ending: readonly [status: number, end: string],
  ...sizes: readonly [held: PackedAmounts, tokens: PackedTokens],
  ...money: readonly [number | null, chargedNanoUsd: number, AttemptRecord['basis'], priceBook: string | null],
  ...notes: readonly [simulated: 0 | 1, disputed: AttemptRecord['disputed'] | null],
]

export function bit(value: boolean): 0 | 1 {
  return value ? 1 : 0
}

export function packAmounts(amounts: Amounts): PackedAmounts {
  const { modelCalls, inputTokens, outputTokens, toolCalls, toolMs, nanoUsd } = amounts
  return [modelCalls, inputTokens, outputTokens, toolCalls, toolMs, nanoUsd]
}

export function unpackAmounts(packed: PackedAmounts): Amounts {
  const [modelCalls, inputTokens, outputTokens, toolCalls, toolMs, nanoUsd] = packed
  return { modelCalls, inputTokens, outputTokens, toolCalls, toolMs, nanoUsd }
}

function packTokens(tokens: TokenCounts): PackedTokens {
  const { input, cacheRead, cacheWrite, cacheWrite1h, output, reasoning, audioInput, audioOutput } = tokens
  return [input, cacheRead, cacheWrite, cacheWrite1h, output, reasoning, audioInput, audioOutput]
}

function unpackTokens(packed: PackedTokens): TokenCounts {
  const [input, cacheRead, cacheWrite, cacheWrite1h, output, reasoning, audioInput, audioOutput] = packed
  return { input, cacheRead, cacheWrite, cacheWrite1h, output, reasoning, audioInput, audioOutput }
}

export function packAttempt(attempt: AttemptRecord): PackedAttempt {
  return [
    attempt.id,
    attempt.number,
    attempt.purpose,
    attempt.model,
    attempt.deployment,
    attempt.provider,
    attempt.tier,
    attempt.startedMs,
    attempt.durationMs,
    attempt.firstByteMs,
    attempt.status,
    attempt.end,
    packAmounts(attempt.held),
    packTokens(attempt.tokens),
    attempt.nanoUsd,
    attempt.chargedNanoUsd,
    attempt.basis,
    attempt.priceBook,
    bit(attempt.simulated),
    attempt.disputed ?? null,
  ]
}

export function unpackAttempt(packed: PackedAttempt): AttemptRecord {
  const [id, number, purpose, model, deployment, provider, tier, ...rest] = packed
  const [startedMs, durationMs, firstByteMs, status, end, held, tokens, ...money] = rest
  const [nanoUsd, chargedNanoUsd, basis, priceBook, simulated, disputed] = money
  const where = { id, number, purpose, model, deployment, provider, tier }
  return {
    ...where,
    ...{ startedMs, durationMs, firstByteMs, status, end },
    ...{ held: unpackAmounts(held), tokens: unpackTokens(tokens) },
    ...{ nanoUsd, chargedNanoUsd, basis, priceBook },
    ...(disputed ? { disputed } : {}),
    simulated: simulated === 1,
  }
}

export type PackedHold = readonly [
  id: HoldId,
  atMs: number,
  task: TaskId,
  step: StepId,
  stepNumber: number,
  accounts: readonly string[],
  amounts: PackedAmounts,
  attempt: readonly [AttemptId, number, AttemptRecord['purpose']],
  model: string,
  deployment: string,
  provider: string,
  tier: HoldMade['tier'],
  priceBook: string | null,
  simulated: 0 | 1,
]

export function packHold(hold: HoldMade): PackedHold {
  const { id, atMs, task, step, stepNumber, accounts, amounts, attempt } = hold
  const packed = [attempt.id, attempt.number, attempt.purpose] as const
  const start = [id, atMs, task, step, stepNumber, accounts, packAmounts(amounts), packed] as const
  return [...start, hold.model, hold.deployment, hold.provider, hold.tier, hold.priceBook, bit(hold.simulated)]
}

export function unpackHold(packed: PackedHold): HoldMade {
  const [id, atMs, task, step, stepNumber, accounts, amounts, attempt, ...rest] = packed
  const [model, deployment, provider, tier, priceBook, simulated] = rest
  const [attemptId, number, purpose] = attempt
  return {
    kind: 'hold-made',
    ...{ id, atMs, task, step, stepNumber, accounts, model, deployment, provider, tier, priceBook },
    amounts: unpackAmounts(amounts),
    attempt: { id: attemptId, number, purpose },
    simulated: simulated === 1,
  }
}

type PackedDecision = readonly [Decision['stage'], choice: string, reason: string, inputs?: Decision['inputs']]

function packDecision({ stage, choice, reason, inputs }: Decision): PackedDecision {
  return inputs === undefined ? [stage, choice, reason] : [stage, choice, reason, inputs]
}

function unpackDecision([stage, choice, reason, inputs]: PackedDecision): Decision {
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
  ...ending: readonly [error: string | null, content: string | null, string | null, traceparent: string | null],
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

/** `charged`: the task's attempts that are in the ledger, by id. */
export function unpackStep(
  task: TaskId,
  packed: PackedStep,
  charged: ReadonlyMap<AttemptId, AttemptRecord>,
): StepEnded {
  const [id, number, step, name, startedMs, durationMs, firstByteMs, ...after] = packed
  const [route, model, deployment, tier, cache, cacheAgeMs, degraded, escalated, streamed, ...rest] = after
  const [unknownRules, attempts, decisions, promptHash, otherNanoUsd, toolMs, ...ending] = rest
  const [error, content, finishReason, traceparent, reported] = ending
  return {
    kind: 'step-ended',
    ...{ task, id, number, step, name, startedMs, durationMs, firstByteMs, route, model, deployment, tier, cache },
    ...{ cacheAgeMs, degraded, escalated: escalated === 1, streamed: streamed === 1, unknownRules },
    attempts: attempts.flatMap((attempt) => {
      const found = typeof attempt === 'string' ? charged.get(attempt) : unpackAttempt(attempt)
      return found === undefined ? [] : [found]
    }),
    decisions: decisions.map(unpackDecision),
    ...{ promptHash, otherNanoUsd, toolMs, error, content, finishReason, traceparent },
    ...(reported ? { reported } : {}),
  }
}

/** What an outcome says beside its columns. */
export type PackedOutcome = readonly [
  source: OutcomeJudged['source'],
  reasons: readonly string[],
  score: number | null,
  evidence: readonly unknown[],
  nanoUsd: number,
  unpricedCalls: number,
  rules: OutcomeJudged['rules'],
]

export function packOutcome(outcome: OutcomeJudged): PackedOutcome {
  const { source, reasons, score, evidence, nanoUsd, unpricedCalls, rules } = outcome
  return [source, reasons, score, evidence, nanoUsd, unpricedCalls, rules]
}
