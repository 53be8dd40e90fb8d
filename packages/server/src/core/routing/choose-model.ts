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

interface Wish {
  readonly model: string
  readonly route: ModelChoice['route']
  readonly unknownRules: readonly string[]
  readonly reason: string
}

export function chooseModel(question: ModelQuestion): ModelChoice {
  const { route } = question
  const wish = wishOf(question)
  const { model, route: path, unknownRules, reason } = wish
  const decisions: Decision[] = [{ stage: 'plan', choice: wish.model, reason }]
  const ceiling = premiumCeilingOf(wish.model, question)
  if (ceiling === null) return { model, route: path, unknownRules, decisions, turnedAway: null }

  const contained = premiumCeilingOf(route.default, question) === null
  decisions.push({
    stage: 'plan',
    choice: route.default,
    reason: `the premium ceiling (${ceiling}) turned ${wish.model} away`,
    inputs: {
      ...question.premiumUse,
      maxShare: route.premium.maxShare,
      maxNanoUsdPerDay: route.premium.maxNanoUsdPerDay,
    },
  })
  const turnedAway = { model: wish.model, ceiling, contained }
  return { model: route.default, route: 'default', unknownRules: wish.unknownRules, decisions, turnedAway }
}

/** In order, the first `yes` wins; rules that need a signal are not asked here. */
function wishOf({ route, facts, pinned }: ModelQuestion): Wish {
  if (pinned !== null) {
    return { model: pinned, route: 'default', unknownRules: [], reason: 'the caller asked for this model' }
  }
  const unknownRules: string[] = []
  for (const rule of route.rules) {
    if (rule.phase !== 'before') continue
    const verdict = rule.condition.evaluate(facts)
    if (verdict === 'unknown') unknownRules.push(rule.condition.source)
    if (verdict === 'yes') {
      return {
        model: rule.model,
        route: `rule:${rule.index}`,
        unknownRules,
        reason: `rule holds: ${rule.condition.source}`,
      }
    }
  }
  return { model: route.default, route: 'default', unknownRules, reason: 'no rule holds before the call' }
}
