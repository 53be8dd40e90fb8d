// What may be sent to one deployment per minute, as it is known: configured, and told by its provider in the
// headers of answers. A call is charged when it is sent and corrected when it has ended, as that provider
// does; what the provider says is left can only lower a bucket. Where no limit is known nothing waits.

import type { Demand } from './demand.js'
import { QUOTA_DIMENSIONS, type QuotaDimension, type ToldBucket } from './limit-report.js'
import { type QuotaRules, type Used, endCharge, startCharge } from './quota-rules.js'
import { type BucketView, RateBucket } from './rate-bucket.js'
import { MINUTE_MS } from './rate-window.js'
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

export class RateBuckets {
  #rules: QuotaRules
  readonly #clock: RefillClock
  /** Only grows: at most one per dimension and span. */
  readonly #buckets: RateBucket[] = []
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
      const configured = limits[dimension]
      const bucket =
        this.#find(dimension, MINUTE_MS) ?? (configured === null ? null : this.#add(dimension, MINUTE_MS))
      if (bucket !== null) bucket.configured = configured
    }
    for (const bucket of this.#buckets) this.#adopt(bucket)
  }

  /** 0: the call may be sent now. Else how long until it may be, ms. */
  waitMs(demand: Demand, nowMs: number): number {
    if (this.#buckets.length === 0 && this.#refusals === 0 && this.#overloads === 0) return 0
    this.#clock.advance(nowMs)
    let refillMs = 0
    for (const bucket of this.#buckets) {
      const amount = startCharge(this.#rules, bucket.dimension, demand)
      refillMs = Math.max(refillMs, bucket.waitMs(amount, this.#clock.ms))
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
      givenBefore.push(bucket.given)
      taken.push(bucket.charge(startCharge(this.#rules, bucket.dimension, demand), this.#clock.ms))
    }
    return { taken, givenBefore }
  }

  /** The call has ended: what it really used replaces what was charged, where the provider does so. */
  settle(charge: Charge, used: Used, nowMs: number): void {
    if (this.#buckets.length === 0) return
    this.#clock.advance(nowMs)
    this.#buckets.forEach((bucket, index) => {
      const actual = endCharge(this.#rules, bucket.dimension, used)
      if (actual !== null) bucket.correct((charge.taken[index] ?? 0) - actual, this.#clock.ms)
    })
  }

  /** The call was never sent. */
  giveBack(charge: Charge): void {
    if (charge.taken.length === 0) return
    this.#buckets.forEach((bucket, index) => bucket.correct(charge.taken[index] ?? 0, this.#clock.ms))
  }

  /**
   * What an answer's headers told. `ageMs`: since they came. `charge`: of that call; what was charged after
   * it may be missing in what is left.
   */
  told(report: readonly ToldBucket[], from: { charge: Charge; ageMs: number }, nowMs: number): void {
    if (report.length === 0) return
    this.#clock.advance(nowMs)
    for (const { dimension, spanMs, remaining, limit, isBinding } of report) {
      const known = this.#find(dimension, spanMs)
      if (known === null && (limit === null || !isBinding)) continue
      const bucket = known ?? this.#add(dimension, spanMs)
      if (limit !== null && isBinding) bucket.told = limit
      this.#adopt(bucket)
      if (remaining === null) continue
      const left = remaining - this.#givenSince(bucket, from.charge)
      bucket.lowerTo(left, { ageMs: from.ageMs, atMs: this.#clock.ms })
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
    return this.#buckets.flatMap((bucket) => {
      const view = bucket.view(this.#clock.ms)
      return view === null ? [] : [{ ...view, resetMs: this.#clock.waitMs(view.resetMs, nowMs) }]
    })
  }

  #find(dimension: QuotaDimension, spanMs: number): RateBucket | null {
    return this.#buckets.find((bucket) => bucket.dimension === dimension && bucket.spanMs === spanMs) ?? null
  }

  #add(dimension: QuotaDimension, spanMs: number): RateBucket {
    const bucket = new RateBucket(dimension, spanMs)
    this.#buckets.push(bucket)
    return bucket
  }

  #adopt(bucket: RateBucket): void {
    const { dimension, spanMs } = bucket
    const savedMs = dimension === 'requests' ? Math.min(spanMs, this.#rules.requestsSliceMs) : spanMs
    bucket.adopt(savedMs, this.#clock.ms)
  }

  #givenSince(bucket: RateBucket, { taken, givenBefore }: Charge): number {
    const index = this.#buckets.indexOf(bucket)
    return bucket.given - (givenBefore[index] ?? 0) - (taken[index] ?? 0)
  }

  /**
   * Those that the headers call empty, or all when they name none. Who names a time means that by then the
   * refused call fits: so much is there when it has come.
   */
  #empty({ told, charge }: Refusal, leavesOne: boolean): void {
    const isNamed = told.some(({ remaining }) => remaining === 0)
    const atMs = this.#clock.ms
    this.#buckets.forEach((bucket, index) => {
      const { dimension, spanMs } = bucket
      const own = told.find((each) => each.dimension === dimension && each.spanMs === spanMs)
      if (isNamed && own?.remaining !== 0) return
      if (leavesOne) bucket.set(Math.max(1, charge.taken[index] ?? 1), atMs)
      else bucket.lowerTo(0, { ageMs: 0, atMs })
    })
  }
}

/** Twice as long each time in a row. */
function doubled(ms: number, times: number): number {
  return ms * 2 ** Math.min(10, Math.max(0, times - 1))
}
