// Is the answer good enough, or does a larger model have to try? Judged by the rules that needed a signal.

import type { RouteRule } from '../release/release.js'
import type { Facts } from '../release/rule.js'
import { type PremiumContext, premiumCeilingOf } from './premium-ceiling.js'
import { modelNamed, tierRank } from './route-models.js'

export interface EscalationQuestion extends PremiumContext {
  /** Facts known after the answer, signals included. */
  readonly facts: Facts
  /** The model that answered. */
  readonly current: string
  /** Models that have had their try in this step, `current` included or not. */
  readonly tried: readonly string[]
}

interface Judged {
  /** Source text of the rules that could not be judged: their signal never arrived. */
  readonly unknownRules: readonly string[]
  readonly reason: string
}

export type EscalationChoice =
  | (Judged & { readonly kind: 'accept' })
  | (Judged & { readonly kind: 'escalate'; readonly ruleIndex: number; readonly model: string })

/** In order, the first rule that holds and leads somewhere: to no model a second time, to no tier below. */
export function chooseEscalation(question: EscalationQuestion): EscalationChoice {
  const unknownRules: string[] = []
  const blocked: string[] = []
  for (const rule of question.route.rules) {
    if (rule.phase !== 'after') continue
    const verdict = rule.condition.evaluate(question.facts)
    if (verdict === 'unknown') unknownRules.push(rule.condition.source)
    if (verdict !== 'yes') continue
    const block = blockOf(rule, question)
    if (block === null) {
      const reason = `rule holds: ${rule.condition.source}`
      return { kind: 'escalate', ruleIndex: rule.index, model: rule.model, unknownRules, reason }
    }
    blocked.push(`rule ${rule.index} holds, but ${block}`)
  }
  return { kind: 'accept', unknownRules, reason: blocked.join('; ') || 'no rule asks for more' }
}

/** Why the rule leads nowhere, or null. */
function blockOf(rule: RouteRule, question: EscalationQuestion): string | null {
  const { model } = rule
  const { current, tried, models } = question
  if (model === current || tried.includes(model)) return `${model} has answered already`
  if (tierRank(modelNamed(models, model).tier) < tierRank(modelNamed(models, current).tier)) {
    return `${model} is of a lower tier than ${current}`
  }
  const ceiling = premiumCeilingOf(model, question)
  return ceiling === null ? null : `the premium ceiling (${ceiling}) turned ${model} away`
}
