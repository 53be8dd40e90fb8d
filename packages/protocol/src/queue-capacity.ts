// The queues of `GET /v1/capacity`: who waits for which model, and what is given up for it.

export type CriticalityName = 'critical_plus' | 'critical' | 'sheddable_plus' | 'sheddable'

export type PerCriticality = Readonly<Record<CriticalityName, number>>

/** One model that calls have waited for since the server started. */
export interface QueueCapacity {
  readonly model: string
  readonly waiting: PerCriticality
  /** How long the one that waits longest has; null: nobody waits. */
  readonly oldest_ms: number | null
  /** Tokens per second that are served while somebody waits, output counted twice; null: not measured. */
  readonly drain_tokens_per_second: number | null
  /** How long a critical call that comes now would wait. */
  readonly predicted_wait_ms: number
  /** Calls since the server started that got a place after waiting. */
  readonly served: PerCriticality
  /** Refused without waiting, or because the queue was full. */
  readonly shed: PerCriticality
  /** Their time ran out while they waited. */
  readonly timed_out: PerCriticality
  readonly overload: {
    /** 0: nothing is given up. */
    readonly level: number
    /** What is given up, in the order it was. */
    readonly gives_up: readonly string[]
    /** Of the critical calls of the last seconds, the share that was refused. */
    readonly refused_share: number
  }
}
