// `GET /v1/capacity`: every configured deployment with what is known of its load.

import type { BreakerJson, HedgesJson } from '@spillway/protocol'
import type { BreakerView } from '../core/capacity/breaker.js'
import { usdFromNano } from '../core/money/nano.js'
import type { ModelEntry, Release } from '../core/release/release.js'
import type { Engine } from '../engine/engine.js'
import { paceJson } from './pace-json.js'
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

/** What was spent on second copies of calls, and what may be. */
export function hedgesJson({ capacity }: Engine): HedgesJson {
  const { calls, hedges, extraNanoUsd, available } = capacity.hedging.state()
  return { calls, sent: hedges, lost_cost_usd: usdFromNano(extraNanoUsd), available }
}

/** Every configured deployment with what is known of its load. */
export function capacityJson(engine: Engine) {
  return poolsJson(engine, [...engine.release().models.values()])
}

/** Dependencies, as a model with one deployment each. */
export function dependenciesJson(engine: Engine) {
  return poolsJson(
    engine,
    [...engine.release().dependencies.values()].map(({ pool }) => pool),
  )
}

function poolsJson(engine: Engine, pools: readonly ModelEntry[]) {
  const nowMs = engine.system.nowMs()
  const queues = new Map(engine.capacity.queues.snapshot(nowMs).map((queue) => [queue.model, queue]))
  return pools.flatMap((model) =>
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
        ...breakerFacts(engine, load.breaker.view(nowMs)),
        retries_left: engine.capacity.retriesLeft(model.name),
        cooling_ms: coolingMs,
        ...paceJson(deployment, load.pace),
        queue: { length: queue?.size ?? 0, oldest_ms: queue?.oldestMs(nowMs) ?? null },
        rate: rateJson(load.rates, nowMs),
        mean_latency_ms: load.latencyMs === 0 ? null : Math.round(load.latencyMs),
        first_token_p95_ms: load.tail.streamP95(),
        requests: load.requests,
        successes: load.successes,
        failures: load.failures,
        affinity: affinityJson(engine, deployment.id),
      }
    }),
  )
}

/** What is known of where prompts are warm; null where there was never a choice. */
function affinityJson(engine: Engine, id: string) {
  const known = engine.capacity.affinity.snapshot(id)
  if (known === null) return null
  const { warm, cold, cheaper, balance, promptTokens, cachedTokens } = known
  return {
    warm,
    cold,
    cheaper,
    balance,
    warm_prefixes: known.prefixes,
    warm_tokens: known.heldTokens,
    cached_share: promptTokens === 0 ? null : cachedTokens / promptTokens,
  }
}

function breakerFacts({ system }: Engine, view: BreakerView) {
  const { pin, pinLeftMs, waitMs } = view
  const detail: BreakerJson = {
    automatic: view.automatic,
    next_try_ms: Number.isFinite(waitMs) ? waitMs : null,
    failures_in_a_row: view.failuresInARow,
    ejections: view.ejections,
    pin:
      pin === null
        ? null
        : {
            action: pin.action,
            until: new Date(system.nowMs() + (pinLeftMs ?? 0)).toISOString(),
            by: pin.by,
            reason: pin.reason,
          },
  }
  return { breaker: view.kind, breaker_detail: detail }
}
