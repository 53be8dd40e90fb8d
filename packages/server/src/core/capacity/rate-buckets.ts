// What may be sent to one deployment per minute, as it is known: configured, and told by its provider in the
// headers of answers. A call is charged when it is sent and corrected when it has ended, as that provider
// does; what the provider says is left can only lower a bucket. Where no limit is known nothing waits.

import type { Demand } from './demand.js'
import { QUOTA_DIMENSIONS, type QuotaDimension, type ToldBucket } from './limit-report.js'
import { type QuotaRules, type Used, endCharge, startCharge } from './quota-rules.js'
import {
  MINUTE_MS,
  type RateWindow,
  correct,
  fullLevel,
  fullWindow,
  refilled,
  waitFor,
  withLevel,
  withLimit,
} from './rate-window.js'
import { RefillClock } from './refill-clock.js'

/** Per minute. null: no limit. */
export type ConfiguredLimits = Readonly<Record<QuotaDimension, number | null>>

/** What one call has taken. Bound to the buckets that gave it; ends by `settle`, `giveBack` or not at all. */
export interface Charge {
  /** By bucket; shorter where one became known later. */
  readonly taken: readonly number[]
  /** What each bucket had given before, in all. */
  readonly givenBefore: readonly number[]
}

export interface BucketView {
  readonly dimension: QuotaDimension
  readonly spanMs: number
  readonly limit: number
  /** At least 0. */
  readonly remaining: number
  readonly source: 'configured' | 'headers'
  /** Until it is full again, ms. */
  readonly resetMs: number
}

export interface Refusal {
  /** How long the provider wants to be left alone; null: it did not say. */
  readonly retryAfterMs: number | null
  /** Of the call that was refused. */
  readonly durationMs: number
  readonly told: readonly ToldBucket[]
  readonly charge: Charge
}

export const NO_CHARGE: Charge = { taken: [], givenBefore: [] }

/** A provider that refuses without saying for how long is left alone this long, and twice that next time. */
const REST_MS = 1_000
const REST_MAX_MS = 30_000
/** The longest rest of a provider that is full: it may be well again at any time. */
const OVERLOAD_REST_MAX_MS = 8_000
/** Larger limits are none: counts stay exact integers, per minute and per day. */
const LIMIT_MAX = 100_000_000

interface Bucket {
  readonly dimension: QuotaDimension
  readonly spanMs: number
  configured: number | null
  told: number | null
  /** null while no limit is known any more. */
  window: RateWindow | null
  /** Charged at starts, in all. */
  given: number
}

export class RateBuckets {
  #rules: QuotaRules
  readonly #clock: RefillClock
  /** Only grows: at most one per dimension and span. */
  readonly #buckets: Bucket[] = []
  #refusals = 0
  #refusedAtMs = -Infinity
  #overloads = 0
  #overloadedAtMs = -Infinity

  constructor(rules: QuotaRules, nowMs: number) {
    this.#rules = rules
    this.#clock = new RefillClock(nowMs)
  }

