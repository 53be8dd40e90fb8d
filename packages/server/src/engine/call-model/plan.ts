// Stage 3, plan: facts known before the call choose the model; whether its answer must be held back for judging
// follows from the rules that need a signal.

import type { ModelEntry, RouteRule } from '../../core/release/release.js'
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
  /** Keep the frames of a stream: for the cache, the judge or the contract's expressions. */
  readonly keep: boolean
  readonly logprobs: boolean
  /** Names of the signals that some rule could still ask for. */
  readonly signals: readonly string[]
  /** The premium ceiling is reached and the route has nothing below it. */
  readonly overCeiling: boolean
}

export async function plan(step: Step): Promise<Plan | Refusal> {
  const { task, call } = step
  const { contracts, models } = task.release
  const isNamed = task.contract.name !== 'default' || call.contract !== null || call.taskId !== null
  const named = isNamed ? task.contract.name : null
  const asked = resolveRequestedModel({ requested: call.view.model, task: named, contracts, models })
  if (asked.kind === 'conflict' || asked.kind === 'unknown-task') {
    return refused('request.invalid', `The body's model names another task than this one, '${task.contract.name}'.`, {
      task: task.id,
    })
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

async function choose(step: Step, asked: { readonly pinned: string | null; readonly alone: boolean }) {
  const { contract, release } = step.task
  const { route } = contract
  const choice = chooseModel({
    route,
    models: release.models,
    premiumUse: await premiumUse(step),
    facts: await factsBefore(step),
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
export async function premiumUse({ engine, task }: Step): Promise<PremiumUse> {
  const counts = engine.premiumShare.of(task.contract.name)
  const nanoUsdToday = await engine.ceilings.premiumSpent(task, engine.system.nowMs())
  return { ...counts, nanoUsdToday }
}

export function escalatedPlan(step: Step, to: { readonly index: number; readonly model: string }): Plan {
  const route = `escalated:${to.index}`
  step.route = route
  return planFor(step, { model: to.model, route })
}

/**
 * Everything that follows from a model having been chosen, whoever chose it. `alone`: the caller named the model
 * outside any task, so no other may answer for it.
 */
export function planFor(step: Step, chosen: { readonly model: string; readonly route: string; alone?: boolean }): Plan {
  const { contract, release } = step.task
  const model = modelNamed(release.models, chosen.model)
  const fallbacks = fallbackOrder({ route: contract.route, models: release.models, model: model.name })
  const targets = step.call.wire === 'openai-embeddings' ? [] : escalationTargets(step, model)
  const signals = Object.keys(contract.signals).filter((name) => targets.some((rule) => rule.condition.reads.includes(name)))
  const holdBack = targets.length > 0
  return {
    kind: 'plan',
    models: chosen.alone === true ? [model] : [...new Set(fallbacks.map((candidate) => candidate.model))],
    route: chosen.route,
    holdBack,
    keep: holdBack || remembers(step) || readsOutput(step) || contract.record === 'content',
    logprobs: holdBack && signals.some((name) => contract.signals[name]?.from === 'logprobs'),
    signals,
    overCeiling: false,
  }
}

/** Rules that could still move the answer up. None left: nothing to hold an answer back for. */
function escalationTargets({ task, tried }: Step, current: ModelEntry): readonly RouteRule[] {
  const { models } = task.release
  return task.contract.route.rules.filter(
    (rule) =>
      rule.phase === 'after' &&
      rule.model !== current.name &&
      !tried.includes(rule.model) &&
      tierRank(modelNamed(models, rule.model).tier) >= tierRank(current.tier),
  )
}

/** Does the contract judge what the answer says? Then a stream has to be read once it is over. */
function readsOutput(step: Step): boolean {
  const { success, harm } = step.task.contract
  return [...success, ...harm].some((rule) => rule.reads.includes('output') || rule.reads.includes('checks'))
}
