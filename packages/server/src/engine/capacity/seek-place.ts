// The way to a place that all take, model calls and uses of dependencies: at once where one is free and
// nobody waits for it, else by the queue.

import type { Demand } from '../../core/capacity/demand.js'
import type { Deployment, ModelEntry } from '../../core/release/release.js'
import type { Caller } from '../ports.js'
import type { Capacity } from './capacity.js'
import type { ModelQueue } from './model-queue.js'
import type { QueueAsk, QueueEnd, Taken } from './queue-ask.js'

export interface SeekAsk {
  readonly model: ModelEntry
  /** Those of the model that can serve it, one at least. */
  readonly usable: readonly Deployment[]
  readonly demand: Demand
}

/**
 * What is given up under overload is waiting: a place that nobody else wants is taken whatever the level, or
 * classes would be refused while places idle. `waitMs` 0: others wait already.
 */
export function seekPlace(capacity: Capacity, { model, usable, demand }: SeekAsk, nowMs: number): Taken {
  capacity.see(demand.criticality, nowMs)
  const queue = capacity.queues.active(model.name, nowMs)
  if (queue !== undefined && queue.size > 0) return { kind: 'wait', waitMs: 0 }
  const taken = capacity.take(usable, demand, nowMs)
  if (taken.kind === 'place') queue?.passed(demand, nowMs)
  return taken
}

/** Until its turn comes, it is refused, or its caller is gone. */
export function waitForTurn(
  queue: ModelQueue,
  ask: QueueAsk,
  caller: Pick<Caller, 'gone' | 'onGone'>,
): Promise<QueueEnd> {
  return new Promise((resolve) => {
    const entry = queue.enter(ask, resolve)
    if (entry !== null) caller.onGone(() => queue.leave(entry))
  })
}
