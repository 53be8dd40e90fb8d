// The numbers of the whiteboard and the state of capacity, as they are on the wire. A share is 0..1; null is
// "unknown" or "does not apply", never zero.

import type { Tier } from './answers.js'

export const REPORT_GROUPINGS = ['contract', 'tenant', 'release', 'model', 'none'] as const
export type ReportGrouping = (typeof REPORT_GROUPINGS)[number]

/** Query of `GET /v1/report`. */
export interface ReportQuery {
  /** An age such as `24h` or `7d`, or an RFC 3339 instant. Default `24h`. */
  readonly since?: string
  readonly until?: string
  /** Default `contract`. */
  readonly by?: ReportGrouping
  readonly tenant?: string
  readonly contract?: string
}

/** A value with its 95 % interval; a bound is null where the data do not bound it. */
export interface Interval {
  readonly value: number
  readonly low: number | null
  readonly high: number | null
}

export interface Percentiles {
  readonly p50: number
  readonly p95: number
  readonly p99: number
}

export interface ReportGroupJson {
  readonly group: string
  readonly tasks: number
  /** Of them, those with an outcome. */
  readonly ended: number
  readonly successes: number
  readonly harms: number
  readonly success_rate: number | null
  /** Everything spent on the group's tasks, failed ones included. */
  readonly cost_usd: number
  readonly cost_per_success_usd: Interval | null
  readonly price_usd: number | null
  readonly margin_usd: number | null
  readonly latency_ms: Percentiles | null
  readonly slo_met: number | null
  readonly degraded_share: number | null
  readonly escalated_share: number | null
  readonly cache_hit_share: number | null
  readonly premium_share: number | null
  readonly unpriced_share: number | null
  readonly attempts: number
  readonly model_calls: number
  readonly input_tokens: number
  readonly output_tokens: number
  readonly refused: number
  readonly simulated: boolean
}

/** Answer of `GET /v1/report`. */
export interface Report {
  readonly since: string
  readonly until: string
  readonly by: ReportGrouping
  /** The release that serves now. */
  readonly release?: string
  readonly groups: readonly ReportGroupJson[]
}

/** One deployment of `GET /v1/capacity`. */
export interface DeploymentCapacity {
  readonly deployment: string
  readonly model: string
  readonly provider: string
  /** How it is deployed: `hosted`, `serverless`, `self-hosted`, `on-device`. */
  readonly hosting?: string
  /** As configured; null: unknown. */
  readonly region?: string | null
  readonly retention_days?: number | null
  readonly trains_on_data?: boolean | null
  readonly breaker: 'closed' | 'open' | 'half-open'
  readonly concurrency: { readonly limit: number | null; readonly in_flight: number }
  readonly queue: { readonly length: number; readonly oldest_ms: number | null }
  readonly rate: { readonly requests_left: number | null; readonly tokens_left: number | null }
  readonly latency_ms: Percentiles | null
  readonly tier?: Tier
  /** How long it rests after failures, ms. */
  readonly cooling_ms?: number
  readonly mean_latency_ms?: number | null
  /** Attempts since the server started. */
  readonly requests?: number
  readonly successes?: number
  /** Failed attempts by how they ended. */
  readonly failures?: Readonly<Record<string, number>>
}

/** Answer of `GET /v1/capacity`. */
export interface CapacityJson {
  readonly deployments: readonly DeploymentCapacity[]
}

/** One entry of `GET /v1/models`, in OpenAI's shape with what Spillway knows beside it. */
export interface ModelInfo {
  readonly id: string
  readonly object: 'model'
  readonly created?: number
  readonly owned_by?: string
  readonly simulated?: boolean
}

/** Answer of `GET /v1/models`. */
export interface ModelList {
  readonly object: 'list'
  readonly data: readonly ModelInfo[]
}
