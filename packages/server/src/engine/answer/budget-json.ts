// Budgets as the API shows them: the contract's units, money in dollars, null where there is no limit.

import { type AmountsJson, type LimitsJson, usdFromNano } from '@spillway/protocol'
import { type Amounts, NOTHING } from '../../core/budget/amounts.js'
import { remainingOf } from '../../core/budget/remaining.js'
import type { Ledger } from '../ports.js'
import type { Task } from '../task-registry.js'

export function amountsJson(amounts: Amounts): AmountsJson {
  return {
    model_calls: amounts.modelCalls,
    input_tokens: amounts.inputTokens,
    output_tokens: amounts.outputTokens,
    tool_calls: amounts.toolCalls,
    tool_ms: amounts.toolMs,
    cost_usd: usdFromNano(amounts.nanoUsd),
  }
}

/** Limits and remainders: no limit (Infinity inside, null in the books) is null. */
export function limitsJson(limits: { readonly [K in keyof Amounts]: number | null }): LimitsJson {
  const money = bound(limits.nanoUsd)
  return {
    model_calls: bound(limits.modelCalls),
    input_tokens: bound(limits.inputTokens),
    output_tokens: bound(limits.outputTokens),
    tool_calls: bound(limits.toolCalls),
    tool_ms: bound(limits.toolMs),
    cost_usd: money === null ? null : usdFromNano(money),
  }
}

function bound(limit: number | null): number | null {
  return limit === Infinity ? null : limit
}

/** Spent by the task and its sub-tasks, and what is left of it and its parents: the least of them counts. */
export function taskBalance(
  ledger: Ledger,
  task: Task,
): { readonly spent: Amounts; readonly remaining: Amounts } {
  const own = ledger.read(task.accounts[0] ?? '') ?? { limits: task.limits, settled: NOTHING, held: NOTHING }
  if (task.accounts.length === 1) return { spent: own.settled, remaining: remainingOf([own]) }
  const parents = task.accounts.slice(1).map((account) => ledger.read(account))
  return { spent: own.settled, remaining: remainingOf([own, ...parents.filter((state) => state !== null)]) }
}

/** The same as the API shows it. */
export function taskBudget(
  ledger: Ledger,
  task: Task,
): { readonly spent: AmountsJson; readonly remaining: LimitsJson } {
  const { spent, remaining } = taskBalance(ledger, task)
  return { spent: amountsJson(spent), remaining: limitsJson(remaining) }
}
