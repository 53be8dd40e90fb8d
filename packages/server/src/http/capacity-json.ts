// `GET /v1/capacity`: every configured deployment with what is known of its load.

import type { Release } from '../core/release/release.js'
import type { Engine } from '../engine/engine.js'

/** What the configuration states of a provider. */
function hostingFacts(release: Release, name: string) {
  const provider = release.providers.get(name)
  return {
    hosting: provider?.hosting,
    region: provider?.region ?? null,
    retention_days: provider?.retentionDays ?? null,
    trains_on_data: provider?.trainsOnData ?? null,
  }
}

/** Every configured deployment with what is known of its load. */
export function capacityJson(engine: Engine) {
  const nowMs = engine.system.nowMs()
  const loads = new Map(engine.capacity.snapshot().map((load) => [load.id, load]))
  return [...engine.release().models.values()].flatMap((model) =>
    model.deployments.map((deployment) => {
      const load = loads.get(deployment.id)
      const coolingMs = Math.max(0, load?.coolMs(nowMs) ?? 0)
      return {
        deployment: deployment.id,
        model: model.name,
        provider: deployment.provider,
        ...hostingFacts(engine.release(), deployment.provider),
        tier: model.tier,
        breaker: coolingMs > 0 ? 'open' : 'closed',
        cooling_ms: coolingMs,
        concurrency: { limit: deployment.limits.concurrency, in_flight: load?.inFlight ?? 0 },
        queue: { length: 0, oldest_ms: null },
        rate: { requests_left: null, tokens_left: null },
        latency_ms: null,
        mean_latency_ms: load === undefined || load.latencyMs === 0 ? null : Math.round(load.latencyMs),
        requests: load?.requests ?? 0,
        successes: load?.successes ?? 0,
        failures: load?.failures ?? {},
      }
    }),
  )
}
