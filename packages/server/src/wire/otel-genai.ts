// Tasks, steps and attempts as OpenTelemetry spans. The GenAI names (profile genai-1.41) live only here,
// because the convention is still in development; what it has no word for is named `spillway.*`. Prompts,
// answers, attributes of the caller and texts of the application's errors never leave by this way.

import type { Resource } from '../core/budget/amounts.js'
import { type TokenCounts, inputTotal, outputTotal } from '../core/money/token-counts.js'
import type { AttemptRecord, Decision, OutcomeJudged, StepEnded, TaskOpened } from '../core/task/records.js'
import type { Attributes, SpanData, SpanEvent } from './span-data.js'
import { type Hash, type TaskSpanContext, parseTraceparent, spanIdOf } from './trace-context.js'

/** Of the profile these names belong to. */
export const SCHEMA_URL = 'https://opentelemetry.io/schemas/1.41.0'

/** Metrics of the convention under their Prometheus names (dots to underscores, unit last). */
export const GEN_AI_METRICS = {
  tokenUsage: 'gen_ai_client_token_usage',
  operationDuration: 'gen_ai_client_operation_duration_seconds',
  timeToFirstChunk: 'gen_ai_client_operation_time_to_first_chunk_seconds',
  labels: {
    operation: 'gen_ai_operation_name',
    provider: 'gen_ai_provider_name',
    model: 'gen_ai_request_model',
    tokenType: 'gen_ai_token_type',
    error: 'error_type',
  },
} as const

/** What a task has used, summed over its steps. */
export type Used = Readonly<Record<Resource, number>>

export function taskSpan(
  task: { readonly opened: TaskOpened; readonly outcome: OutcomeJudged; readonly used: Used },
  context: TaskSpanContext,
): SpanData {
  const { opened, outcome } = task
  return {
    traceId: context.traceId,
    spanId: context.spanId,
    parentSpanId: context.parent?.spanId ?? null,
    parentIsRemote: context.parent !== null,
    name: `invoke_workflow ${opened.contract}`,
    kind: 'internal',
    startMs: opened.atMs,
    endMs: opened.atMs + outcome.latencyMs,
    attributes: [identityAttributes(opened), outcomeAttributes(outcome), budgetAttributes(opened, task.used)],
    links: [],
    events: [],
    error: outcome.success ? null : `outcome.${outcome.harm ? 'harm' : outcome.status}`,
  }
}

function identityAttributes(opened: TaskOpened): Attributes {
  return {
    'gen_ai.operation.name': 'invoke_workflow',
    'gen_ai.workflow.name': opened.contract,
    'gen_ai.conversation.id': opened.session,
    'spillway.task.id': opened.id,
    'spillway.task.parent': opened.parent,
    'spillway.tenant': opened.tenant,
    'spillway.release': opened.release,
  }
}

function outcomeAttributes(outcome: OutcomeJudged): Attributes {
  return {
    'spillway.task.outcome': outcome.status,
    'spillway.task.outcome.source': outcome.source,
    'spillway.task.success': outcome.success,
    'spillway.task.harm': onlyIf(outcome.harm),
    'spillway.task.slo_met': outcome.sloMet,
    'spillway.task.score': outcome.score,
    'spillway.task.unpriced_calls': positive(outcome.unpricedCalls),
    'spillway.cost.amount_nano_usd': outcome.nanoUsd,
    'spillway.price.amount_nano_usd': outcome.priceNanoUsd,
  }
}

function budgetAttributes({ limits, deadlineMs, atMs }: TaskOpened, used: Used): Attributes {
  return {
    'spillway.budget.model_calls.limit': limits.modelCalls,
    'spillway.budget.model_calls.spent': used.modelCalls,
    'spillway.budget.input_tokens.limit': limits.inputTokens,
    'spillway.budget.input_tokens.spent': used.inputTokens,
    'spillway.budget.output_tokens.limit': limits.outputTokens,
    'spillway.budget.output_tokens.spent': used.outputTokens,
    'spillway.budget.tool_calls.limit': limits.toolCalls,
    'spillway.budget.tool_calls.spent': positive(used.toolCalls),
    'spillway.budget.tool_ms.limit': limits.toolMs,
    'spillway.budget.tool_ms.spent': positive(used.toolMs),
    'spillway.budget.nano_usd.limit': limits.nanoUsd,
    'spillway.budget.nano_usd.spent': used.nanoUsd,
    'spillway.budget.latency_ms.limit': deadlineMs - atMs,
  }
}

