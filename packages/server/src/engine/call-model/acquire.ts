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

/** Another model stands by: wait no longer than this for one of the first's deployments, ms. */
const PATIENCE_MS = 250

export interface AcquireAsk {
  readonly model: ModelEntry
  /** Deployments that cannot serve this call at all. */
  readonly avoid: ReadonlySet<string>
  /** Another model comes next: a long wait for this one is not worth it. */
  readonly hasNext: boolean
}

/** The place is taken when this resolves. */
export async function acquire(step: Step, ask: AcquireAsk): Promise<Acquired> {
  const { model, avoid } = ask
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
    const patienceMs = ask.hasNext ? Math.min(PATIENCE_MS, timeLeftMs(step)) : timeLeftMs(step)
    if (usable.length === 0 || found.waitMs >= patienceMs) {
      decide(step, { stage: 'acquire', choice: 'none', reason: `no deployment is ready within ${patienceMs} ms` })
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
