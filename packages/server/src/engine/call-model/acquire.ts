// Stage 6, acquire: which deployment of the model serves, now. One that a provider asked to leave alone, or
// that is at its configured concurrency, is waited for only when no other is ready, and never past the
// deadline. (Adaptive limits, a fair queue and hedging take this stage's place in "Capacity".)

import type { Deployment, ModelEntry } from '../../core/release/release.js'
import { sleep } from '../sleep.js'
import { type Step, decide, timeLeftMs } from '../step-context.js'

export type Acquired =
  | { readonly kind: 'deployment'; readonly deployment: Deployment }
  /** Nothing is ready in time; `waitMs` is when something would be. */
  | { readonly kind: 'none'; readonly waitMs: number }

/** Every deployment is at its limit: look again this often, ms. */
const BUSY_WAIT_MS = 25

/** The place is taken when this resolves. `avoid`: deployments that cannot serve this call at all. */
export async function acquire(step: Step, model: ModelEntry, avoid: ReadonlySet<string>): Promise<Acquired> {
  const usable = model.deployments.filter((deployment) => !avoid.has(deployment.id))
  const only = usable.length === 1
  for (;;) {
    const found = lookUp(step, usable)
    if (found.kind === 'deployment') {
      step.engine.capacity.start(found.deployment, step.engine.system.nowMs())
      if (!only)
        decide(step, { stage: 'acquire', choice: found.deployment.id, reason: 'least loaded of the ready' })
      return found
    }
    if (usable.length === 0 || found.waitMs >= timeLeftMs(step)) {
      decide(step, { stage: 'acquire', choice: 'none', reason: 'no deployment is ready before the deadline' })
      return found
    }
    await sleep(step.engine.system, found.waitMs)
  }
}

function lookUp(step: Step, usable: readonly Deployment[]): Acquired {
  const { system, capacity } = step.engine
  const order = capacity.order(usable, system.nowMs())
  switch (order.kind) {
    case 'ready': {
      const deployment = usable.find((each) => each.id === order.order[0])
      return deployment === undefined ? { kind: 'none', waitMs: 0 } : { kind: 'deployment', deployment }
    }
    case 'busy':
      return { kind: 'none', waitMs: BUSY_WAIT_MS }
    case 'cooling':
      return { kind: 'none', waitMs: order.waitMs }
    case 'none':
      return { kind: 'none', waitMs: 0 }
  }
}
