// What one deployment lets through per minute: its limits as configured and as its provider tells them, and
// what a refusal means for them.

import type { Demand, Observation } from '../../core/capacity/demand.js'
import { refusalCause } from '../../core/capacity/quota-rules.js'
import type { BucketView } from '../../core/capacity/rate-bucket.js'
import { type Charge, type ConfiguredLimits, RateBuckets } from '../../core/capacity/rate-buckets.js'
import type { Deployment } from '../../core/release/release.js'
import { readLimitHeaders } from '../../wire/rate-limit-headers.js'
import { awsErrorType } from '../../wire/refusal-signals.js'

export class Rates {
  #quota: Deployment['quota']
  readonly #buckets: RateBuckets

  constructor(deployment: Deployment, nowMs: number) {
    this.#quota = deployment.quota
    this.#buckets = new RateBuckets(deployment.quota, nowMs)
    this.adopt(deployment)
  }

  /** A reload may have changed the limits; what was used stays used. */
  adopt({ limits, quota }: Deployment): void {
    this.#quota = quota
    this.#buckets.configure(configured(limits), quota)
  }

  /** 0: the call may be sent now. Else how long until it may be, ms. */
  waitMs(demand: Demand, nowMs: number): number {
    return this.#buckets.waitMs(demand, nowMs)
  }

  begin(demand: Demand, nowMs: number): Charge {
    return this.#buckets.charge(demand, nowMs)
  }

  giveBack(charge: Charge): void {
    this.#buckets.giveBack(charge)
  }

  end(charge: Charge, seen: Observation, nowMs: number): void {
    this.#buckets.settle(charge, seen, nowMs)
    const { durationMs, retryAfterMs, headers } = seen
    // Told when the answer began, which may have been long.
    const ageMs = durationMs - (seen.firstTokenMs ?? durationMs)
    const told = readLimitHeaders(headers, this.#quota.headers, nowMs - ageMs)
    this.#buckets.told(told, { charge, ageMs }, nowMs)
    if (seen.end === 'ok') return this.#buckets.accepted()
    const cause = refusalCause(this.#quota, seen, awsErrorType(headers))
    if (cause?.kind === 'quota') this.#buckets.refused({ retryAfterMs, durationMs, told, charge }, nowMs)
    else if (cause !== null) this.#buckets.overloaded({ retryAfterMs, durationMs }, cause.restMs, nowMs)
  }

  /** At which it lets through, a share of the full rate; below 1 after a quota was reached. */
  get speed(): number {
    return this.#buckets.speed
  }

  /** How long nothing is sent because the provider said so, ms; 0: it did not. */
  restMs(nowMs: number): number {
    return this.#buckets.restMs(nowMs)
  }

  view(nowMs: number): readonly BucketView[] {
    return this.#buckets.view(nowMs)
  }
}

function configured(limits: Deployment['limits']): ConfiguredLimits {
  return {
    requests: limits.requestsPerMinute,
    tokens: limits.tokensPerMinute,
    input_tokens: limits.inputTokensPerMinute,
    output_tokens: limits.outputTokensPerMinute,
  }
}
