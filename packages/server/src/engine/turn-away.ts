// Before stage 1: a call that stage 6 would refuse anyway, and that nothing else could answer, is refused
// before a task is opened for it. Under overload most calls are; they have to cost next to nothing.

import { retryAfterSeconds } from '../core/capacity/early-rejection.js'
import type { ResolvedModel } from '../core/routing/resolve-requested-model.js'
import type { Contract } from '../core/release/release.js'
import { expectationOf } from './capacity/expectation.js'
import { demandOfCall } from './demand-of.js'
import type { Engine } from './engine.js'
import { type Refusal, refused } from './refusal.js'
import type { ModelCall } from './step-context.js'

/** null: let it come, as nearly always. */
export function turnAway(engine: Engine, call: ModelCall, named: ResolvedModel): Refusal | null {
  const { capacity, system } = engine
  if (!capacity.queues.areScarce) return null
  const contract = contractOf(engine, call, named)
  const model = contract && onlyModel(contract, named.kind === 'resolved' ? named.pinned : null)
  const entry = engine.release().models.get(model ?? '')
  if (contract === null || entry === undefined) return null
  const nowMs = system.nowMs()
  const queue = capacity.queues.active(entry.name, nowMs)
  if (queue === undefined) return null
  const demand = demandOfCall(engine, call, { model: entry, contract })
  // What nobody waits for is free, whatever is given up.
  if (queue.size === 0 && capacity.hasRoom(entry.deployments, demand, nowMs)) return null
  const isTolerant = call.priority !== 'interactive'
  const { workMs, ...expected } = expectationOf(capacity, entry.deployments, { demand, isTolerant })
  const ask = { demand, isTolerant, leaveMs: demand.deadlineMs - workMs, restMs: 0, ...expected }
  const none = queue.turnAway(ask, nowMs)
  if (none === null) return null
  const code = none.isShed ? 'capacity.shed' : 'capacity.queue_timeout'
  const retryAfter = retryAfterSeconds(none.waitMs, system.random())
  return refused(code, `No deployment has capacity: ${none.reason}.`, { retryAfterSeconds: retryAfter })
}

/** Inside a task a name that nobody configured leaves the model to the route. */
function contractOf(engine: Engine, call: ModelCall, named: ResolvedModel): Contract | null {
  if (named.kind === 'resolved') return named.contract
  if (named.kind !== 'unknown-model' || call.contract === null) return null
  return engine.release().contracts.get(call.contract) ?? null
}

/** The one model that can answer; null: there may be others, or another way to an answer. */
function onlyModel({ degrade, cache, route }: Contract, pinned: string | null): string | null {
  if (degrade.length > 0 || cache.exactTtlMs !== null) return null
  if (pinned !== null && pinned !== route.default) return pinned
  return route.rules.length === 0 ? route.default : null
}
