// From the keys of one task to its contract: rules compiled and split by when their facts are known,
// amounts in the units of the books, references to models collected for `resolve-models.ts`.

import type { Amounts } from '../core/budget/amounts.js'
import {
  type Contract,
  FULL_LADDER,
  type Route,
  type RouteRule,
  type RungName,
} from '../core/release/release.js'
import type { Rule } from '../core/release/rule.js'
import { type Compile, type Compiled, expressionCompiler, type Scope } from './expressions.js'
import type { Problems } from './problems.js'
import { nanoUsd } from './read-limits.js'
import { readSignals } from './read-signals.js'
import { task, type TaskValues } from './read-task.js'
import type { ModelReference } from './resolve-models.js'
import type { Located } from './readers.js'
import { positionInRaw } from './scalar-position.js'
import type { ScalarTree, Tree } from './tree.js'

/** Runs calls that name no task. */
export const DEFAULT_CONTRACT = 'default'

const MS_PER_SECOND = 1_000

export interface Built {
  readonly contract: Contract
  /** Every model it names, with the place. */
  readonly references: readonly ModelReference[]
}

export interface Surroundings {
  readonly problems: Problems
  /** Names of attributes that tenants set. */
  readonly attributes: ReadonlySet<string>
  /** Where a task that names no default model goes. */
  readonly defaultModel: string
}

export function buildContract(name: string, tree: Tree, around: Surroundings): Built {
  const { problems } = around
  const values = task.read(tree, problems)
  const { signals, judges } = readSignals(values.signals, problems)
  const scope = { signals, attributes: around.attributes }
  const judge = judgeRules({ ...scope, place: 'judge' }, problems)
  const { route, rest } = buildRoute(values, { ...scope, place: 'route' }, around)
  const named = (one: Located<string>): ModelReference => ({ ...one, implied: false })
  const first: ModelReference = values.route.default
    ? named(values.route.default)
    : { value: route.default, offset: tree.offset, hidden: false, implied: true }
  checkTarget(values, problems)
  const contract: Contract = {
    name,
    description: values.description,
    success: judge(values.success),
    harm: judge(values.harm),
    slo: { p95LatencyMs: values.slo.p95_latency_ms?.value ?? null, successRate: values.slo.success_rate },
    budget: { limits: limitsOf(values), latencyMs: values.budget.max_latency_ms },
    degrade: ladderOf(name, values, problems),
    refineMessage: values.refine_message,
    signals,
    route,
    cache: cacheOf(values),
    maxAttempts: values.retries.max_attempts,
    hedge: values.retries.hedge,
    criticality: values.criticality,
    record: values.record,
    retentionDays: values.retention_days,
    price: { nanoUsdPerSuccess: nanoUsd(values.price?.usd_per_success ?? null) },
  }
  return { contract, references: [first, ...[...rest, ...judges].map(named)] }
}

function limitsOf({ budget }: TaskValues): Amounts {
  return {
    modelCalls: budget.max_model_calls ?? Infinity,
    inputTokens: budget.max_input_tokens ?? Infinity,
    outputTokens: budget.max_output_tokens ?? Infinity,
    toolCalls: budget.max_tool_calls ?? Infinity,
    toolMs: budget.max_tool_ms ?? Infinity,
    nanoUsd: nanoUsd(budget.max_cost_usd) ?? Infinity,
  }
}

function checkTarget({ slo, budget }: TaskValues, problems: Problems): void {
  const target = slo.p95_latency_ms
  if (!target || target.value <= budget.max_latency_ms) return
  const limit = `\`max_latency_ms\` (${budget.max_latency_ms} ms)`
  problems.add(target.offset, `a target of ${target.value} ms is above ${limit}, so it could never be missed`)
}

function ladderOf(name: string, { degrade }: TaskValues, problems: Problems): readonly RungName[] {
  if (!degrade) return name === DEFAULT_CONTRACT ? [] : FULL_LADDER
  const rungs = new Set<RungName>()
  for (const { value, offset } of degrade.value) {
    if (rungs.has(value)) problems.add(offset, `\`${value}\` is on the ladder twice`)
    rungs.add(value)
  }
  return [...rungs]
}

function cacheOf({ cache }: TaskValues): Contract['cache'] {
  const { exact, semantic, provider } = cache
  return {
    provider,
    exactTtlMs: exact ? exact.ttl_seconds * MS_PER_SECOND : null,
    semantic: semantic && {
      enabled: semantic.enabled,
      similarityThreshold: semantic.similarity_threshold,
      ttlMs: semantic.ttl_seconds * MS_PER_SECOND,
    },
  }
}

function judgeRules(
  scope: Scope,
  problems: Problems,
): (trees: readonly (ScalarTree | null)[]) => readonly Rule[] {
  const compile = expressionCompiler(scope)
  return (trees) =>
    trees.flatMap((tree) => {
      const compiled = tree && compileTree(compile, tree, problems)
      return compiled ? [compiled.rule] : []
    })
}

function buildRoute(
  { route }: TaskValues,
  scope: Scope,
  { problems, defaultModel }: Surroundings,
): { readonly route: Route; readonly rest: readonly Located<string>[] } {
  const compile = expressionCompiler(scope)
  const rules: RouteRule[] = []
  const rest: Located<string>[] = []
  for (const [index, { condition, model }] of route.escalate_if.entries()) {
    rest.push(model)
    const compiled = condition && compileTree(compile, condition, problems)
    if (compiled) rules.push({ index, condition: compiled.rule, model: model.value, phase: compiled.phase })
  }
  const { max_share: maxShare, max_usd_per_day: maxUsd } = route.premium
  const premium = { maxShare, maxNanoUsdPerDay: nanoUsd(maxUsd) }
  const { min_confidence: minConfidence = null, timeout_ms: timeoutMs = null } = route.on_device ?? {}
  const onDevice = minConfidence === null ? {} : { onDevice: { minConfidence, timeoutMs } }
  return { route: { default: route.default?.value ?? defaultModel, rules, premium, ...onDevice }, rest }
}

type CompiledRule = Extract<Compiled, { readonly kind: 'ok' }>

function compileTree(compile: Compile, tree: ScalarTree, problems: Problems): CompiledRule | null {
  const source = String(tree.value)
  const compiled = compile(source)
  if (compiled.kind === 'ok') return compiled
  for (const { index, message } of compiled.problems) {
    // A message may quote the expression, and text from the environment is never shown.
    if (tree.substituted) problems.add(tree.offset, 'bad expression (its text comes from the environment)')
    else problems.add(tree.offset + positionInRaw(tree.raw, source, index), message)
  }
  return null
}