/** The span of a step and those of its attempts. `opened` is null when the task is not known any more. */
export function stepSpans(
  step: StepEnded,
  task: { readonly context: TaskSpanContext; readonly opened: TaskOpened | null },
  hash: Hash,
): SpanData[] {
  const { context, opened } = task
  const caller = parseTraceparent(step.traceparent)
  const isOther = caller !== null && caller.spanId !== context.parent?.spanId
  const operation = operationOf(step)
  const span: SpanData = {
    traceId: context.traceId,
    spanId: spanIdOf(step.id, hash),
    parentSpanId: context.spanId,
    parentIsRemote: false,
    ...nameAndKind(step, operation),
    startMs: step.startedMs,
    endMs: step.startedMs + step.durationMs,
    attributes: [
      stepAttributes(step, operation, opened),
      ...(operation === 'chat' || operation === 'embeddings' ? modelAttributes(step) : []),
    ],
    links: isOther ? [caller] : [],
    events: step.decisions.map((decision) => decisionEvent(decision, step.startedMs)),
    error: errorType(step),
  }
  return [span, ...step.attempts.map((attempt) => attemptSpan(attempt, span, hash))]
}

/** Decisions carry no time of their own; their order within the step is kept. */
function decisionEvent({ stage, choice, reason }: Decision, atMs: number): SpanEvent {
  const attributes = { 'spillway.stage': stage, 'spillway.choice': choice, 'spillway.reason': reason }
  return { name: 'spillway.decision', atMs, attributes }
}

export type Operation = 'chat' | 'embeddings' | 'execute_tool' | 'retrieval'

/** The convention's name for what a step does; null: it has none. */
export function operationOf(step: StepEnded): Operation | null {
  if (step.step === 'tool') return 'execute_tool'
  if (step.step === 'retrieval') return 'retrieval'
  if (step.model === null && step.step !== 'model') return null
  return step.name.includes('embeddings') ? 'embeddings' : 'chat'
}

function nameAndKind(step: StepEnded, operation: Operation | null): Pick<SpanData, 'name' | 'kind'> {
  switch (operation) {
    case 'execute_tool':
      return { name: `execute_tool ${step.name}`, kind: 'internal' }
    case 'retrieval':
      return { name: `retrieval ${step.name}`, kind: 'client' }
    case null:
      return { name: `${step.step} ${step.name}`, kind: 'internal' }
    default:
      return { name: `${operation} ${requestModel(step) ?? ''}`.trimEnd(), kind: 'client' }
  }
}

/** A step that failed has no model that answered; what it asked last is what it was about. */
function requestModel(step: StepEnded): string | null {
  return step.model ?? step.attempts.at(-1)?.model ?? null
}

/** A reported step's error is the application's own text, so only the fact of it is told. */
function errorType(step: StepEnded): string | null {
  if (step.error === null) return null
  return step.step === 'model' || step.step === 'check' ? step.error : '_OTHER'
}

function stepAttributes(step: StepEnded, operation: Operation | null, opened: TaskOpened | null): Attributes {
  return {
    'gen_ai.operation.name': operation,
    'gen_ai.conversation.id': opened?.session ?? null,
    'gen_ai.tool.name': operation === 'execute_tool' ? step.name : null,
    'gen_ai.data_source.id': operation === 'retrieval' ? step.name : null,
    'error.type': errorType(step),
    'spillway.task.id': step.task,
    'spillway.task.type': opened?.contract ?? null,
    'spillway.release': opened?.release ?? null,
    'spillway.step.id': step.id,
    'spillway.step.number': step.number,
    'spillway.step.kind': step.step,
    'spillway.cost.amount_nano_usd': step.attempts.reduce(addCost, step.otherNanoUsd),
  }
}

function addCost(sum: number, attempt: AttemptRecord): number {
  return sum + (attempt.nanoUsd ?? 0)
}

