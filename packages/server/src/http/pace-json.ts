// How much a deployment does at once and how long that takes, as `GET /v1/capacity` shows it.

import type { Deployment } from '../core/release/release.js'
import type { Pace } from '../engine/capacity/pace.js'

export function paceJson({ limits, targets }: Deployment, pace: Pace) {
  const { limit } = pace
  return {
    concurrency: {
      limit: limits.concurrency,
      in_flight: limit.callsInFlight,
      // Nothing limits the tokens before something has been seen that should.
      tokens_limit: limit.isInitial ? null : limit.limitTokens,
      tokens_in_flight: limit.tokensInFlight,
      moved: limit.isInitial ? null : moveJson(limit.lastMove),
    },
    targets: { first_token_ms: targets.firstTokenMs, per_token_ms: targets.perTokenMs },
    ...timesJson(pace),
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
