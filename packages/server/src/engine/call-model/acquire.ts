// Stage 6, acquire: which deployment of the model serves, now. Where one is free and nobody waits, it is
// taken without more ado. Else the call is told at once that it would be too late, or waits in the model's
// queue for its turn, within its deadline.

import type { Demand } from '../../core/capacity/demand.js'
import { smallerModel } from '../../core/routing/smaller-model.js'
import type { Deployment, ModelEntry } from '../../core/release/release.js'
import type { Place, Why } from '../capacity/deployment-state.js'
import { expectationOf } from '../capacity/expectation.js'
import type { ModelQueue } from '../capacity/model-queue.js'
import type { NoPlace } from '../capacity/queue-ask.js'
import { seekPlace, waitForTurn } from '../capacity/seek-place.js'
import { type Step, decide } from '../step-context.js'

export type Acquired = { readonly kind: 'place'; readonly place: Place } | { readonly kind: 'gone' } | NoPlace

/** Another model stands by: wait no longer than this for one of the first's deployments, ms. */
const PATIENCE_MS = 250

export interface AcquireAsk {
  readonly model: ModelEntry
  /** Deployments that cannot serve this call at all. */
  readonly avoid: readonly string[]
  /** Another model comes next: a long wait for this one is not worth it. */
  readonly hasNext: boolean
  readonly demand: Demand
}

/** The place is taken when this returns, or resolves: only a wait makes it a promise. */
export function acquire(step: Step, ask: AcquireAsk): Acquired | Promise<Acquired> {
  const { model, avoid, demand } = ask
  const usable =
    avoid.length === 0 ? model.deployments : model.deployments.filter(({ id }) => !avoid.includes(id))
  if (usable.length === 0) return none(step, NOBODY_LEFT)
  const nowMs = step.engine.system.nowMs()
  const taken = seekPlace(step.engine.capacity, { model, usable, demand }, nowMs)
  if (taken.kind === 'place') return chosen(step, taken)
  return waitForPlace(step, ask, { usable, restMs: taken.waitMs, nowMs })
}

const NOBODY_LEFT: NoPlace = {
  kind: 'none',
  isShed: false,
  waitMs: 0,
  reason: 'no deployment is left to ask',
}

/** A place at one of these, if there is one at this moment. */
export function acquireNow(step: Step, usable: readonly Deployment[], demand: Demand): Acquired {
  const taken = step.engine.capacity.take(usable, demand, step.engine.system.nowMs())
  return taken.kind === 'wait' ? NOBODY_LEFT : taken
}

function chosen(step: Step, taken: Extract<Acquired, { kind: 'place' }>): Acquired {
  const { deployment, demand, warmTokens, why } = taken.place
  if (why !== null) {
    const inputs = warmTokens > 0 ? { inputs: { warmTokens, inputTokens: demand.inputTokens } } : {}
    decide(step, { stage: 'acquire', choice: deployment.id, reason: WHY[why], ...inputs })
  }
  return taken
}

const WHY: Readonly<Record<Why, string>> = {
  load: 'least loaded of the ready',
  warm: 'has the beginning of the prompt warm',
  cold: 'no deployment has the prompt warm; least work of the ready',
  cheaper: 'waiting for the one that has it warm would take longer',
  balance: 'the one that has it warm has more than its share of the work',
}

interface Wait {
  readonly usable: readonly Deployment[]
  readonly nowMs: number
  /** None of them is ready before, ms; 0 or Infinity: nobody knows. */
  readonly restMs: number
}

async function waitForPlace(step: Step, ask: AcquireAsk, wait: Wait): Promise<Acquired> {
  const { engine, task, caller } = step
  if (caller.gone) return { kind: 'gone' }
  const queue = engine.capacity.queues.of(ask.model.name, task.release.capacity.queue)
  const smaller = queue.overload.has('smaller_model') ? smallerThan(step, ask.model) : null
  if (smaller !== null) {
    const reason = `overload level ${queue.overload.level}: ${smaller} answers instead of waiting`
    return none(step, { kind: 'none', isShed: true, waitMs: queue.criticalWaitMs(wait.nowMs), reason })
  }
  const end = await waitForTurn(queue, queueAsk(step, ask, wait), caller)
  if (end.kind === 'none') return none(step, end)
  if (end.kind === 'place') noteWait(step, end.place, { queue, sinceMs: wait.nowMs })
  return end
}

function queueAsk(step: Step, { model, demand, hasNext }: AcquireAsk, wait: Wait) {
  const { usable, nowMs, restMs } = wait
  const isTolerant = step.call.priority !== 'interactive'
  const { firstTokenMs, targetMs, workMs } = expectationOf(step.engine.capacity, usable, {
    demand,
    isTolerant,
  })
  const patienceMs = hasNext ? PATIENCE_MS : Infinity
  // Patience is for waiting alone; what the first token takes is no part of it.
  const leaveMs = Math.min(nowMs + patienceMs + firstTokenMs, demand.deadlineMs - workMs)
  const settings = step.task.release.capacity.queue
  return { model, usable, demand, leaveMs, firstTokenMs, targetMs, isTolerant, restMs, settings }
}

/** The cheaper model that the contract's ladder would go on to, or null. */
function smallerThan(step: Step, { name }: ModelEntry): string | null {
  const { contract, release } = step.task
  if (!contract.degrade.includes('smaller_model') || step.degraded.includes('smaller_model')) return null
  return smallerModel({ route: contract.route, models: release.models, current: name })
}

function none(step: Step, end: NoPlace): NoPlace {
  decide(step, { stage: 'acquire', choice: end.isShed ? 'shed' : 'none', reason: end.reason })
  return end
}

function noteWait(
  step: Step,
  { deployment, demand }: Place,
  { queue, sinceMs }: { readonly queue: ModelQueue; readonly sinceMs: number },
): void {
  const waitedMs = Math.max(0, step.engine.system.nowMs() - sinceMs)
  const { criticality } = demand
  decide(step, {
    stage: 'acquire',
    choice: deployment.id,
    reason: `its turn came after ${waitedMs} ms`,
    inputs: { waitedMs, criticality, stillWaiting: queue.size, overloadLevel: queue.overload.level },
  })
}
