// `GET /v1/capacity`: every configured deployment with what is known of its load.

import type { Release } from '../core/release/release.js'
import type { Engine } from '../engine/engine.js'
import { rateJson } from './rate-json.js'

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
  const queues = new Map(engine.capacity.queues.snapshot(nowMs).map((queue) => [queue.model, queue]))
  return [...engine.release().models.values()].flatMap((model) =>
    model.deployments.map((deployment) => {
      const load = engine.capacity.look(deployment, nowMs)
      const queue = queues.get(model.name)
      const coolingMs = load.rates.restMs(nowMs)
      return {
        deployment: deployment.id,
        model: model.name,
        provider: deployment.provider,
        ...hostingFacts(engine.release(), deployment.provider),
        tier: model.tier,
        breaker: coolingMs > 0 ? 'open' : 'closed',
        cooling_ms: coolingMs,
        concurrency: { limit: deployment.limits.concurrency, in_flight: load.inFlight },
        queue: { length: queue?.size ?? 0, oldest_ms: queue?.oldestMs(nowMs) ?? null },
        rate: rateJson(load.rates, nowMs),
        latency_ms: null,
        mean_latency_ms: load.latencyMs === 0 ? null : Math.round(load.latencyMs),
        requests: load.requests,
        successes: load.successes,
        failures: load.failures,
      }
    }),
  )
}