  /** A reload may change limits and rules; what was used stays used. */
  configure(limits: ConfiguredLimits, rules: QuotaRules): void {
    this.#rules = rules
    for (const dimension of QUOTA_DIMENSIONS) {
      const limit = limits[dimension]
      const bucket = this.#find(dimension, MINUTE_MS)
      if (bucket !== undefined) bucket.configured = limit
      else if (limit !== null)
        this.#buckets.push(this.#newBucket(dimension, MINUTE_MS, { configured: limit }))
    }
    for (const bucket of this.#buckets) this.#adopt(bucket)
  }

  /** 0: the call may be sent now. Else how long until it may be, ms. */
  waitMs(demand: Demand, nowMs: number): number {
    if (this.#buckets.length === 0 && this.#refusals === 0 && this.#overloads === 0) return 0
    this.#clock.advance(nowMs)
    let refillMs = 0
    for (const { window, dimension } of this.#buckets) {
      if (window === null) continue
      const amount = Math.max(1, this.#amount(window, dimension, demand))
      refillMs = Math.max(refillMs, waitFor(window, amount, this.#clock.ms))
    }
    return this.#clock.waitMs(refillMs, nowMs)
  }

  /** Takes it whether there was room or not: who asked `waitMs` before is in the right. */
  charge(demand: Demand, nowMs: number): Charge {
    if (this.#buckets.length === 0) return NO_CHARGE
    this.#clock.advance(nowMs)
    const taken: number[] = []
    const givenBefore: number[] = []
    for (const bucket of this.#buckets) {
      const { window, dimension } = bucket
      const amount = window === null ? 0 : this.#amount(window, dimension, demand)
      givenBefore.push(bucket.given)
      taken.push(amount)
      bucket.given += amount
      if (window !== null) bucket.window = correct(refilled(window, this.#clock.ms), -amount)
    }
    return { taken, givenBefore }
  }

  /** The call has ended: what it really used replaces what was charged, where the provider does so. */
  settle(charge: Charge, used: Used, nowMs: number): void {
    if (this.#buckets.length === 0) return
    this.#clock.advance(nowMs)
    this.#buckets.forEach((bucket, index) => {
      const actual = endCharge(this.#rules, bucket.dimension, used)
      if (actual !== null) this.#correct(bucket, (charge.taken[index] ?? 0) - actual)
    })
  }

  /** The call was never sent. */
  giveBack(charge: Charge): void {
    if (charge.taken.length === 0) return
    this.#buckets.forEach((bucket, index) => this.#correct(bucket, charge.taken[index] ?? 0))
  }

  /**
   * What an answer's headers told. `ageMs`: since they came. `charge`: of that call; what was charged after
   * it may be missing in what is left.
   */
  told(report: readonly ToldBucket[], from: { charge: Charge; ageMs: number }, nowMs: number): void {
    if (report.length === 0) return
    this.#clock.advance(nowMs)
    for (const { dimension, spanMs, remaining, ...each } of report) {
      const limit = each.isBinding ? each.limit : null
      const bucket = this.#find(dimension, spanMs) ?? this.#learn(dimension, spanMs, limit)
      if (bucket === undefined) continue
      if (limit !== null) bucket.told = limit
      this.#adopt(bucket)
      if (remaining === null || bucket.window === null) continue
      const since = this.#givenSince(bucket, from.charge)
      const level = (remaining - since) * spanMs + Math.max(0, from.ageMs) * bucket.window.limit
      this.#lower(bucket, Math.max(0, level))
    }
  }

  /** An answer came: the next refusal is the first again, once the rate has recovered from the last. */
  accepted(): void {
    this.#overloads = 0
    if (this.#refusals > 0 && !this.#clock.isResting && this.#clock.speed === 1) this.#refusals = 0
  }

  /**
   * The provider says that a limit of ours is reached: nothing is sent until it says so, then calls go out at
   * half the rate, which recovers. Calls that were under way by then are the same incident.
   */
  refused(refusal: Refusal, nowMs: number): void {
    this.#clock.advance(nowMs)
    const isSame = this.#clock.realMs - refusal.durationMs < this.#refusedAtMs
    if (!isSame) {
      this.#refusals += 1
      this.#refusedAtMs = this.#clock.realMs
      this.#clock.slowDown()
    }
    this.#clock.rest(refusal.retryAfterMs ?? Math.min(REST_MAX_MS, doubled(REST_MS, this.#refusals)))
    this.#empty(refusal, !isSame && refusal.retryAfterMs !== null)
  }

  /** The provider is full. It is left alone; what may be sent per minute is as before. */
  overloaded(refusal: Pick<Refusal, 'retryAfterMs' | 'durationMs'>, restMs: number, nowMs: number): void {
    this.#clock.advance(nowMs)
    const { retryAfterMs, durationMs } = refusal
    if (this.#clock.realMs - durationMs >= this.#overloadedAtMs) {
      this.#overloads += 1
      this.#overloadedAtMs = this.#clock.realMs
    }
    this.#clock.hold(retryAfterMs ?? Math.min(OVERLOAD_REST_MAX_MS, doubled(restMs, this.#overloads)))
  }

  /** At which buckets refill, a share of the full rate; below 1 after refusals. */
  get speed(): number {
    return this.#clock.speed
  }

  /** How long nothing is sent on the provider's word, ms. */
  restMs(nowMs: number): number {
    this.#clock.advance(nowMs)
    return this.#clock.waitMs(0, nowMs)
  }

  view(nowMs: number): readonly BucketView[] {
    this.#clock.advance(nowMs)
    return this.#buckets.flatMap(({ dimension, spanMs, told, configured, window }) => {
      if (window === null) return []
      const { level, limit } = refilled(window, this.#clock.ms)
      const missing = fullLevel(window) - level
      const resetMs = this.#clock.waitMs(Math.ceil(missing / limit), nowMs)
      const source = told !== null && told < (configured ?? Infinity) ? 'headers' : 'configured'
      return [
        { dimension, spanMs, limit, remaining: Math.max(0, Math.floor(level / spanMs)), source, resetMs },
      ]
    })
  }

  /** One call larger than all that can be saved up passes when the bucket is full. */
  #amount(window: RateWindow, dimension: QuotaDimension, demand: Demand): number {
    const most = Math.floor(fullLevel(window) / window.spanMs)
    return Math.min(most, startCharge(this.#rules, dimension, demand))
  }

  #find(dimension: QuotaDimension, spanMs: number): Bucket | undefined {
    return this.#buckets.find((bucket) => bucket.dimension === dimension && bucket.spanMs === spanMs)
  }

  #learn(dimension: QuotaDimension, spanMs: number, limit: number | null): Bucket | undefined {
    if (limit === null) return undefined
    const bucket = this.#newBucket(dimension, spanMs, { told: limit })
    this.#buckets.push(bucket)
    return bucket
  }

  #newBucket(
    dimension: QuotaDimension,
    spanMs: number,
    known: { readonly configured?: number; readonly told?: number },
  ): Bucket {
    const { configured = null, told = null } = known
    return { dimension, spanMs, configured, told, window: null, given: 0 }
  }

  /** The lower of what is configured and what is told counts. */
  #adopt(bucket: Bucket): void {
    const { configured, told, spanMs, window } = bucket
    const limit = Math.min(configured ?? Infinity, told ?? Infinity, LIMIT_MAX)
    const savedMs = bucket.dimension === 'requests' ? Math.min(spanMs, this.#rules.requestsSliceMs) : spanMs
    if (configured === null && told === null) bucket.window = null
    else if (window === null) bucket.window = fullWindow(limit, this.#clock.ms, { spanMs, savedMs })
    else if (window.limit !== limit || window.savedMs !== savedMs) {
      bucket.window = withLimit({ ...refilled(window, this.#clock.ms), savedMs }, limit)
    }
  }

  #givenSince(bucket: Bucket, { taken, givenBefore }: Charge): number {
    const index = this.#buckets.indexOf(bucket)
    return bucket.given - (givenBefore[index] ?? 0) - (taken[index] ?? 0)
  }

  #lower(bucket: Bucket, level: number): void {
    if (bucket.window === null) return
    const window = refilled(bucket.window, this.#clock.ms)
    bucket.window = withLevel(window, Math.min(level, window.level))
  }

  /** What is owed is at most what can be saved up: no mistake of one answer stops a deployment for good. */
  #correct(bucket: Bucket, amount: number): void {
    if (bucket.window === null) return
    const window = correct(refilled(bucket.window, this.#clock.ms), amount)
    bucket.window = withLevel(window, Math.max(-fullLevel(window), window.level))
  }

  /**
   * Those that the headers call empty, or all when they name none. Who names a time means that by then the
   * refused call fits: so much is there when it has come.
   */
  #empty({ told, charge }: Refusal, leavesOne: boolean): void {
    const isNamed = told.some(({ remaining }) => remaining === 0)
    this.#buckets.forEach((bucket, index) => {
      const { dimension, spanMs, window } = bucket
      const own = told.find((each) => each.dimension === dimension && each.spanMs === spanMs)
      if (window === null || (isNamed && own?.remaining !== 0)) return
      const level = Math.max(1, charge.taken[index] ?? 1) * spanMs
      if (leavesOne) bucket.window = withLevel(refilled(window, this.#clock.ms), level)
      else this.#lower(bucket, 0)
    })
  }
}

/** Twice as long each time in a row. */
function doubled(ms: number, times: number): number {
  return ms * 2 ** Math.min(10, Math.max(0, times - 1))
}
