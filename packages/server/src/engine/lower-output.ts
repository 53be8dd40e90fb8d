// Under overload an answer may be no longer than nearly all answers of its task are: the few that would be
// longer are cut, and leave room for others.

import type { ModelEntry } from '../core/release/release.js'
import { type HoldAsk, maxOutputOf } from './call-model/hold.js'
import type { Engine } from './engine.js'
import { type Step, decide } from './step-context.js'

/** A lower limit than this saves nothing, tokens. */
const OUTPUT_TOKENS_MIN = 16

/** Are answers of this model shorter now than they would be? */
export function lowersOutput({ capacity, system }: Engine, model: ModelEntry): boolean {
  const queue = capacity.queues.active(model.name, system.nowMs())
  return queue?.overload.has('output_lowered') === true
}

/** What is asked for, or less. Only where the caller would allow more than the task needs. */
export function lowered(step: Step, ask: HoldAsk): HoldAsk {
  const { engine, task } = step
  if (!ask.generates || !lowersOutput(engine, ask.model)) return ask
  const needed = engine.capacity.outputs.expected(task.contract.name, ask.model.name)?.p95
  if (needed === undefined) return ask
  const wanted = ask.wantedOutputTokens ?? maxOutputOf(ask.model)
  const outputTokens = Math.max(OUTPUT_TOKENS_MIN, needed)
  if (outputTokens >= wanted) return ask
  decide(step, {
    stage: 'hold',
    choice: 'lower output limit',
    reason: 'overload: nineteen of twenty answers of the task are no longer',
    inputs: { outputTokens, wanted },
  })
  return { ...ask, wantedOutputTokens: outputTokens }
}
