// How much a deployment does at once and how long that takes, as `GET /v1/capacity` shows it.

import type { Deployment } from '../core/release/release.js'
import type { Pace } from '../engine/capacity/pace.js'

const UNKNOWN = { latency_ms: null, first_token_ms: null, per_token_ms: null } as const

export function paceJson({ limits, targets }: Deployment, pace: Pace | undefined) {
  const limit = pace?.limit
  const targetsJson = { first_token_ms: targets.firstTokenMs, per_token_ms: targets.perTokenMs }
  return {
    concurrency: {
      limit: limits.concurrency,
      in_flight: limit?.callsInFlight ?? 0,
      // Nothing limits the tokens before something has been seen that should.
      tokens_limit: limit === undefined || limit.isInitial ? null : limit.limitTokens,
      tokens_in_flight: limit?.tokensInFlight ?? 0,
      moved: limit === undefined || limit.isInitial ? null : moveJson(limit.lastMove),
    },
    targets: targetsJson,
    ...(pace === undefined ? UNKNOWN : timesJson(pace)),
  }
}

function moveJson({ reason, atMs, fromTokens, toTokens }: Pace['limit']['lastMove']) {
  return { reason, at: new Date(atMs).toISOString(), from_tokens: fromTokens, to_tokens: toTokens }
}

function timesJson({ service }: Pace) {
  const perTokenMs = service.perTokenMs()
  const first = { p50: rounded(service.firstTokenMs(0.5)), p95: rounded(service.firstTokenMs(0.95)) }
  const whole = {
    p50: rounded(service.durationMs(0.5)),
    p95: rounded(service.durationMs(0.95)),
    p99: rounded(service.durationMs(0.99)),
  }
  return {
    latency_ms: whole.p50 === null ? null : whole,
    first_token_ms: first.p50 === null ? null : first,
    per_token_ms: perTokenMs === null ? null : Math.round(perTokenMs * 10) / 10,
  }
}

function rounded(ms: number | null): number | null {
  return ms === null ? null : Math.round(ms)
}
