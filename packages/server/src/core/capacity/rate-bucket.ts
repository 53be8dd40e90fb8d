// One limit of a deployment, per minute or per day, wherever it is known from, and what is left of it. The
// lower of what is configured and what the provider tells counts.

import type { QuotaDimension } from './limit-report.js'
import {
  type RateWindow,
  correct,
  fullLevel,
  fullWindow,
  refilled,
  waitFor,
  withLevel,
  withLimit,
} from './rate-window.js'

/** A larger limit is none: counts stay exact integers, per minute and per day. */
const LIMIT_MAX = 100_000_000

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

/** Times are those of the deployment's refill clock, ms. */
export class RateBucket {
  readonly dimension: QuotaDimension
  readonly spanMs: number
  configured: number | null = null
  told: number | null = null
  /** Given at starts of calls, in all. */
  given = 0
  #window: RateWindow | null = null

  constructor(dimension: QuotaDimension, spanMs: number) {
    this.dimension = dimension
    this.spanMs = spanMs
  }

  /** To be called when `configured` or `told` has changed. `savedMs`: of how much refilling it saves up. */
  adopt(savedMs: number, atMs: number): void {
    const { configured, told, spanMs } = this
    const limit = Math.min(configured ?? Infinity, told ?? Infinity, LIMIT_MAX)
    const window = this.#window
    if (configured === null && told === null) this.#window = null
    else if (window === null) this.#window = fullWindow(limit, atMs, { spanMs, savedMs })
    else if (window.limit !== limit || window.savedMs !== savedMs)
      this.#window = withLimit({ ...refilled(window, atMs), savedMs }, limit)
  }

  /** What one call is charged: one larger than all that can be saved up passes when that is there. */
  fitting(amount: number): number {
    return this.#window === null ? 0 : Math.min(amount, fullLevel(this.#window) / this.spanMs)
  }

  /** How long until this call fits, of refilling. One that takes nothing waits until nothing is owed. */
  waitMs(amount: number, atMs: number): number {
    return this.#window === null ? 0 : waitFor(this.#window, Math.max(1, this.fitting(amount)), atMs)
  }

  /** Returns what it has taken. */
  charge(amount: number, atMs: number): number {
    const taken = this.fitting(amount)
    this.given += taken
    if (this.#window !== null) this.#window = correct(refilled(this.#window, atMs), -taken)
    return taken
  }

  /**
   * Positive gives back. What is owed is at most what can be saved up: no mistake of one answer stops a
   * deployment for good.
   */
  correct(amount: number, atMs: number): void {
    if (this.#window === null) return
    const window = correct(refilled(this.#window, atMs), amount)
    this.#window = withLevel(window, Math.max(-fullLevel(window), window.level))
  }

  /** There is no more than this left, and what refilled since it was so. */
  lowerTo(amount: number, since: { readonly ageMs: number; readonly atMs: number }): void {
    if (this.#window === null) return
    const window = refilled(this.#window, since.atMs)
    const level = amount * this.spanMs + Math.max(0, since.ageMs) * window.limit
    this.#window = withLevel(window, Math.min(Math.max(0, level), window.level))
  }

  /** So much is there, whatever was. */
  set(amount: number, atMs: number): void {
    if (this.#window !== null)
      this.#window = withLevel(refilled(this.#window, atMs), this.fitting(amount) * this.spanMs)
  }

  /** null: no limit is known. `resetMs` is time of refilling. */
  view(atMs: number): BucketView | null {
    if (this.#window === null) return null
    const { dimension, spanMs, told, configured } = this
    const { level, limit } = refilled(this.#window, atMs)
    return {
      dimension,
      spanMs,
      limit,
      remaining: Math.max(0, Math.floor(level / spanMs)),
      source: told !== null && told < (configured ?? Infinity) ? 'headers' : 'configured',
      resetMs: Math.ceil((fullLevel(this.#window) - level) / limit),
    }
  }
}
