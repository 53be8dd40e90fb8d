// Small facts of a task as numbers: what is asked of every row should cost one byte of it. The numbers are
// the format of the journal and of the tables.

import type { AttemptRecord, OutcomeJudged, StepEnded } from '../../core/task/records.js'
import type { TaskStatus } from '../../core/task/views.js'
import { bit } from './packed.js'

/** Bits of `flags`. */
export const DEGRADED = 1
export const ESCALATED = 2
export const CACHE_HIT = 4
export const SIMULATED = 8
export const ONE_STEP = 16
/** Of a whole call: the held deployment gave its answer. */
export const ANSWERED = 32
/** An attempt read from or wrote to its provider's cache of prompts. */
export const PROMPT_CACHE = 64

/** Bits of `verdict`. Success and harm first: the report sums them. */
export const SUCCESS = 1
export const HARM = 2
export const SLO_JUDGED = 4
export const SLO_MET = 8

const STATUSES = ['open', 'succeeded', 'failed', 'abandoned'] as const satisfies readonly TaskStatus[]

export function statusCode(status: TaskStatus): number {
  return STATUSES.indexOf(status)
}

export function statusOf(code: number): TaskStatus {
  return STATUSES[code] ?? 'open'
}

export function endedStatusOf(code: number): OutcomeJudged['status'] {
  const status = statusOf(code)
  return status === 'open' ? 'failed' : status
}

export function verdictCode({ success, harm, sloMet }: OutcomeJudged): number {
  const slo = sloMet === null ? 0 : SLO_JUDGED | (sloMet ? SLO_MET : 0)
  return bit(success) | (harm ? HARM : 0) | slo
}

export function sloMetOf(verdict: number): boolean | null {
  return (verdict & SLO_JUDGED) === 0 ? null : (verdict & SLO_MET) !== 0
}

export function attemptFlags({ simulated, tokens }: AttemptRecord): number {
  const isCached = tokens.cacheRead !== 0 || tokens.cacheWrite !== 0 || tokens.cacheWrite1h !== 0
  return (simulated ? SIMULATED : 0) | (isCached ? PROMPT_CACHE : 0)
}

export function stepFlags(step: StepEnded): number {
  const hit = step.cache === 'exact' || step.cache === 'semantic'
  return (step.degraded.length > 0 ? DEGRADED : 0) | (step.escalated ? ESCALATED : 0) | (hit ? CACHE_HIT : 0)
}
