// A place at a dependency: at once where there is one, else in its queue, by the same rules as model calls.

import type { Demand } from '../../core/capacity/demand.js'
import type { Dependency } from '../../core/release/release.js'
import type { NoPlace, QueueEnd } from '../capacity/queue-ask.js'
import type { Place } from '../capacity/deployment-state.js'
import type { Engine } from '../engine.js'
import type { Caller } from '../ports.js'
import { type Refusal, refused } from '../refusal.js'
import type { Task } from '../task-registry.js'

export interface AcquireDependencyAsk {
  readonly dependency: Dependency
  readonly caller: Pick<Caller, 'gone' | 'onGone'>
  readonly timeoutMs: number
}

/** Nothing is known of how long its first bytes take. */
const UNKNOWN = { firstTokenMs: 0, targetMs: null } as const

/** Fairness counts a use as this many tokens: uses of one dependency are alike. */
const USE_TOKENS = 1

export async function acquireDependency(
  engine: Engine,
  task: Task,
  ask: AcquireDependencyAsk,
): Promise<{ readonly kind: 'place'; readonly place: Place } | Refusal> {
  const { system, capacity } = engine
  const { pool } = ask.dependency
  const demand = demandOf(task)
  const nowMs = system.nowMs()
  const queue = capacity.queues.active(pool.name, nowMs)
  if (queue === undefined) {
    const taken = capacity.take(pool.deployments, demand, nowMs)
    if (taken.kind === 'place') return taken
  }
  const end = await waitInQueue(engine, task, { ask, demand })
  if (end.kind === 'place') return end
  if (end.kind === 'gone')
    return refused('capacity.queue_timeout', 'The caller left.', { task: task.id, retryAfterSeconds: 1 })
  return noPlace(task, ask.dependency, end)
}

function waitInQueue(
  engine: Engine,
  task: Task,
  { ask, demand }: { readonly ask: AcquireDependencyAsk; readonly demand: Demand },
): Promise<QueueEnd> {
  const { capacity } = engine
  const { pool } = ask.dependency
  const settings = task.release.capacity.queue
  const queue = capacity.queues.of(pool.name, settings)
  const waits = { model: pool, usable: pool.deployments, demand, leaveMs: demand.deadlineMs }
  return new Promise<QueueEnd>((resolve) => {
    const entry = queue.enter({ ...waits, isTolerant: false, restMs: 0, settings, ...UNKNOWN }, resolve)
    if (entry !== null) ask.caller.onGone(() => queue.leave(entry))
  })
}

function noPlace(task: Task, { name }: Dependency, { isShed, waitMs, reason }: NoPlace): Refusal {
  const code = isShed ? 'capacity.shed' : 'capacity.queue_timeout'
  return refused(code, `The dependency '${name}' has no place for this: ${reason}.`, {
    task: task.id,
    retryAfterSeconds: Math.max(1, Math.ceil(Number.isFinite(waitMs) ? waitMs / 1000 : 1)),
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
