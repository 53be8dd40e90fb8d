// What Spillway adds to answers of models, and the shapes its refusals have on each kind of route.

import type { TaskBalance } from './tasks.js'

/** One choice made on the way to an answer, with what it was made from. */
export interface DecisionJson {
  readonly stage: string
  readonly choice: string
  readonly reason: string
  readonly inputs?: Readonly<Record<string, unknown>>
}

export const TIERS = ['small', 'mid', 'premium'] as const
export type Tier = (typeof TIERS)[number]

/** Who answered and how it was chosen: the response headers, as JSON. */
export interface RouteFacts {
  readonly step_id: string
  readonly release: string
  readonly model: string
  readonly deployment: string
  readonly tier: Tier
  /** `default`, `rule:<n>`, `escalated:<n>`, `fallback` or `degraded`. */
  readonly route: string
  /** Rungs of the ladder taken, in order; empty when none. */
  readonly degraded: readonly string[]
  readonly cache: 'exact' | 'semantic' | 'miss' | 'off'
  /** Upstream attempts made. */
  readonly attempts: number
  readonly simulated: boolean
}

/**
 * The `"spillway"` member of an answer that is not a stream, and of the final usage chunk of a stream whose
 * caller asked for usage. The route facts repeat the headers, which every answer has.
 */
export interface SpillwayMember extends Partial<RouteFacts> {
  /** Cost of this step; null when the price is unknown. */
  readonly cost_usd: number | null
  readonly task: TaskBalance
  readonly decisions: readonly DecisionJson[]
}

/** An upstream attempt that failed, without secrets. */
export interface FailedAttempt {
  readonly deployment: string
  readonly status: number
  readonly end: string
  /** The provider's own words, where it said any. */
  readonly message?: string
}

/** What every refusal carries, whatever the shape around it. */
export interface ErrorDetail {
  readonly type: string
  readonly message: string
  /** A code of the registry. */
  readonly code: string
  readonly hint: string
  readonly task_id?: string | null
  readonly request_id?: string
  readonly attempts?: readonly FailedAttempt[]
  readonly problems?: readonly { readonly at: string; readonly message: string }[]
}

/** OpenAI's shape: on its routes and on the control API. */
export interface OpenAiErrorBody {
  readonly error: ErrorDetail & { readonly param: string | null }
}

/** Anthropic's shape: on `/v1/messages`. */
export interface AnthropicErrorBody {
  readonly type: 'error'
  readonly error: ErrorDetail
  readonly request_id?: string
}
