// How the simulated provider behaves.

/** Knobs of the simulated provider; each may be set per model. Times in ms, rates are shares 0..1. */
export interface Simulation extends SimulatedBehaviour {
  readonly seed: number
  readonly models: Readonly<Record<string, Partial<SimulatedBehaviour>>>
}

export interface SimulatedBehaviour {
  /** Time to the first token. Default 0 in process. */
  readonly latencyMs: number
  /** Share by which the latency varies, 0..1, seeded. Default 0. */
  readonly jitter: number
  /** 0 = as fast as it can. Default 0. */
  readonly tokensPerSecond: number
  /** Share of calls answered 500. */
  readonly errorRate: number
  /** Share of calls answered 429 with the provider's real headers. */
  readonly throttleRate: number
  /** Real throttling: more requests in one minute are answered 429. 0 = off. */
  readonly requestsPerMinute: number
  /** Share of streams broken after some tokens. */
  readonly brokenStreamRate: number
  /** Share of calls that never answer. */
  readonly stallRate: number
  /** Everything is answered 503. */
  readonly outage: boolean
  /** Reported usage is the true usage times this. Default 1. */
  readonly usageFactor: number
  /**
   * Mean probability of the tokens it "chose", 0..1: what the logprobs confidence signal sees. Default 0.9.
   */
  readonly confidence: number
  /** Tokens of an answer when the caller sets no lower limit. Default 48. */
  readonly outputTokens: number
}
