// `queues` of `GET /v1/capacity`.

import type { PerCriticality, QueueCapacity } from '@spillway/protocol'
import { CRITICALITIES } from '../core/capacity/demand.js'
import { OVERLOAD_STEPS } from '../core/capacity/overload.js'
import type { ModelQueue } from '../engine/capacity/model-queue.js'
import type { Engine } from '../engine/engine.js'

export function queuesJson({ capacity, system }: Engine): readonly QueueCapacity[] {
  const nowMs = system.nowMs()
  return capacity.queues.snapshot(nowMs).map((queue) => queueJson(queue, nowMs))
}

function queueJson(queue: ModelQueue, nowMs: number): QueueCapacity {
  const { model, served, shed, timedOut, overload } = queue
  const drain = queue.drainPerSecond(nowMs)
  return {
    model,
    waiting: perCriticality((rank) => queue.countOf(rank)),
    oldest_ms: queue.oldestMs(nowMs),
    drain_tokens_per_second: drain === null ? null : Math.round(drain),
    predicted_wait_ms: queue.criticalWaitMs(nowMs),
    served: perCriticality((rank) => served[rank] ?? 0),
    shed: perCriticality((rank) => shed[rank] ?? 0),
    timed_out: perCriticality((rank) => timedOut[rank] ?? 0),
    overload: {
      level: overload.level,
      gives_up: OVERLOAD_STEPS.slice(0, overload.level),
      refused_share: Math.round(queue.refusedShare(nowMs) * 1_000) / 1_000,
    },
  }
}

function perCriticality(value: (rank: number) => number): PerCriticality {
  const [plus, critical, sheddablePlus, sheddable] = CRITICALITIES.map((_, rank) => value(rank))
  return {
    critical_plus: plus ?? 0,
    critical: critical ?? 0,
    sheddable_plus: sheddablePlus ?? 0,
    sheddable: sheddable ?? 0,
  }
}
