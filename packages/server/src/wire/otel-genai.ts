// What tasks, steps and attempts are called as OpenTelemetry spans. The GenAI names (profile genai-1.41) live
// only here, because the convention is still in development; what it has no word for is named `spillway.*`.

import type { AttemptRecord, Decision, OutcomeJudged, StepEnded } from '../core/task/records.js'
import { type Attributes, type SpanConstants, attributeName } from './span-writer.js'

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

function budget(resource: string) {
  const name = `spillway.budget.${resource}`
  return { limit: attributeName(`${name}.limit`), spent: attributeName(`${name}.spent`) }
}

/** Attributes with another value in nearly every span. What spans share is in their constants below. */
export const NAMES = {
  conversation: attributeName('gen_ai.conversation.id'),
  cost: attributeName('spillway.cost.amount_nano_usd'),
  task: {
    id: attributeName('spillway.task.id'),
    parent: attributeName('spillway.task.parent'),
    score: attributeName('spillway.task.score'),
    unpricedCalls: attributeName('spillway.task.unpriced_calls'),
    price: attributeName('spillway.price.amount_nano_usd'),
  },
  budget: {
    modelCalls: budget('model_calls'),
    inputTokens: budget('input_tokens'),
    outputTokens: budget('output_tokens'),
    toolCalls: budget('tool_calls'),
    toolMs: budget('tool_ms'),
    nanoUsd: budget('nano_usd'),
    latencyMs: budget('latency_ms'),
  },
  step: {
    id: attributeName('spillway.step.id'),
    number: attributeName('spillway.step.number'),
    promptHash: attributeName('spillway.prompt.hash'),
    cacheAgeMs: attributeName('spillway.cache.age_ms'),
    unknownRules: attributeName('spillway.unknown_rules'),
    degradeRungs: attributeName('spillway.degrade.rungs'),
    firstChunkSeconds: attributeName('gen_ai.response.time_to_first_chunk'),
  },
  usage: {
    input: attributeName('gen_ai.usage.input_tokens'),
    output: attributeName('gen_ai.usage.output_tokens'),
    cacheRead: attributeName('gen_ai.usage.cache_read.input_tokens'),
    cacheCreation: attributeName('gen_ai.usage.cache_creation.input_tokens'),
    reasoning: attributeName('gen_ai.usage.reasoning.output_tokens'),
  },
  attempt: {
    id: attributeName('spillway.attempt.id'),
    number: attributeName('spillway.attempt.number'),
    firstByteMs: attributeName('spillway.attempt.first_byte_ms'),
    input: attributeName('spillway.tokens.input'),
    output: attributeName('spillway.tokens.output'),
    charged: attributeName('spillway.cost.charged_nano_usd'),
  },
} as const

export type TaskKey = readonly [
  contract: string,
  release: string,
  tenant: string,
  status: OutcomeJudged['status'],
  source: OutcomeJudged['source'],
  success: boolean,
  harm: boolean,
  sloMet: boolean | null,
]

export function taskConstants(key: TaskKey): SpanConstants {
  const [contract, release, tenant, status, source, success, harm, sloMet] = key
  return {
    name: `invoke_workflow ${contract}`,
    kind: 'internal',
    attributes: {
      'gen_ai.operation.name': 'invoke_workflow',
      'gen_ai.workflow.name': contract,
      'spillway.tenant': tenant,
      'spillway.release': release,
      'spillway.task.outcome': status,
      'spillway.task.outcome.source': source,
      'spillway.task.success': success,
      'spillway.task.harm': onlyIf(harm),
      'spillway.task.slo_met': sloMet,
    },
    error: success ? null : `outcome.${harm ? 'harm' : status}`,
  }
}

export type Operation = 'chat' | 'embeddings' | 'execute_tool' | 'retrieval'

/** The convention's name for what a step does; null: it has none. */
export function operationOf(step: StepEnded): Operation | null {
  if (step.step === 'tool') return 'execute_tool'
  if (step.step === 'retrieval') return 'retrieval'
  if (step.model === null && step.step !== 'model') return null
  return step.name.includes('embeddings') ? 'embeddings' : 'chat'
}

