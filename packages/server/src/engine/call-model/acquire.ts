// Stage 6, acquire: which deployment of the model serves, now. One that a provider asked to leave alone, or
// that is at its configured concurrency, is waited for only when no other is ready, and never past the
// deadline.

import type { Demand } from '../../core/capacity/demand.js'
import type { Deployment, ModelEntry } from '../../core/release/release.js'
import type { Place } from '../capacity/deployment-state.js'
import { sleep } from '../sleep.js'
import { type Step, decide, timeLeftMs } from '../step-context.js'

export type Acquired =
  | { readonly kind: 'place'; readonly place: Place }
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
  readonly demand: Demand
}

/** The place is taken when this returns, or resolves: only a wait makes it a promise. */
export function acquire(step: Step, ask: AcquireAsk): Acquired | Promise<Acquired> {
  const { model, avoid } = ask
  const usable =
    avoid.length === 0 ? model.deployments : model.deployments.filter(({ id }) => !avoid.includes(id))
  const found = takePlace(step, ask, usable)
  return found.kind === 'place' ? found : waitForPlace(step, ask, { usable, found })
}

interface Wait {
  readonly usable: readonly Deployment[]
  readonly found: Extract<Acquired, { readonly kind: 'none' }>
}

async function waitForPlace(step: Step, ask: AcquireAsk, wait: Wait): Promise<Acquired> {
  let found: Acquired = wait.found
  while (found.kind === 'none') {
    const patienceMs = ask.hasNext ? Math.min(PATIENCE_MS, timeLeftMs(step)) : timeLeftMs(step)
    if (wait.usable.length === 0 || found.waitMs >= patienceMs) {
      const reason = `no deployment is ready within ${Math.round(patienceMs)} ms`
      decide(step, { stage: 'acquire', choice: 'none', reason })
      return found
    }
    await sleep(step.engine.system, found.waitMs)
    found = takePlace(step, ask, wait.usable)
  }
  return found
}

function takePlace(step: Step, { demand }: AcquireAsk, usable: readonly Deployment[]): Acquired {
  const { system, capacity } = step.engine
  if (usable.length === 0) return { kind: 'none', waitMs: 0 }
  const taken = capacity.take(usable, demand, system.nowMs())
  if (taken.kind === 'wait')
    return { kind: 'none', waitMs: Number.isFinite(taken.waitMs) ? taken.waitMs : BUSY_WAIT_MS }
  if (usable.length > 1) {
    const { id } = taken.place.deployment
    decide(step, { stage: 'acquire', choice: id, reason: 'least loaded of the ready' })
  }
  return taken
}
