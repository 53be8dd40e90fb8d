// How much a model shall think. Only Claude is told: by a budget of tokens, and from 4.6 on by an effort.
// https://docs.aws.amazon.com/bedrock/latest/userguide/claude-messages-extended-thinking.html

import type { JsonObject } from '../../core/json.js'
import type { Message, ModelRequest, Part, ReasoningAsk } from '../../core/model/message.js'
import { makerOf } from '../reasoning-proof.js'
import { traitsOf } from './model-traits.js'

export interface Thinking {
  /** For `additionalModelRequestFields.thinking`. */
  readonly thinking: JsonObject
  /** For `outputConfig.effort`. */
  readonly effort: string | null
}

const BUDGET_TOKENS_MIN = 1_024
const BUDGETS: Readonly<Record<NonNullable<ReasoningAsk['effort']>, number>> = {
  none: 0,
  minimal: BUDGET_TOKENS_MIN,
  low: 2_048,
  medium: 8_192,
  high: 16_384,
  xhigh: 32_768,
}
/** `xhigh` needs thinking, which is on, and is not known to every model; `high` is. */
const EFFORTS = { minimal: 'low', low: 'low', medium: 'medium', high: 'high', xhigh: 'high' } as const

/** null: nothing is said, because nothing is asked, or the model cannot be told, or not beside the rest. */
export function thinkingOf(request: ModelRequest, forcesTool: boolean): Thinking | null {
  const { reasoning, temperature, topP, topK } = request
  if (!asksToThink(reasoning)) return null
  const { thinking } = traitsOf(request.model)
  if (thinking === null) return null
  // A model that thinks may not be forced to call a tool, nor be given another temperature than 1.
  const isSampled = (temperature !== null && temperature !== 1) || topK !== null
  if (forcesTool || isSampled || (topP !== null && topP < 0.95)) return null
  if (thinking === 'effort') {
    const { effort } = reasoning
    return {
      thinking: { type: 'adaptive' },
      effort: effort === null || effort === 'none' ? null : EFFORTS[effort],
    }
  }
  if (!showsThoughts(request.messages)) return null
  const wanted = reasoning.budgetTokens ?? BUDGETS[reasoning.effort ?? 'medium']
  const budget = Math.min(Math.max(wanted, BUDGET_TOKENS_MIN), (request.maxOutputTokens ?? Infinity) - 1)
  if (budget < BUDGET_TOKENS_MIN) return null
  return { thinking: { type: 'enabled', budget_tokens: budget }, effort: null }
}

/** Behind a call that it is given the result of, a model that thinks wants the thoughts that led to it. */
function showsThoughts(messages: readonly Message[]): boolean {
  const { parts = [] } = messages.findLast(({ role }) => role === 'assistant') ?? {}
  const isThought = (part: Part): boolean => part.kind === 'reasoning' && makerOf(part) === 'claude'
  return parts.some(isThought) || !parts.some(({ kind }) => kind === 'tool-call')
}

function asksToThink(reasoning: ReasoningAsk | null): reasoning is ReasoningAsk {
  if (reasoning === null || reasoning.effort === 'none') return false
  return reasoning.effort !== null || reasoning.budgetTokens !== null || reasoning.visible
}
