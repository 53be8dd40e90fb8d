// Tasks as the control API shows them: snake_case, money as numbers of dollars, times as ISO text and as ms.
// What a caller sent (attributes, evidence, decision inputs, reported values) passes through with its own
// keys.

import {
  type AmountsJson,
  type AttemptView,
  type ChargeView,
  type DecisionJson,
  type LimitsJson,
  type OutcomeView,
  type StepView,
  type TaskRowView,
  type TaskTraceView,
  type TaskView,
  type TokensView,
  nanoFromUsd,
  usdFromNano,
} from '@spillway/protocol'
import { amountsJson, limitsJson } from '../engine/answer/budget-json.js'
import type { TokenCounts } from '../core/money/token-counts.js'
import type { AttemptRecord, Decision, HoldSettled, OutcomeJudged, StepEnded } from '../core/task/records.js'
import type { TaskRow, TaskSummary, TaskTrace } from '../core/task/views.js'

function usdOrNull(nano: number | null): number | null {
  return nano === null ? null : usdFromNano(nano)
}

function iso(ms: number): string {
  return new Date(ms).toISOString()
}

/**
 * What is left, never negative; null = no limit of that kind. Amounts held by running calls are not taken
 * off.
 */
function remainingJson(limits: LimitsJson, spent: AmountsJson): LimitsJson {
  const left = (limit: number | null, used: number) => (limit === null ? null : Math.max(0, limit - used))
  const costLeft = left(limits.cost_usd, spent.cost_usd)
  return {
    model_calls: left(limits.model_calls, spent.model_calls),
    input_tokens: left(limits.input_tokens, spent.input_tokens),
    output_tokens: left(limits.output_tokens, spent.output_tokens),
    tool_calls: left(limits.tool_calls, spent.tool_calls),
    tool_ms: left(limits.tool_ms, spent.tool_ms),
    // Back to whole nano-dollars: the difference of two such decimals is not always one.
    cost_usd: costLeft === null ? null : usdFromNano(nanoFromUsd(costLeft)),
  }
}

/** `GET /v1/tasks/{id}`. Its budget pays for its sub-tasks too; `cost_usd` is its own. */
export function taskJson(summary: TaskSummary): TaskView {
  const { opened } = summary
  const limits = limitsJson(opened.limits)
  const own = amountsJson(summary.spent)
  const spent = amountsJson(summary.spentWithChildren ?? summary.spent)
  return {
    id: opened.id,
    contract: opened.contract,
    release: opened.release,
    tenant: opened.tenant,
    status: summary.status,
    opened_at: iso(opened.atMs),
    opened_ms: opened.atMs,
    deadline: iso(opened.deadlineMs),
    deadline_ms: opened.deadlineMs,
    parent: opened.parent,
    session: opened.session,
    external_id: opened.externalId,
    attributes: opened.attributes,
    one_step: opened.oneStep,
    budget: { limits, spent, remaining: remainingJson(limits, spent) },
    cost_usd: own.cost_usd,
    unpriced_calls: summary.unpricedCalls,
    steps: summary.steps,
    attempts: summary.attempts,
    degraded: summary.degraded,
    last_step_ended_at: summary.lastStepEndedMs === null ? null : iso(summary.lastStepEndedMs),
    last_step_ended_ms: summary.lastStepEndedMs,
    outcome: summary.outcome === null ? null : outcomeJson(summary.outcome),
  }
}

/** One row of `GET /v1/tasks`. */
export function taskRowJson(row: TaskRow): TaskRowView {
  return {
    id: row.id,
    contract: row.contract,
    tenant: row.tenant,
    status: row.status,
    opened_at: iso(row.openedMs),
    opened_ms: row.openedMs,
    latency_ms: row.latencyMs,
    success: row.success,
    harm: row.harm,
    cost_usd: usdFromNano(row.nanoUsd),
    unpriced_calls: row.unpricedCalls,
    steps: row.steps,
    attempts: row.attempts,
    degraded: row.degraded,
    escalated: row.escalated,
    session: row.session,
    external_id: row.externalId,
  }
}

