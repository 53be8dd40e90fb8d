// What Spillway says about an answer: response headers, and the same facts as the body's `spillway` member.

import { RESPONSE_HEADERS } from '@spillway/protocol'
import type { Amounts } from '../../core/budget/amounts.js'
import { formatUsd, usdFromNano } from '../../core/money/nano.js'
import { type Deployment, type ModelEntry, isAllSimulated } from '../../core/release/release.js'
import type { Decision } from '../../core/task/records.js'
import type { Step } from '../step-context.js'
import { taskBalance } from './budget-json.js'

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
  if (step.cacheAgeMs !== null)
    headers[RESPONSE_HEADERS.cacheAge] = String(Math.floor(step.cacheAgeMs / 1000))
  if (answered.simulated || isAllSimulated(task.release)) headers[RESPONSE_HEADERS.simulated] = 'true'
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

/**
 * `{cost_usd, task: {id, spent, remaining}, decisions}` (`SpillwayMember`) as JSON text. An unknown cost is
 * null, never 0. Written out, because it goes onto every answer and JSON.stringify costs three times as much.
 */
export function spillwayMember(step: Step): string {
  const { task, engine } = step
  const { spent, remaining } = taskBalance(engine.ledger, task)
  const nanoUsd = costOfStep(step)
  const cost = nanoUsd === null ? 'null' : usdFromNano(nanoUsd)
  const balance = `{"id":"${task.id}","spent":${amountsText(spent)},"remaining":${amountsText(remaining)}}`
  const decisions = step.decisions.map(decisionText).join(',')
  return `{"cost_usd":${cost},"task":${balance},"decisions":[${decisions}]}`
}

function decisionText(decision: Decision): string {
  const { stage, choice, reason, inputs } = decision
  if (inputs !== undefined) return JSON.stringify(decision)
  return `{"stage":"${stage}","choice":${JSON.stringify(choice)},"reason":${JSON.stringify(reason)}}`
}

function amountsText(amounts: Amounts): string {
  const { modelCalls, inputTokens, outputTokens, toolCalls, toolMs, nanoUsd } = amounts
  const tokens = `"input_tokens":${bound(inputTokens)},"output_tokens":${bound(outputTokens)}`
  const tools = `"tool_calls":${bound(toolCalls)},"tool_ms":${bound(toolMs)}`
  return `{"model_calls":${bound(modelCalls)},${tokens},${tools},"cost_usd":${bound(usdFromNano(nanoUsd))}}`
}

/** JSON has no Infinity: no limit is null. */
function bound(limit: number): number | null {
  return limit === Infinity ? null : limit
}
