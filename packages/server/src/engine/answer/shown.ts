// What Spillway says about an answer: response headers, and the same facts as the body's `spillway` member.

import { RESPONSE_HEADERS } from '@spillway/protocol'
import type { Amounts } from '../../core/budget/amounts.js'
import type { JsonObject } from '../../core/json.js'
import { formatUsd, usdFromNano } from '../../core/money/nano.js'
import type { Deployment, ModelEntry } from '../../core/release/release.js'
import type { AccountState } from '../ports.js'
import type { Step } from '../step-context.js'
import { accountOf } from '../task-registry.js'

export interface Answered {
  readonly route: string
  readonly model: ModelEntry | null
  readonly deployment: Deployment | null
  readonly simulated: boolean
}

export function responseHeaders(step: Step, answered: Answered): Record<string, string> {
  const { task } = step
  const headers: Record<string, string> = {
    [RESPONSE_HEADERS.taskId]: task.id,
    [RESPONSE_HEADERS.stepId]: step.id,
    [RESPONSE_HEADERS.release]: task.release.id,
    [RESPONSE_HEADERS.route]: answered.route,
    [RESPONSE_HEADERS.cache]: step.cache,
    [RESPONSE_HEADERS.attempts]: String(step.attempts.length),
    [RESPONSE_HEADERS.requestId]: step.call.requestId,
  }
  if (answered.model !== null) {
    headers[RESPONSE_HEADERS.model] = answered.model.name
    headers[RESPONSE_HEADERS.tier] = answered.model.tier
  }
  if (answered.deployment !== null) headers[RESPONSE_HEADERS.deployment] = answered.deployment.id
  if (step.degraded.length > 0) headers[RESPONSE_HEADERS.degraded] = step.degraded.join(',')
  if (step.cacheAgeMs !== null) headers[RESPONSE_HEADERS.cacheAge] = String(Math.floor(step.cacheAgeMs / 1000))
  if (answered.simulated) headers[RESPONSE_HEADERS.simulated] = 'true'
  return headers
}

/** Cost of the step so far, or null when one of its prices is unknown. */
export function costOfStep(step: Step): number | null {
  let nanoUsd = 0
  for (const attempt of step.attempts) {
    if (attempt.nanoUsd === null) return null
    nanoUsd += attempt.nanoUsd
  }
  return nanoUsd
}

export function costHeader(step: Step): string | null {
  const nanoUsd = costOfStep(step)
  return nanoUsd === null ? null : formatUsd(nanoUsd)
}

/** `{cost_usd, task: {id, spent, remaining}, decisions}`; an unknown cost is null, never 0. */
export async function spillwayMember(step: Step): Promise<JsonObject> {
  const { task, engine } = step
  const state = await engine.ledger.read(accountOf(task.id))
  const nanoUsd = costOfStep(step)
  return {
    cost_usd: nanoUsd === null ? null : usdFromNano(nanoUsd),
    task: { id: task.id, ...(state === null ? {} : budgetJson(state)) },
    decisions: step.decisions as unknown as JsonObject[],
  }
}

/** Spent and remaining, in the contract's units; a resource without a limit has no remainder. */
export function budgetJson(state: AccountState): { readonly spent: JsonObject; readonly remaining: JsonObject } {
  const { limits, settled, held } = state
  const left = (resource: keyof Amounts) =>
    limits[resource] === Infinity ? null : Math.max(0, limits[resource] - settled[resource] - held[resource])
  const money = left('nanoUsd')
  return {
    spent: amountsJson(settled),
    remaining: {
      model_calls: left('modelCalls'),
      input_tokens: left('inputTokens'),
      output_tokens: left('outputTokens'),
      tool_calls: left('toolCalls'),
      tool_ms: left('toolMs'),
      cost_usd: money === null ? null : usdFromNano(money),
    },
  }
}

export function amountsJson(amounts: Amounts): JsonObject {
  const bound = (value: number) => (value === Infinity ? null : value)
  return {
    model_calls: bound(amounts.modelCalls),
    input_tokens: bound(amounts.inputTokens),
    output_tokens: bound(amounts.outputTokens),
    tool_calls: bound(amounts.toolCalls),
    tool_ms: bound(amounts.toolMs),
    cost_usd: amounts.nanoUsd === Infinity ? null : usdFromNano(amounts.nanoUsd),
  }
}
