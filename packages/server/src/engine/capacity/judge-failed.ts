// A failure, and what it means among the deployments that could have served instead: how long this one may be
// spared, whether it is the odd one out, and whether one that was put away has to be tried. Runs only
// when something failed.

import { isOutlier } from '../../core/capacity/success-window.js'
import type { DeploymentState, Place } from './deployment-state.js'

/** Of a model's deployments at most so many are left alone for long. Envoy's 10 % is for large pools. */
const EJECTED_SHARE_MAX = 0.5

export function judgeFailed(place: Place, states: ReadonlyMap<string, DeploymentState>, nowMs: number): void {
  const state = states.get(place.deployment.id)
  if (state === undefined) return
  const { breaker } = state
  const siblings = place.pool.flatMap(({ id }) => {
    const sibling = id === state.id ? undefined : states.get(id)
    return sibling === undefined || isDrained(sibling, nowMs) ? [] : [sibling]
  })
  const unknown = place.pool.filter(({ id }) => !states.has(id)).length
  const mayEject = hasRoom(siblings, unknown, nowMs)
  breaker.fail(place.ticket, nowMs, mayEject)
  if (unknown === 0 && breaker.blocks(nowMs) && siblings.every((each) => each.breaker.blocks(nowMs)))
    for (const sibling of siblings) sibling.breaker.recall(nowMs)
  if (!mayEject || breaker.kind !== 'closed') return
  const counts = siblings.map((sibling) => sibling.breaker.counts(nowMs))
  if (isOutlier(breaker.counts(nowMs), counts)) breaker.eject(nowMs)
}

/** Somebody else must be there to take its calls. `unknown`: those that nobody has called yet. */
function hasRoom(siblings: readonly DeploymentState[], unknown: number, nowMs: number): boolean {
  const size = siblings.length + unknown + 1
  const ejected = siblings.filter(({ breaker }) => breaker.isEjected(nowMs)).length
  const serving = unknown + siblings.filter(({ breaker }) => !breaker.blocks(nowMs)).length
  return serving > 0 && ejected + 1 <= Math.floor(size * EJECTED_SHARE_MAX)
}

/** Taken out by plan: as if it were not configured. */
function isDrained({ breaker }: DeploymentState, nowMs: number): boolean {
  return breaker.blocks(nowMs) && breaker.view(nowMs).pin?.action === 'drain'
}
