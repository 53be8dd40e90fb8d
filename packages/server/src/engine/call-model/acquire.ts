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
  readonly avoid: readonly string[]
  /** Another model comes next: a long wait for this one is not worth it. */
  readonly hasNext: boolean
}

/** The place is taken when this returns, or resolves: only a wait makes it a promise. */
export function acquire(step: Step, ask: AcquireAsk): Acquired | Promise<Acquired> {
  const { model, avoid } = ask
  const usable =
    avoid.length === 0 ? model.deployments : model.deployments.filter(({ id }) => !avoid.includes(id))
  const found = takePlace(step, usable)
  return found.kind === 'deployment' ? found : waitForPlace(step, ask, { usable, found })
}

interface Wait {
  readonly usable: readonly Deployment[]
  readonly found: Extract<Acquired, { readonly kind: 'none' }>
}

async function waitForPlace(step: Step, { hasNext }: AcquireAsk, wait: Wait): Promise<Acquired> {
  let found: Acquired = wait.found
  while (found.kind === 'none') {
    const patienceMs = hasNext ? Math.min(PATIENCE_MS, timeLeftMs(step)) : timeLeftMs(step)
    if (wait.usable.length === 0 || found.waitMs >= patienceMs) {
      const reason = `no deployment is ready within ${Math.round(patienceMs)} ms`
      decide(step, { stage: 'acquire', choice: 'none', reason })
      return found
    }
    await sleep(step.engine.system, found.waitMs)
    found = takePlace(step, wait.usable)
  }
  return found
}

function takePlace(step: Step, usable: readonly Deployment[]): Acquired {
  const { system, capacity } = step.engine
  const nowMs = system.nowMs()
  const [only] = usable
  const isAlone = usable.length === 1 && only !== undefined
  const found: Acquired =
    isAlone && capacity.isReady(only, nowMs) ? { kind: 'deployment', deployment: only } : lookUp(step, usable)
  if (found.kind === 'none') return found
  capacity.start(found.deployment, nowMs)
  if (!isAlone) {
    decide(step, { stage: 'acquire', choice: found.deployment.id, reason: 'least loaded of the ready' })
  }
  return found
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
