// The pause before a retry, where there may be one.

import { retryDelayMs } from '../../core/capacity/retry.js'
import type { ModelEntry } from '../../core/release/release.js'
import { sleep } from '../sleep.js'
import { type Step, decide, timeLeftMs } from '../step-context.js'
import type { AttemptFailure } from './attempt-failure.js'

export type PauseEnd =
  | 'over'
  /** It would not fit into the deadline, and is not begun. */
  | 'too-late'
  /** The model's budget of retries has no room. */
  | 'spent'
  /** The caller left meanwhile. */
  | 'gone'

export async function pauseBeforeRetry(
  step: Step,
  { model, failures }: { readonly model: ModelEntry; readonly failures: readonly AttemptFailure[] },
): Promise<PauseEnd> {
  const last = failures.at(-1)
  if (last === undefined) return 'over'
  const { system, capacity } = step.engine
  const delayMs = retryDelayMs({ attempt: failures.length, retryAfterMs: null, random: system.random() })
  if (delayMs >= timeLeftMs(step)) return 'too-late'
  if (!capacity.mayRetry(model, last.deployment, system.nowMs())) {
    const reason = `the retries of ${model.name} are used up: at most one per ten first attempts`
    decide(step, { stage: 'attempt', choice: 'stop', reason })
    return 'spent'
  }
  const inputs = { delayMs: Math.round(delayMs) }
  decide(step, { stage: 'attempt', choice: 'retry', reason: last.end, inputs })
  await sleep(system, delayMs)
  return step.caller.gone ? 'gone' : 'over'
}
