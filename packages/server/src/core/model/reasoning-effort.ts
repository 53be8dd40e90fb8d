// Efforts and budgets are two words for one ask. Formats that know only one of them meet in this table.

import type { ReasoningAsk } from './message.js'

export type Effort = NonNullable<ReasoningAsk['effort']>

/**
 * Tokens an effort may think for. Up to `high` this is what Google publishes for the same words in front of
 * its own budgets; 32,768 is where Anthropic advises to stop.
 */
export const BUDGET_TOKENS: Readonly<Record<Effort, number>> = {
  none: 0,
  minimal: 1_024,
  low: 1_024,
  medium: 8_192,
  high: 24_576,
  xhigh: 32_768,
}

/** The smallest effort that covers the budget, of those that every reasoning model takes. */
export function effortFor(budgetTokens: number): Effort {
  if (budgetTokens <= 0) return 'none'
  if (budgetTokens <= BUDGET_TOKENS.low) return 'low'
  return budgetTokens <= BUDGET_TOKENS.medium ? 'medium' : 'high'
}