function modelAttributes(step: StepEnded): Attributes[] {
  const { attempts, firstByteMs } = step
  const last =
    attempts.findLast((attempt) => attempt.end === 'ok' && attempt.purpose === 'answer') ?? attempts.at(-1)
  const isUnpriced = attempts.some((attempt) => attempt.nanoUsd === null)
  const model: Attributes = {
    'gen_ai.provider.name': last?.provider ?? null,
    'gen_ai.request.model': requestModel(step),
    'gen_ai.request.stream': onlyIf(step.streamed),
    'gen_ai.response.model': step.deployment === null ? null : upstreamModel(step.deployment),
    'gen_ai.response.finish_reasons': step.finishReason === null ? null : [step.finishReason],
    'gen_ai.response.time_to_first_chunk': step.streamed && firstByteMs !== null ? firstByteMs / 1_000 : null,
    'spillway.cost.basis': isUnpriced ? 'unknown' : (last?.basis ?? null),
    'spillway.cost.price_book': last?.priceBook ?? null,
    'spillway.route': step.route,
    'spillway.tier': step.tier,
    'spillway.deployment': step.deployment,
    'spillway.degrade.rungs': step.degraded.length === 0 ? null : step.degraded,
    'spillway.escalated': onlyIf(step.escalated),
    'spillway.cache.decision': step.cache === 'off' ? null : step.cache,
    'spillway.cache.age_ms': step.cacheAgeMs,
    'spillway.unknown_rules': positive(step.unknownRules.length),
    'spillway.prompt.hash': step.promptHash,
    'spillway.simulated': onlyIf(last?.simulated === true),
  }
  return attempts.length === 0 ? [model] : [model, usageAttributes(attempts)]
}

/**
 * Tokens billed, all attempts of the step together: input includes cached ones, output includes reasoning.
 */
function usageAttributes(attempts: readonly AttemptRecord[]): Attributes {
  const sum = (of: (tokens: TokenCounts) => number) =>
    attempts.reduce((total, { tokens }) => total + of(tokens), 0)
  return {
    'gen_ai.usage.input_tokens': sum(inputTotal),
    'gen_ai.usage.output_tokens': sum(outputTotal),
    'gen_ai.usage.cache_read.input_tokens': positive(sum((tokens) => tokens.cacheRead)),
    'gen_ai.usage.cache_creation.input_tokens': positive(sum(cacheWrites)),
    'gen_ai.usage.reasoning.output_tokens': positive(sum((tokens) => tokens.reasoning)),
  }
}

function cacheWrites(tokens: TokenCounts): number {
  return tokens.cacheWrite + tokens.cacheWrite1h
}

/** An attempt is our word: it carries no `gen_ai.usage`, or back-ends would count the step's tokens twice. */
function attemptSpan(attempt: AttemptRecord, step: SpanData, hash: Hash): SpanData {
  const failed = attempt.end === 'ok' ? null : attempt.end
  const attributes: Attributes = {
    'error.type': failed,
    'http.response.status_code': positive(attempt.status),
    'spillway.attempt.id': attempt.id,
    'spillway.attempt.number': attempt.number,
    'spillway.attempt.purpose': attempt.purpose,
    'spillway.attempt.first_byte_ms': attempt.firstByteMs,
    'spillway.deployment': attempt.deployment,
    'spillway.tokens.input': inputTotal(attempt.tokens),
    'spillway.tokens.output': outputTotal(attempt.tokens),
    'spillway.cost.amount_nano_usd': attempt.nanoUsd,
    'spillway.cost.charged_nano_usd': attempt.nanoUsd === null ? attempt.chargedNanoUsd : null,
    'spillway.cost.basis': attempt.basis,
    'spillway.usage.disputed': onlyIf(attempt.disputed !== undefined),
  }
  return {
    traceId: step.traceId,
    spanId: spanIdOf(attempt.id, hash),
    parentSpanId: step.spanId,
    parentIsRemote: false,
    name: `attempt ${attempt.deployment}`,
    kind: 'client',
    startMs: attempt.startedMs,
    endMs: attempt.startedMs + attempt.durationMs,
    attributes: [attributes],
    links: [],
    events: [],
    error: failed,
  }
}

/** `provider/model` -> `model`, the name the provider knows. */
function upstreamModel(deployment: string): string {
  return deployment.slice(deployment.indexOf('/') + 1)
}

/** Zero and false are the normal case and need not be said in every span. */
function positive(count: number): number | null {
  return count === 0 ? null : count
}

function onlyIf(value: boolean): true | null {
  return value ? true : null
}
