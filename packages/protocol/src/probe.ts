// What `POST /v1/providers/probe` answers: one tiny call to every deployment, and what it showed.

export interface RateLimit {
  /** In the provider's own window, mostly a minute; null: not said. */
  readonly limit: number | null
  readonly left: number | null
}

export interface DeploymentProbe {
  readonly deployment: string
  readonly model: string
  readonly provider: string
  readonly kind: string
  readonly hosting: string
  readonly region: string | null
  readonly simulated: boolean
  /** It answered the tiny call as it should. */
  readonly usable: boolean
  /** Something answered at its address. */
  readonly reachable: boolean
  /** null: not known, because nothing answered. */
  readonly authorised: boolean | null
  /** The provider has the model. null: not known. */
  readonly model_known: boolean | null
  /** HTTP status, or null when none arrived. */
  readonly status: number | null
  /** `ok`, or how the attempt ended; null when none was made. */
  readonly end: string | null
  /** Why it is not usable, without secrets. */
  readonly reason: string | null
  /** Until the head of the answer, ms. */
  readonly latency_ms: number | null
  /** What the headers of the answer say; null: nothing. */
  readonly limits: { readonly requests: RateLimit; readonly tokens: RateLimit } | null
  /** What the call cost; null: the price is unknown, or no call was made. */
  readonly cost_usd: number | null
}

export interface ProbeJson {
  /** Every deployment is usable. */
  readonly usable: boolean
  readonly deployments: readonly DeploymentProbe[]
}
