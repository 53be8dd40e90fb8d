// Stage 3, plan: facts known before the call choose the model; whether its answer must be held back for
// judging follows from the rules that need a signal.

import type { Contract, ModelEntry, RouteRule } from '../../core/release/release.js'
import { type Rule, namesRead } from '../../core/release/rule.js'
import { chooseModel } from '../../core/routing/choose-model.js'
import { fallbackOrder } from '../../core/routing/fallback-order.js'
import type { PremiumUse } from '../../core/routing/premium-ceiling.js'
import { resolveRequestedModel } from '../../core/routing/resolve-requested-model.js'
import { modelNamed, tierRank } from '../../core/routing/route-models.js'
import { factsBefore } from '../facts-of-step.js'
import { type Refusal, refused } from '../refusal.js'
import type { Step } from '../step-context.js'
import { remembers } from './recall.js'

export interface Plan {
  readonly kind: 'plan'
  /** The model of the route first, then those it may fall back to. */
  readonly models: readonly ModelEntry[]
  /** `default`, `rule:<n>`, `escalated:<n>`, `degraded`: as shown to the caller. */
  readonly route: string
  readonly holdBack: boolean
  /** Keep the frames of a stream, for the cache or until they are judged. */
  readonly keep: boolean
  /** Read what a stream says as it passes: the judge, the contract's expressions or the store will ask. */
  readonly collect: boolean
  readonly logprobs: boolean
  /** Names of the signals that some rule could still ask for. */
  readonly signals: readonly string[]
  /** The premium ceiling is reached and the route has nothing below it. */
  readonly overCeiling: boolean
}

export function plan(step: Step): Plan | Refusal {
  const { task, call } = step
  const { contracts, models } = task.release
  const isNamed = task.contract.name !== 'default' || call.contract !== null || call.taskId !== null
  const named = isNamed ? task.contract.name : null
  const asked = resolveRequestedModel({ requested: call.view.model, task: named, contracts, models })
  if (asked.kind === 'conflict' || asked.kind === 'unknown-task') {
    return refused(
      'request.invalid',
      `The body's model names another task than this one, '${task.contract.name}'.`,
      {
        task: task.id,
      },
    )
  }
  if (asked.kind === 'unknown-model' && !isNamed) return unknownModel(step)
  const pinned = asked.kind === 'resolved' ? asked.pinned : null
  return choose(step, { pinned, alone: !isNamed && pinned !== null })
}

function unknownModel({ call, task }: Step): Refusal {
  const known = [...task.release.models.keys()].slice(0, 20).join(', ')
  const message = `No task, model or tier named '${call.view.model.slice(0, 100)}' is configured. Known models: ${known}.`
  return refused('model.unknown', message, { task: task.id })
}

function choose(step: Step, asked: { readonly pinned: string | null; readonly alone: boolean }): Plan {
  const { contract, release } = step.task
  const { route } = contract
  const choice = chooseModel({
    route,
    models: release.models,
    premiumUse: premiumUse(step),
    facts: factsBefore(step),
    // Naming the default is asking for the route, rules included.
    pinned: asked.pinned === route.default ? null : asked.pinned,
  })
  step.unknownRules.push(...choice.unknownRules)
  step.decisions.push(...choice.decisions)
  step.route = choice.route
  if (choice.turnedAway?.contained === false) {
    // The default is premium too: there is nothing to turn to, so the ladder answers.
    return { ...planFor(step, { model: choice.model, route: choice.route }), overCeiling: true }
  }
  return planFor(step, { model: choice.model, route: choice.route, alone: asked.alone })
}

/** What the contract has used of its premium ceilings so far. */
export function premiumUse({ engine, task }: Step): PremiumUse {
  const counts = engine.premiumShare.of(task.contract.name)
  const nanoUsdToday = engine.ceilings.premiumSpent(task, engine.system)
  return { calls: counts.calls, premiumCalls: counts.premiumCalls, nanoUsdToday }
}

/**
 * Premium money or share that ran out between the choice and the call: the call goes where the route would
 * have sent it. null: there is nothing below to turn to.
 */
