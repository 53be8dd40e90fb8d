// How much the model shall think. Since Gemini 3 it is a level, before it a budget in tokens; a model refuses
// the word it does not know, and both at once.

import type { JsonObject } from '../../core/json.js'
import type { ReasoningAsk } from '../../core/model/message.js'
import { isBeforeGemini3 } from './model-generation.js'

type Effort = Exclude<ReasoningAsk['effort'], 'none' | null>

// There is nothing above HIGH.
const LEVELS = { minimal: 'MINIMAL', low: 'LOW', medium: 'MEDIUM', high: 'HIGH', xhigh: 'HIGH' } as const

/** Tokens, as Google's own OpenAI-compatible address translates efforts; Flash takes no more than `high`. */
const BUDGETS: Readonly<Record<Effort, number>> = {
  minimal: 1_024,
  low: 1_024,
  medium: 8_192,
  high: 24_576,
  xhigh: 24_576,
}

export function thinkingConfig(ask: ReasoningAsk | null, model: string): JsonObject | null {
  if (ask === null) return null
  const config = { ...amountOf(ask, model), ...(ask.visible ? { includeThoughts: true } : {}) }
  return Object.keys(config).length === 0 ? null : config
}

function amountOf({ effort, budgetTokens }: ReasoningAsk, model: string): JsonObject {
  if (budgetTokens !== null) return { thinkingBudget: budgetTokens }
  if (effort === null) return {}
  if (effort === 'none') return { thinkingBudget: 0 }
  return isBeforeGemini3(model) ? { thinkingBudget: BUDGETS[effort] } : { thinkingLevel: LEVELS[effort] }
}
