// Objectives of contracts and events of the service, as they are on the wire.

/** One objective of a contract. Shares are 0..1; a burn rate of 1 uses the error budget up in its period. */
export interface ObjectiveJson {
  readonly objective: 'success_rate' | 'p95_latency_ms'
  /** As configured: a share, or milliseconds. */
  readonly target: number
  /** Share of tasks that may be bad. */
  readonly allowed_share: number
  /** Of the period's error budget; below 0: overdrawn. null: no task has ended in the period. */
  readonly budget_left: number | null
  readonly period: {
    readonly days: number
    readonly tasks: number
    readonly failed: number
    readonly slow: number
  }
  readonly burn: readonly BurnJson[]
}

export interface BurnJson {
  readonly alert: 'fast' | 'slow' | 'steady'
  readonly severity: 'page' | 'ticket'
  readonly long: { readonly seconds: number; readonly rate: number }
  readonly short: { readonly seconds: number; readonly rate: number }
  /** Fires while both rates are at least this high. */
  readonly alerts_from: number
  readonly firing: boolean
}

export interface SloJson {
  readonly contract: string
  readonly objectives: readonly ObjectiveJson[]
}

/** Answer of `GET /v1/slo`. */
export interface SloAnswer {
  readonly contracts: readonly SloJson[]
}

/** Something that happened to the service as a whole. */
export interface EventJson {
  /** Rises in order of time. */
  readonly id: number
  readonly at: string
  readonly event: string
  /** What it happened to: a contract, a deployment. */
  readonly subject: string
  readonly detail: Readonly<Record<string, unknown>>
}

/** Answer of `GET /v1/events`, newest first. `next`: `before` of the next page, or null. */
export interface EventsAnswer {
  readonly events: readonly EventJson[]
  readonly next: number | null
}