export function containedPlan(step: Step, current: Plan): Plan | null {
  const { contract, release } = step.task
  const fallback = modelNamed(release.models, contract.route.default)
  if (fallback.tier === 'premium' || current.models[0]?.tier !== 'premium') return null
  const reason = `the premium ceiling turned ${current.models[0].name} away`
  step.decisions.push({ stage: 'plan', choice: fallback.name, reason })
  step.route = 'default'
  return planFor(step, { model: fallback.name, route: 'default' })
}

export function escalatedPlan(step: Step, to: { readonly index: number; readonly model: string }): Plan {
  const route = `escalated:${to.index}`
  step.route = route
  return planFor(step, { model: to.model, route })
}

/**
 * Everything that follows from a model having been chosen, whoever chose it. `alone`: the caller named the
 * model outside any task, so no other may answer for it.
 */
export function planFor(
  step: Step,
  chosen: { readonly model: string; readonly route: string; alone?: boolean },
): Plan {
  const { contract, release } = step.task
  const model = modelNamed(release.models, chosen.model)
  const { models, keep, collect } = standing(step, model)
  const targets = step.call.wire === 'openai-embeddings' ? NO_RULES : escalationTargets(step, model)
  const holdBack = targets.length > 0
  const signals = holdBack ? signalsOf(contract, targets) : NO_NAMES
  return {
    kind: 'plan',
    models: chosen.alone === true ? [model] : untried(step, models),
    route: chosen.route,
    holdBack,
    keep: holdBack || keep,
    collect: holdBack || collect,
    logprobs: signals.some((name) => contract.signals[name]?.from === 'logprobs'),
    signals,
    overCeiling: false,
  }
}

const NO_RULES: readonly RouteRule[] = []
const NO_NAMES: readonly string[] = []

interface Standing {
  readonly models: readonly ModelEntry[]
  readonly keep: boolean
  readonly collect: boolean
}

/** A model whose answer was judged too weak is no fallback for the one that should do better. */
function untried({ tried }: Step, models: readonly ModelEntry[]): readonly ModelEntry[] {
  return tried.length === 0 ? models : models.filter(({ name }) => !tried.includes(name))
}

const STANDING = new WeakMap<Contract, Map<ModelEntry, Standing>>()

/** What only depends on the release: worked out once per contract and model. */
function standing(step: Step, model: ModelEntry): Standing {
  const { contract, release } = step.task
  const known = STANDING.get(contract)?.get(model)
  if (known !== undefined) return known
  const order = fallbackOrder({ route: contract.route, models: release.models, model: model.name })
  const made = {
    models: [...new Set(order.map((candidate) => candidate.model))],
    keep: remembers(step),
    collect: readsOutput(step) || contract.record === 'content',
  }
  const ofContract = STANDING.get(contract) ?? new Map<ModelEntry, Standing>()
  STANDING.set(contract, ofContract.set(model, made))
  return made
}

function signalsOf(contract: Contract, targets: readonly RouteRule[]): readonly string[] {
  return Object.keys(contract.signals).filter((name) =>
    targets.some((rule) => rule.condition.reads.includes(name)),
  )
}

/** Rules that could still move the answer up. None left: nothing to hold an answer back for. */
function escalationTargets({ task, tried }: Step, current: ModelEntry): readonly RouteRule[] {
  const { models } = task.release
  const { rules } = task.contract.route
  if (!rules.some((rule) => rule.phase === 'after')) return NO_RULES
  return rules.filter(
    (rule) =>
      rule.phase === 'after' &&
      rule.model !== current.name &&
      !tried.includes(rule.model) &&
      tierRank(modelNamed(models, rule.model).tier) >= tierRank(current.tier),
  )
}

/** Does the contract judge what the answer says? */
export function readsOutput({ task }: Step): boolean {
  const { success, harm } = task.contract
  return readOutput(success) || readOutput(harm)
}

function readOutput(rules: readonly Rule[]): boolean {
  const names = namesRead(rules)
  return names.includes('output') || names.includes('checks')
}
