// How deployments are at the moment of a scrape. Labels are deployments and models of the release that
// serves: what a reload took out is gone.

import type { Gauge } from 'prom-client'
import type { BreakerKind } from '../../core/capacity/breaker.js'
import type { Release } from '../../core/release/release.js'

/** What is asked of the engine's capacity. */
export interface CapacityFacts {
  snapshot(): readonly {
    readonly id: string
    readonly breaker: { view(nowMs: number): { readonly kind: BreakerKind } }
  }[]
  retriesLeft(model: string): number
}

export type SetCapacity = (capacity: CapacityFacts, release: Release, nowMs: number) => void

const STATES = { closed: 0, 'half-open': 1, open: 2 } as const satisfies Record<BreakerKind, number>

export function createCapacityGauges(
  gauge: (name: string, help: string, labelNames: readonly string[]) => Gauge,
): SetCapacity {
  const breaker = gauge(
    'spillway_breaker_state',
    'Breaker of a deployment: 0 closed, 1 half-open, 2 open, by hand included.',
    ['deployment'],
  )
  const retries = gauge('spillway_retries_left', 'Retries that a model has saved up.', ['model'])
  return (capacity, release, nowMs) => {
    breaker.reset()
    retries.reset()
    const kinds = new Map(capacity.snapshot().map(({ id, breaker: one }) => [id, one.view(nowMs).kind]))
    for (const { name, deployments } of release.models.values()) {
      retries.set({ model: name }, capacity.retriesLeft(name))
      for (const { id } of deployments) breaker.set({ deployment: id }, STATES[kinds.get(id) ?? 'closed'])
    }
  }
}