export function asksModel(operation: Operation | null): boolean {
  return operation === 'chat' || operation === 'embeddings'
}

export type StepKey = readonly [
  operation: Operation | null,
  kind: StepEnded['step'],
  /** The model of a model operation, the name of every other. */
  subject: string,
  error: string | null,
  contract: string | null,
  release: string | null,
]

export function stepConstants(key: StepKey): SpanConstants {
  const [operation, kind, subject, error, contract, release] = key
  return {
    name: subject === '' ? (operation ?? kind) : `${operation ?? kind} ${subject}`,
    kind: operation === null || operation === 'execute_tool' ? 'internal' : 'client',
    attributes: {
      'gen_ai.operation.name': operation,
      'gen_ai.tool.name': operation === 'execute_tool' ? subject : null,
      'gen_ai.data_source.id': operation === 'retrieval' ? subject : null,
      'error.type': error,
      'spillway.task.type': contract,
      'spillway.release': release,
      'spillway.step.kind': kind,
    },
    error,
  }
}

/** A reported step's error is the application's own text, so only the fact of it is told. */
export function errorType(step: StepEnded): string | null {
  if (step.error === null) return null
  return step.step === 'model' || step.step === 'check' ? step.error : '_OTHER'
}

export type ModelKey = readonly [
  provider: string | null,
  model: string | null,
  deployment: string | null,
  route: string | null,
  tier: string | null,
  cache: StepEnded['cache'],
  finishReason: string | null,
  basis: AttemptRecord['basis'] | 'unknown' | null,
  priceBook: string | null,
  streamed: boolean,
  escalated: boolean,
  simulated: boolean,
]

/** Of a step that asks a model, in addition. */
export function modelConstants(key: ModelKey): Attributes {
  const [provider, model, deployment, route, tier, cache, finishReason, basis, priceBook, ...flags] = key
  const [streamed, escalated, simulated] = flags
  return {
    'gen_ai.provider.name': provider,
    'gen_ai.request.model': model,
    'gen_ai.request.stream': onlyIf(streamed),
    'gen_ai.response.model': deployment === null ? null : upstreamModel(deployment),
    'gen_ai.response.finish_reasons': finishReason === null ? null : [finishReason],
    'spillway.cost.basis': basis,
    'spillway.cost.price_book': priceBook,
    'spillway.route': route,
    'spillway.tier': tier,
    'spillway.deployment': deployment,
    'spillway.escalated': onlyIf(escalated),
    'spillway.cache.decision': cache === 'off' ? null : cache,
    'spillway.simulated': onlyIf(simulated),
  }
}

export type AttemptKey = readonly [
  deployment: string,
  end: string,
  status: number,
  purpose: AttemptRecord['purpose'],
  basis: AttemptRecord['basis'],
  disputed: boolean,
]

/** An attempt is our word: it carries no `gen_ai.usage`, or back-ends would count the step's tokens twice. */
export function attemptConstants(key: AttemptKey): SpanConstants {
  const [deployment, end, status, purpose, basis, disputed] = key
  const error = end === 'ok' ? null : end
  return {
    name: `attempt ${deployment}`,
    kind: 'client',
    attributes: {
      'error.type': error,
      'http.response.status_code': status === 0 ? null : status,
      'spillway.attempt.purpose': purpose,
      'spillway.deployment': deployment,
      'spillway.cost.basis': basis,
      'spillway.usage.disputed': onlyIf(disputed),
    },
    error,
  }
}

export const DECISION_EVENT = 'spillway.decision'

export type DecisionKey = readonly [stage: Decision['stage'], choice: string, reason: string]

export function decisionConstants([stage, choice, reason]: DecisionKey): Attributes {
  return { 'spillway.stage': stage, 'spillway.choice': choice, 'spillway.reason': reason }
}

/** `provider/model` -> `model`, the name the provider knows. */
function upstreamModel(deployment: string): string {
  return deployment.slice(deployment.indexOf('/') + 1)
}

/** False is the normal case and need not be said in every span. */
function onlyIf(value: boolean): true | null {
  return value ? true : null
}
