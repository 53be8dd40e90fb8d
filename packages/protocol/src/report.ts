// The numbers of the whiteboard and the state of capacity, as they are on the wire. A share is 0..1; null is
// "unknown" or "does not apply", never zero.

import type { BreakerJson } from './capacity.js'
import type { Tier } from './answers.js'
import type { QueueCapacity } from './queue-capacity.js'

export const REPORT_GROUPINGS = [
  'contract',
  'tenant',
  'release',
  'model',
  'approach',
  'provider',
  'deployment',
  'none',
] as const
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
  /** By contract: how the group did against its contract's objectives. Absent where there are none. */
  readonly slo?: readonly ReportSlo[]
  readonly degraded_share: number | null
  readonly escalated_share: number | null
  readonly cache_hit_share: number | null
  readonly premium_share: number | null
  readonly unpriced_share: number | null
  readonly attempts: number
  readonly model_calls: number
  readonly input_tokens: number
  readonly output_tokens: number
  /** Of the input tokens, those read from providers' caches of prompts. */
  readonly cached_input_share?: number | null
  /** Against the price without a cache, minus what writing to it cost more. Below 0: it cost more. */
  readonly cache_saved_usd?: number
  readonly refused: number
  readonly simulated: boolean
  /** The group's part of the work of owned deployments, where there are any and groups are of tasks. */
  readonly work_cost_usd?: number
  /** Only by `approach`, `provider` and `deployment`. */
  readonly place?: PlaceJson
}

/** An objective beside what was reached in the window. */
export interface ReportSlo {
  readonly objective: 'success_rate' | 'p95_latency_ms'
  readonly target: number
  /** null: no task of the window has ended. */
  readonly reached: number | null
  /** null: no task of the window has ended. */
  readonly met: boolean | null
}

/** What deployments that are paid by the hour cost in the window. */
export interface OwnedJson {
  readonly hours: number
  readonly owned_cost_usd: number
  /** Of the hours in which they worked, the part that the tasks of the report had done. */
  readonly work_cost_usd: number
  /** Of the hours in which they did not work: nobody's. */
  readonly idle_cost_usd: number
  /** Share of the hours in which they worked, for whomever. */
  readonly utilisation: number | null
}

/**
 * How an approach, a provider or a deployment does. Durations, first bytes and speed are of the attempts that
 * ended well; rates are shares of all attempts there; costs include the work of owned hours, not idle ones.
 */
export interface PlaceJson {
  readonly duration_ms: { readonly p50: number; readonly p95: number } | null
  readonly first_byte_ms: { readonly p50: number; readonly p95: number } | null
  readonly output_tokens_per_second: number | null
  readonly cost_per_1k_tokens_usd: number | null
  /** Spent there by all tasks, per successful task whose last answer came from there. */
  readonly cost_per_success_usd: number | null
  /** Failed for another reason than throttling. */
  readonly error_rate: number | null
  /** Answered 429 or 529. */
  readonly throttle_rate: number | null
  /** Failed, and the same step was tried at another deployment. */
  readonly fallback_rate: number | null
  /** Of all tasks of the report: those whose last answer came from there. */
  readonly task_share: number | null
  /** null: nothing there is paid by the hour. */
  readonly owned: OwnedJson | null
}

/** Answer of `GET /v1/report`. */
export interface Report {
  readonly since: string
  readonly until: string
  readonly by: ReportGrouping
  /** The release that serves now. */
  readonly release?: string
  readonly groups: readonly ReportGroupJson[]
  /** All that is paid by the hour; not there when nothing is. */
  readonly owned?: OwnedJson
}

export interface LimitMoveJson {
  /**
   * `used`: calls were as quick as they should be. `recovering`: again. `first_token`, `per_token`: they were
   * not. `drops`: throttled, overloaded or timed out.
   */
  readonly reason: 'used' | 'recovering' | 'first_token' | 'per_token' | 'drops' | 'initial'
  /** ISO 8601. */
  readonly at: string
  readonly from_tokens: number
  readonly to_tokens: number
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
  /** What holds for calls: what is set by hand, where something is. */
  readonly breaker: 'closed' | 'open' | 'half-open'
  readonly breaker_detail?: BreakerJson
  /** Retries that the model has saved up, over all its deployments. */
  readonly retries_left?: number
  readonly concurrency: {
    /** As configured, calls. */
    readonly limit: number | null
    readonly in_flight: number
    /** As found out: tokens (read and expected to be generated) that may be in flight; null: none so far. */
    readonly tokens_limit?: number | null
    readonly tokens_in_flight?: number
    /** Why the limit in tokens moved last. */
    readonly moved?: LimitMoveJson | null
  }
  /** As configured. */
  readonly targets?: { readonly first_token_ms: number | null; readonly per_token_ms: number | null }
  readonly queue: { readonly length: number; readonly oldest_ms: number | null }
  readonly rate: {
    /** The least of the limits on it; null: none is known. */
    readonly requests_left: number | null
    readonly tokens_left: number | null
    /** Share of the full rate at which they refill, 0..1: below 1 after the provider refused. */
    readonly refill_share?: number
    /** Every limit that is known. */
    readonly buckets?: readonly RateBucketJson[]
  }
  /** Of whole calls that were answered, of late. */
  readonly latency_ms: Percentiles | null
  /** Of streams, of late. */
  readonly first_token_ms?: { readonly p50: number; readonly p95: number } | null
  /** Mean time per further output token, of late. */
  readonly per_token_ms?: number | null
  readonly tier?: Tier
  /** How long it rests after a throttle, ms. */
  readonly cooling_ms?: number
  readonly mean_latency_ms?: number | null
  /** Of streams with short prompts: 95 of 100 have their first token within this; null: not known yet. */
  readonly first_token_p95_ms?: number | null
  /** Attempts since the server started. */
  readonly requests?: number
  readonly successes?: number
  /** Failed attempts by how they ended. */
  readonly failures?: Readonly<Record<string, number>>
  /** null: there was never a choice by where a prompt is warm. */
  readonly affinity?: AffinityJson | null
}

/** Calls of one deployment by why they went there, since the start, and what is thought to be warm there. */
export interface AffinityJson {
  readonly warm: number
  readonly cold: number
  readonly cheaper: number
  readonly balance: number
  readonly warm_prefixes: number
  readonly warm_tokens: number
  /** As providers reported it, of the input tokens of these calls. */
  readonly cached_share: number | null
}

/** One limit of a deployment, and what is left of it as far as is known. */
export interface RateBucketJson {
  readonly dimension: 'requests' | 'tokens' | 'input_tokens' | 'output_tokens'
  readonly per: 'minute' | 'day'
  readonly limit: number
  readonly remaining: number
  /** `headers`: the provider tells a lower one than is configured, or none is. */
  readonly source: 'configured' | 'headers'
  /** Until all of it is there again, ms. */
  readonly reset_ms: number
}

/** Answer of `GET /v1/capacity`. */
export interface CapacityJson {
  readonly deployments: readonly DeploymentCapacity[]
  /** As `dependency:<name>`, in the same shape. */
  readonly dependencies?: readonly DeploymentCapacity[]
  readonly hedges?: HedgesJson
  /** Of models that calls had to wait for. */
  readonly queues: readonly QueueCapacity[]
}

/** Second copies of calls that were slow to begin, since the server started. */
export interface HedgesJson {
  /** Calls to models with several deployments: what the copies are measured by. */
  readonly calls: number
  readonly sent: number
  /** Charged for attempts that another copy of the call was quicker than. */
  readonly lost_cost_usd: number
  /** Copies that may be sent now. */
  readonly available: number
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
