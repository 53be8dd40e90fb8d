// The pause before a retry, where there may be one: of a model call, or of the use of a dependency.

import { fitsDeadline, retryDelayMs } from '../../core/capacity/retry.js'
import type { Deployment, ModelEntry } from '../../core/release/release.js'
import type { Decision } from '../../core/task/records.js'
import type { Caller, System } from '../ports.js'
import { sleep } from '../sleep.js'
import type { Capacity } from './capacity.js'

export interface RetryAsk {
  readonly model: ModelEntry
  /** Where the last attempt failed, and how. */
  readonly deployment: Deployment
  readonly end: string
  /** Attempts that have failed, from 1. */
  readonly attempt: number
  /** Until the deadline. */
  readonly leftMs: number
  readonly caller: Pick<Caller, 'gone'>
  /** What is decided is added to these. */
  readonly decisions: Decision[]
}

export type PauseEnd =
  | 'over'
  /** It would not fit into the deadline, and is not begun. */
  | 'too-late'
  /** The model's budget of retries has no room. */
  | 'spent'
  /** The caller left meanwhile. */
  | 'gone'

export async function pauseBeforeRetry(
  { system, capacity }: { readonly system: System; readonly capacity: Capacity },
  ask: RetryAsk,
): Promise<PauseEnd> {
  const { model, deployment, end, attempt, leftMs, caller, decisions } = ask
  const delayMs = retryDelayMs({ attempt, retryAfterMs: null, random: system.random() })
  if (!fitsDeadline(delayMs, leftMs)) return 'too-late'
  if (!capacity.mayRetry(model, deployment, system.nowMs())) {
    const reason = `the retries of ${model.name} are used up: at most one per ten first attempts`
    decisions.push({ stage: 'attempt', choice: 'stop', reason })
    return 'spent'
  }
  const inputs = { delayMs: Math.round(delayMs) }
  decisions.push({ stage: 'attempt', choice: 'retry', reason: end, inputs })
  await sleep(system, delayMs)
  return caller.gone ? 'gone' : 'over'
}
