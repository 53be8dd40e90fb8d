// The whiteboard as it is on the wire.

import type { OwnedJson, PlaceJson, ReportGroupJson } from '@spillway/protocol'
import type { ComparedGroup, OwnedSummary, PlaceSummary } from '../core/task/summarise-report.js'

/** One group of `GET /v1/report`. null means unknown, never zero. */
export function groupJson(group: ComparedGroup): ReportGroupJson {
  return {
    group: group.group,
    tasks: group.tasks,
    ended: group.ended,
    successes: group.successes,
    harms: group.harms,
    success_rate: group.successRate,
    cost_usd: group.costUsd,
    cost_per_success_usd: group.costPerSuccessUsd,
    margin_usd: group.marginUsd,
    price_usd: group.priceUsd,
    latency_ms: group.latencyMs,
    slo_met: group.sloMet,
    degraded_share: group.degradedShare,
    escalated_share: group.escalatedShare,
    cache_hit_share: group.cacheHitShare,
    premium_share: group.premiumShare,
    unpriced_share: group.unpricedShare,
    attempts: group.attempts,
    model_calls: group.modelCalls,
    input_tokens: group.inputTokens,
    output_tokens: group.outputTokens,
    cached_input_share: group.cachedInputShare,
    cache_saved_usd: group.cacheSavedUsd,
    refused: group.refused,
    simulated: group.simulated,
    ...(group.workCostUsd === undefined ? {} : { work_cost_usd: group.workCostUsd }),
    ...(group.place === undefined ? {} : { place: placeJson(group.place) }),
  }
}

function placeJson(place: PlaceSummary): PlaceJson {
  return {
    duration_ms: place.durationMs,
    first_byte_ms: place.firstByteMs,
    output_tokens_per_second: place.outputTokensPerSecond,
    cost_per_1k_tokens_usd: place.costPer1kTokensUsd,
    cost_per_success_usd: place.costPerSuccessUsd,
    error_rate: place.errorRate,
    throttle_rate: place.throttleRate,
    fallback_rate: place.fallbackRate,
    task_share: place.taskShare,
    owned: place.owned === null ? null : ownedJson(place.owned),
  }
}

export function ownedJson(owned: OwnedSummary): OwnedJson {
  return {
    hours: owned.hours,
    owned_cost_usd: owned.ownedCostUsd,
    work_cost_usd: owned.workCostUsd,
    idle_cost_usd: owned.idleCostUsd,
    utilisation: owned.utilisation,
  }
}
