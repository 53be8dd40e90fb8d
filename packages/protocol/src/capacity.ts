// Steering deployments by hand, as it is on the wire.

/**
 * `open`: no calls, as if it had failed. `close`: calls, whatever its failures say. `drain`: it leaves the
 * pool by plan; running calls end. `auto`: back to what the calls say.
 */
export const BREAKER_ACTIONS = ['open', 'close', 'drain', 'auto'] as const
export type BreakerAction = (typeof BREAKER_ACTIONS)[number]

/** `POST /v1/capacity/deployments/{id}`, for operators. */
export interface SteerRequest {
  readonly action: BreakerAction
  /** 1 to 86400; it ends by itself. Missing for `auto`, and only there. */
  readonly for_seconds?: number
  /** Why: for those who look later. */
  readonly reason: string
}

/** What is set by hand at the moment. */
export interface PinJson {
  readonly action: Exclude<BreakerAction, 'auto'>
  readonly until: string
  /** The tenant who asked. */
  readonly by: string
  readonly reason: string
}

export interface BreakerJson {
  /** What the calls say, whatever is set by hand. */
  readonly automatic: 'closed' | 'open' | 'half-open'
  /** Until a call may be tried; 0: now. null: when the one that tries has ended. */
  readonly next_try_ms: number | null
  readonly failures_in_a_row: number
  /** How often it was ejected of late: the next ejection lasts that much longer. */
  readonly ejections: number
  readonly pin: PinJson | null
}
