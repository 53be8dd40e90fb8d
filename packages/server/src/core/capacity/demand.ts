// What a call wants of a deployment, and what it turned out to be: the words that all of capacity shares.

import type { PrefixChain } from './prefix-memory.js'

/** Google's SRE classes, dearest first: under overload the last goes first. */
export type Criticality = 'critical_plus' | 'critical' | 'sheddable_plus' | 'sheddable'
export const CRITICALITIES = [
  'critical_plus',
  'critical',
  'sheddable_plus',
  'sheddable',
] as const satisfies readonly Criticality[]

/** What tells where a prompt may be warm. */
export interface PromptIdentity {
  /** Worked out when it is first asked for. */
  readonly chain: PrefixChain
  /** How many of the chain's beginnings end before the conversation: 0 or 1. */
  readonly heads: number
  /** The conversation, with its tenant and model. */
  readonly session: string | null
}

/** As far as it is known before the call. Tokens are whole numbers. */
export interface Demand {
  /** Estimated. */
  readonly inputTokens: number
  /** Expected, all choices together: the half of earlier answers was shorter. */
  readonly outputTokens: number
  /** The most it can be; what some providers charge at the start. */
  readonly outputTokensMax: number
  readonly criticality: Criticality
  readonly tenant: string
  /** The tenant's share beside others. Default 1. */
  readonly weight: number
  /** Until when an answer is of use, ms since 1970. */
  readonly deadlineMs: number
  readonly stream: boolean
  /** Absent: it is too short to be worth it, or none. */
  readonly prompt?: PromptIdentity
}

/** What an attempt showed when it was over. */
export interface Observation {
  /** `ok`, or the stable name of how it failed. */
  readonly end: string
  /** 0: no answer came. */
  readonly status: number
  readonly durationMs: number
  /** Time to the first generated token, or to the head of a whole answer; null: none came. */
  readonly firstTokenMs: number | null
  /** As settled. */
  readonly inputTokens: number
  readonly cachedTokens: number
  readonly outputTokens: number
  /** Generated frames of a stream. Default 0, as of a whole answer. */
  readonly frames?: number
  /** How long the provider asked to be left alone. */
  readonly retryAfterMs: number | null
  /** Of its answer, names in lower case; empty when none came. */
  readonly headers: Readonly<Record<string, string>>
}

export const NO_HEADERS: Readonly<Record<string, string>> = {}
