// Which model answers first: small unless a rule on known facts says otherwise, premium only under its
// ceilings.

import type { Facts } from '../release/rule.js'
import type { Decision } from '../task/records.js'
import { type PremiumCeiling, type PremiumContext, premiumCeilingOf } from './premium-ceiling.js'

export interface ModelQuestion extends PremiumContext {
  readonly facts: Facts
  /** What the caller asked for, when that is honoured (`resolveRequestedModel`). It goes before the rules. */
  readonly pinned: string | null
}

export interface ModelChoice {
  readonly model: string
  readonly route: 'default' | `rule:${number}`
  /** Source text of the rules that could not be judged. */
  readonly unknownRules: readonly string[]
  readonly decisions: readonly Decision[]
  /**
   * Set when a premium choice met a ceiling. `contained: false`: the default is premium too, so there was
   * nothing to turn to and the ladder has to answer.
   */
  readonly turnedAway: {
    readonly model: string
    readonly ceiling: PremiumCeiling
    readonly contained: boolean
  } | null
}

export function chooseModel(question: ModelQuestion): ModelChoice {
  const { route } = question
  const wish = wishOf(question)
  const ceiling = premiumCeilingOf(wish.model, question)
  if (ceiling === null) return wish

  const contained = premiumCeilingOf(route.default, question) === null
  const turned: Decision = {
    stage: 'plan',
    choice: route.default,
    reason: `the premium ceiling (${ceiling}) turned ${wish.model} away`,
    inputs: {
      ...question.premiumUse,
      maxShare: route.premium.maxShare,
      maxNanoUsdPerDay: route.premium.maxNanoUsdPerDay,
    },
  }
  const decisions = [...wish.decisions, turned]
  const turnedAway = { model: wish.model, ceiling, contained }
  return { model: route.default, route: 'default', unknownRules: wish.unknownRules, decisions, turnedAway }
}

/** In order, the first `yes` wins; rules that need a signal are not asked here. Ceilings are not yet. */
function wishOf({ route, facts, pinned }: ModelQuestion): ModelChoice {
  if (pinned !== null)
    return choiceOf(pinned, { route: 'default', reason: 'the caller asked for this model' })
  let unknownRules = NO_RULES
  for (const rule of route.rules) {
    if (rule.phase !== 'before') continue
    const { source } = rule.condition
    const verdict = rule.condition.evaluate(facts)
    if (verdict === 'unknown') unknownRules = [...unknownRules, source]
    if (verdict !== 'yes') continue
    const chosen = choiceOf(rule.model, { route: `rule:${rule.index}`, reason: `rule holds: ${source}` })
    return { ...chosen, unknownRules }
  }
  return unknownRules === NO_RULES ? defaultOf(route) : { ...defaultOf(route), unknownRules }
}

const NO_RULES: readonly string[] = []

function choiceOf(model: string, by: { readonly route: ModelChoice['route']; reason: string }): ModelChoice {
  const decisions: readonly Decision[] = [{ stage: 'plan', choice: model, reason: by.reason }]
  return { model, route: by.route, unknownRules: NO_RULES, decisions, turnedAway: null }
}

/** What most calls get, which depends on nothing but the route: made once. */
const DEFAULTS = new WeakMap<ModelQuestion['route'], ModelChoice>()

function defaultOf(route: ModelQuestion['route']): ModelChoice {
  const known = DEFAULTS.get(route)
  if (known !== undefined) return known
  const made = choiceOf(route.default, { route: 'default', reason: 'no rule holds before the call' })
  DEFAULTS.set(route, made)
  return made
}
