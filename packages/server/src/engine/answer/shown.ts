// What Spillway says about an answer: response headers, and the same facts as the body's `spillway` member.

import { RESPONSE_HEADERS, type SpillwayMember } from '@spillway/protocol'
import { formatUsd, usdFromNano } from '../../core/money/nano.js'
import { type Deployment, type ModelEntry, isAllSimulated } from '../../core/release/release.js'
import type { Step } from '../step-context.js'
import { taskBudget } from './budget-json.js'

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

/** `{cost_usd, task: {id, spent, remaining}, decisions}`; an unknown cost is null, never 0. */
export function spillwayMember(step: Step): SpillwayMember {
  const { task, engine } = step
  const budget = taskBudget(engine.ledger, task)
  const nanoUsd = costOfStep(step)
  return {
    cost_usd: nanoUsd === null ? null : usdFromNano(nanoUsd),
    task: { id: task.id, spent: budget.spent, remaining: budget.remaining },
    decisions: step.decisions,
  }
}
