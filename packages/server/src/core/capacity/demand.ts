// What a call wants of a deployment, and what it turned out to be: the words that all of capacity shares.

/** Google's SRE classes, dearest first: under overload the last goes first. */
export type Criticality = 'critical_plus' | 'critical' | 'sheddable_plus' | 'sheddable'
export const CRITICALITIES = [
  'critical_plus',
  'critical',
  'sheddable_plus',
  'sheddable',
] as const satisfies readonly Criticality[]

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
  /** How long the provider asked to be left alone. */
  readonly retryAfterMs: number | null
  /** Of its answer, names in lower case; empty when none came. */
  readonly headers: Readonly<Record<string, string>>
}

export const NO_HEADERS: Readonly<Record<string, string>> = {}
