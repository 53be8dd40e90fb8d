// What the headers of one answer tell of a provider's limits.

/** What a limit counts. */
export type QuotaDimension = 'requests' | 'tokens' | 'input_tokens' | 'output_tokens'
export const QUOTA_DIMENSIONS = [
  'requests',
  'tokens',
  'input_tokens',
  'output_tokens',
] as const satisfies readonly QuotaDimension[]

/** Of one bucket. null: not told, or not to be believed. */
export interface ToldBucket {
  readonly dimension: QuotaDimension
  /** The limit is per so many ms: a minute, or a day. */
  readonly spanMs: number
  /** At least 1. */
  readonly limit: number | null
  /** false: `limit` may be of another span, so it is shown and nothing is made to wait for it. */
  readonly isBinding: boolean
  /** Never above `limit`. */
  readonly remaining: number | null
  /** Until it is full again, ms. */
  readonly resetMs: number | null
}
