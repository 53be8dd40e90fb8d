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
