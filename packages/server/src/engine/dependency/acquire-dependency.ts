// A place at a dependency: at once where there is one, else in its queue, by the same rules as model calls.

import type { Demand } from '../../core/capacity/demand.js'
import { retryAfterSeconds } from '../../core/capacity/early-rejection.js'
import type { Dependency } from '../../core/release/release.js'
import type { NoPlace } from '../capacity/queue-ask.js'
import { seekPlace, waitForTurn } from '../capacity/seek-place.js'
import type { Place } from '../capacity/deployment-state.js'
import type { Engine } from '../engine.js'
import type { Caller } from '../ports.js'
import { type Refusal, refused } from '../refusal.js'
import type { Task } from '../task-registry.js'

/** Nothing is known of how long its first bytes take. */
const UNKNOWN = { firstTokenMs: 0, targetMs: null } as const

/** Fairness counts a use as this many tokens: uses of one dependency are alike. */
const USE_TOKENS = 1

export type DependencyPlace = { readonly kind: 'place'; readonly place: Place } | Refusal

export interface AcquireDependencyAsk {
  readonly dependency: Dependency
  readonly caller: Pick<Caller, 'gone' | 'onGone'>
}

export async function acquireDependency(
  engine: Engine,
  task: Task,
  { dependency, caller }: AcquireDependencyAsk,
): Promise<DependencyPlace> {
  const { system, capacity } = engine
  const { pool } = dependency
  const seek = { model: pool, usable: pool.deployments, demand: demandOf(task) }
  const taken = seekPlace(capacity, seek, system.nowMs())
  if (taken.kind === 'place') return taken
  if (caller.gone) return callerLeft(task)
  const settings = task.release.capacity.queue
  const rest = { leaveMs: task.deadlineMs, isTolerant: false, restMs: taken.waitMs, settings, ...UNKNOWN }
  const queue = capacity.queues.of(pool.name, settings)
  const end = await waitForTurn(queue, { ...seek, ...rest }, caller)
  if (end.kind === 'place') return end
  return end.kind === 'gone' ? callerLeft(task) : noPlace(engine, task, { dependency, end })
}

function callerLeft(task: Task): Refusal {
  return refused('capacity.queue_timeout', 'The caller left.', { task: task.id, retryAfterSeconds: 1 })
}

function noPlace(
  { system }: Engine,
  task: Task,
  { dependency, end }: { readonly dependency: Dependency; readonly end: NoPlace },
): Refusal {
  const { isShed, waitMs, reason } = end
  const code = isShed ? 'capacity.shed' : 'capacity.queue_timeout'
  return refused(code, `The dependency '${dependency.name}' has no place for this: ${reason}.`, {
    task: task.id,
    retryAfterSeconds: retryAfterSeconds(waitMs, system.random()),
  })
}

function demandOf(task: Task): Demand {
  return {
    inputTokens: USE_TOKENS,
    outputTokens: 0,
    outputTokensMax: 0,
    criticality: task.contract.criticality,
    tenant: task.tenant.name,
    weight: task.tenant.weight,
    deadlineMs: task.deadlineMs,
    stream: false,
  }
}
