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
  /** The provider's list of models has it. null: there is no list, or it does not tell. */
  readonly listed: boolean | null
  /** For a model that is not listed: what may be meant. */
  readonly hint: string | null
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

/** What a provider told about itself, before the calls. Those that run inside the server are not asked. */
export interface ProviderProbe {
  readonly provider: string
  readonly kind: string
  /** Ids, at most 1000; of Azure: what can be deployed, not the deployments. null: not told. */
  readonly models: readonly string[] | null
  /** `models` is all of them. */
  readonly models_complete: boolean
  /** Of a self-hosted server; null: not told. */
  readonly health: 'ok' | 'not-ready' | null
  readonly load: ServerLoadJson | null
  /** Why what is null was not told, without secrets. */
  readonly untold: Readonly<Partial<Record<'models' | 'health' | 'load', string>>>
}

/** Of a self-hosted server, from its metrics. null: not among them. */
export interface ServerLoadJson {
  readonly server: 'vllm' | 'sglang' | 'llama.cpp' | 'tensorrt-llm'
  /** Requests. */
  readonly running: number | null
  readonly waiting: number | null
  /** Of the memory for keys and values, 0..1. */
  readonly cache_used_share: number | null
}

export interface ProbeJson {
  /** Every deployment is usable. */
  readonly usable: boolean
  readonly providers: readonly ProviderProbe[]
  readonly deployments: readonly DeploymentProbe[]
}
