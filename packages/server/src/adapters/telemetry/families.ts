// The names, labels and buckets of every metric, on one page.

import type { Registry } from 'prom-client'
import { GEN_AI_METRICS } from '../../wire/otel-genai.js'
import { type FamilyConfig, counterFamily, histogramFamily } from './metric-families.js'

/** From a cached answer to a long agent task. */
const SECONDS = [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 1.5, 2, 3, 4, 6, 8, 12, 20, 30, 60, 120, 300]
const DOLLARS = [0.00001, 0.00003, 0.0001, 0.0003, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3, 10]
/** The boundaries the OpenTelemetry convention asks for. */
const GEN_AI_SECONDS = [
  0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92,
]
const GEN_AI_TOKENS = Array.from({ length: 14 }, (_, power) => 4 ** power)

export type Families = ReturnType<typeof createFamilies>

export function createFamilies(registry: Registry) {
  return { ...taskFamilies(registry), ...attemptFamilies(registry), ...genAiFamilies(registry) }
}

function define(name: string, help: string, labels: readonly string[]): FamilyConfig {
  return { name: `spillway_${name}`, help, labels }
}

function taskFamilies(registry: Registry) {
  const counter = (...config: Parameters<typeof define>) => counterFamily(registry, define(...config))
  const c = ['contract']
  return {
    tasks: counter('tasks_total', 'Ended tasks by outcome (success, failure, abandoned, harm).', [
      ...c,
      'outcome',
    ]),
    taskDuration: histogramFamily(registry, {
      ...define('task_duration_seconds', 'From opening a task to its last answer or outcome.', c),
      bounds: SECONDS,
    }),
    taskCost: histogramFamily(registry, {
      ...define('task_cost_usd', 'What an ended task cost.', c),
      bounds: DOLLARS,
    }),
    sloMet: counter('task_slo_total', 'Ended tasks with a latency target, by whether they met it.', [
      ...c,
      'met',
    ]),
    cost: counterFamily(registry, {
      ...define('cost_usd_total', 'Money spent, failed work included.', ['contract', 'model', 'provider']),
      divisor: 1e9,
    }),
    steps: counter('steps_total', 'Steps by kind.', [...c, 'kind']),
    cache: counter('cache_total', 'Model steps by what the cache said (exact, semantic, miss, off).', [
      ...c,
      'result',
    ]),
    degraded: counter('degraded_total', 'Rungs of the ladder taken.', [...c, 'rung']),
    escalations: counter('escalations_total', 'Answers escalated, by the rule that asked.', [...c, 'rule']),
    unknownFacts: counter('unknown_facts_total', 'Rules that could not be decided: a fact never arrived.', c),
    holdsRefused: counter('holds_refused_total', 'Holds a limit refused.', ['limit']),
    refusals: counter('refusals_total', 'Calls turned away before they had a step, by error code.', ['code']),
    events: counter('events_total', 'Alerts, breakers and overload levels that changed.', ['event']),
    outcomesRevised: counter('outcomes_revised_total', 'Outcomes of tasks that had one already.', []),
  }
}

function attemptFamilies(registry: Registry) {
  const counter = (...config: Parameters<typeof define>) => counterFamily(registry, define(...config))
  const seconds = (...config: Parameters<typeof define>) =>
    histogramFamily(registry, { ...define(...config), bounds: SECONDS })
  const d = ['deployment']
  return {
    tokens: counter('tokens_total', 'Tokens by class; no class contains another.', ['model', 'class']),
    attempts: counter('attempts_total', 'Upstream attempts by how they ended.', ['deployment', 'end']),
    hedges: counter('hedges_total', 'Second copies of calls, by how they ended.', ['deployment', 'end']),
    hedgeCost: counter('hedge_lost_usd_total', 'Cost of attempts that a copy was quicker than.', [
      'deployment',
    ]),
    attemptDuration: seconds('attempt_duration_seconds', 'From sending an attempt to its end.', d),
    firstByte: seconds('attempt_first_byte_seconds', 'From sending an attempt to its first byte.', d),
    disputed: counter('usage_disputed_total', 'Usage reports that could not be true.', ['provider']),
    unpriced: counter('unpriced_calls_total', 'Calls whose price is unknown.', ['model']),
  }
}

function genAiFamilies(registry: Registry) {
  const { labels } = GEN_AI_METRICS
  const common = [labels.operation, labels.provider, labels.model]
  const histogram = (
    name: string,
    help: string,
    more: { labels: readonly string[]; bounds: readonly number[] },
  ) => histogramFamily(registry, { name, help, labels: [...common, ...more.labels], bounds: more.bounds })
  return {
    genAiTokens: histogram(GEN_AI_METRICS.tokenUsage, 'Tokens of an operation, input and output.', {
      labels: [labels.tokenType],
      bounds: GEN_AI_TOKENS,
    }),
    genAiDuration: histogram(GEN_AI_METRICS.operationDuration, 'Duration of an operation.', {
      labels: [labels.error],
      bounds: GEN_AI_SECONDS,
    }),
    genAiFirstChunk: histogram(GEN_AI_METRICS.timeToFirstChunk, 'Time to the first chunk of a stream.', {
      labels: [],
      bounds: GEN_AI_SECONDS,
    }),
  }
}