export function outcomeJson(outcome: OutcomeJudged): OutcomeView {
  const { nanoUsd, priceNanoUsd } = outcome
  return {
    status: outcome.status,
    source: outcome.source,
    success: outcome.success,
    harm: outcome.harm,
    reasons: outcome.reasons,
    score: outcome.score,
    evidence: outcome.evidence,
    judged_at: iso(outcome.atMs),
    judged_ms: outcome.atMs,
    latency_ms: outcome.latencyMs,
    slo_met: outcome.sloMet,
    cost_usd: usdFromNano(nanoUsd),
    unpriced_calls: outcome.unpricedCalls,
    price_usd: usdOrNull(priceNanoUsd),
    margin_usd: priceNanoUsd === null ? null : usdFromNano(priceNanoUsd - nanoUsd),
  }
}

function tokensJson(tokens: TokenCounts): TokensView {
  return {
    input: tokens.input,
    cache_read: tokens.cacheRead,
    cache_write: tokens.cacheWrite,
    cache_write_1h: tokens.cacheWrite1h,
    output: tokens.output,
    reasoning: tokens.reasoning,
    audio_input: tokens.audioInput,
    audio_output: tokens.audioOutput,
  }
}

export function attemptJson(attempt: AttemptRecord): AttemptView {
  return {
    id: attempt.id,
    number: attempt.number,
    purpose: attempt.purpose,
    model: attempt.model,
    deployment: attempt.deployment,
    provider: attempt.provider,
    tier: attempt.tier,
    started_at: iso(attempt.startedMs),
    started_ms: attempt.startedMs,
    duration_ms: attempt.durationMs,
    first_byte_ms: attempt.firstByteMs,
    status: attempt.status,
    end: attempt.end,
    held: amountsJson(attempt.held),
    tokens: tokensJson(attempt.tokens),
    cost_usd: usdOrNull(attempt.nanoUsd),
    charged_usd: usdFromNano(attempt.chargedNanoUsd),
    basis: attempt.basis,
    price_book: attempt.priceBook,
    disputed: attempt.disputed ?? null,
    simulated: attempt.simulated,
  }
}

function decisionJson(decision: Decision): DecisionJson {
  const { stage, choice, reason, inputs } = decision
  return { stage, choice, reason, ...(inputs === undefined ? {} : { inputs }) }
}

export function stepJson(step: StepEnded): StepView {
  return {
    id: step.id,
    number: step.number,
    kind: step.step,
    name: step.name,
    started_at: iso(step.startedMs),
    started_ms: step.startedMs,
    duration_ms: step.durationMs,
    first_byte_ms: step.firstByteMs,
    route: step.route,
    model: step.model,
    deployment: step.deployment,
    tier: step.tier,
    cache: step.cache,
    cache_age_ms: step.cacheAgeMs,
    degraded: step.degraded,
    escalated: step.escalated,
    streamed: step.streamed,
    unknown_rules: step.unknownRules,
    attempts: step.attempts.map(attemptJson),
    decisions: step.decisions.map(decisionJson),
    prompt_hash: step.promptHash,
    other_cost_usd: usdFromNano(step.otherNanoUsd),
    tool_ms: step.toolMs,
    error: step.error,
    content: step.content,
    finish_reason: step.finishReason,
    reported: step.reported ?? null,
    traceparent: step.traceparent,
  }
}

function chargeJson(charge: HoldSettled): ChargeView {
  return {
    id: charge.id,
    step_number: charge.stepNumber,
    settled_at: iso(charge.atMs),
    settled_ms: charge.atMs,
    accounts: charge.accounts,
    actual: amountsJson(charge.actual),
    attempt: attemptJson(charge.attempt),
  }
}

/** `GET /v1/tasks/{id}/trace`: everything known, in order of time. */
export function traceJson(trace: TaskTrace): TaskTraceView {
  return {
    task: taskJson(trace.summary),
    steps: trace.steps.map(stepJson),
    charges: trace.charges.map(chargeJson),
    outcomes: trace.outcomes.map(outcomeJson),
    children: trace.children,
  }
}
