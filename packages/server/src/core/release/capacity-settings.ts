// How places are given out when there are too few, as configured.

/** The calls that wait for one model. */
export interface QueueSettings {
  /** At the same time. Default 1000. */
  readonly maxWaiting: number
  /** Of one tenant. Default `maxWaiting`. */
  readonly maxWaitingPerTenant: number
  /** A critical call that would wait for longer is overload. Default 1000. */
  readonly targetWaitMs: number
}

export interface CapacitySettings {
  readonly queue: QueueSettings
}

/** What a deployment's answers are to keep; what runs at once is limited by it. null: no target. */
export interface DeploymentTargets {
  /** Until the first token, ms. */
  readonly firstTokenMs: number | null
  /** Mean per further output token of an answer, ms. */
  readonly perTokenMs: number | null
}
