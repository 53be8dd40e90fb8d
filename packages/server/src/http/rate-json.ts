// What is left of a deployment's limits, for `GET /v1/capacity`.

import type { DeploymentCapacity } from '@spillway/protocol'
import { MINUTE_MS } from '../core/capacity/rate-window.js'
import type { QuotaDimension } from '../core/capacity/limit-report.js'
import type { Rates } from '../engine/capacity/rates.js'

/** Of several limits on the same, the one with the least left counts for people. */
export function rateJson(rates: Rates, nowMs: number): DeploymentCapacity['rate'] {
  const views = rates.view(nowMs)
  const leastOf = (...dimensions: readonly QuotaDimension[]): number | null => {
    const left = views.flatMap((view) => (dimensions.includes(view.dimension) ? [view.remaining] : []))
    return left.length === 0 ? null : Math.min(...left)
  }
  return {
    requests_left: leastOf('requests'),
    tokens_left: leastOf('tokens', 'input_tokens', 'output_tokens'),
    refill_share: rates.speed,
    buckets: views.map(({ dimension, spanMs, limit, remaining, source, resetMs }) => ({
      dimension,
      per: spanMs === MINUTE_MS ? 'minute' : 'day',
      limit,
      remaining,
      source,
      reset_ms: resetMs,
    })),
  }
}
