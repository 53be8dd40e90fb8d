// Requests and tokens per minute and calls at once of one who calls: a tenant, or all of them.
// Requests are taken before a call. Tokens are known after it, so they are taken then: a call may overdraw
// them, and the next one waits until the minute has made up for it.

import {
  type RateWindow,
  correct,
  fullWindow,
  take,
  waitFor,
  withLimit,
} from '../../core/capacity/rate-window.js'
import { SteadyClock } from '../../core/capacity/steady-clock.js'

export interface QuotaLimits {
  readonly requestsPerMinute: number | null
  readonly tokensPerMinute: number | null
  readonly concurrency: number | null
}

/** Calls at once free up when one ends, which nobody can foresee: look again after this, ms. */
const BUSY_MS = 1_000

export function isLimited({ requestsPerMinute, tokensPerMinute, concurrency }: QuotaLimits): boolean {
  return requestsPerMinute !== null || tokensPerMinute !== null || concurrency !== null
}

export class Quota {
  #limits: QuotaLimits
  #requests: RateWindow | null = null
  #tokens: RateWindow | null = null
  readonly #clock = new SteadyClock()
  #running = 0
  #isReady = false

  constructor(limits: QuotaLimits, nowMs: number) {
    this.#limits = limits
    this.adopt(limits, nowMs)
  }

  get limits(): QuotaLimits {
    return this.#limits
  }

  /** A reload may have changed the limits; what was used stays used. */
  adopt(limits: QuotaLimits, wallMs: number): void {
    if (limits === this.#limits && this.#isReady) return
    const nowMs = this.#clock.at(wallMs)
    this.#isReady = true
    this.#limits = limits
    this.#requests = adopted(this.#requests, limits.requestsPerMinute, nowMs)
    this.#tokens = adopted(this.#tokens, limits.tokensPerMinute, nowMs)
  }

  /** 0: there is room for a call now. Else how long until there may be, ms. */
  waitMs(wallMs: number): number {
    const { concurrency } = this.#limits
    const nowMs = this.#clock.at(wallMs)
    const busy = concurrency !== null && this.#running >= concurrency ? BUSY_MS : 0
    return Math.max(busy, waitOf(this.#requests, nowMs), waitOf(this.#tokens, nowMs))
  }

  begin(wallMs: number): void {
    this.#running += 1
    if (this.#requests !== null) this.#requests = take(this.#requests, 1, this.#clock.at(wallMs)).window
  }

  /** The call is over, or was never made: then its request is given back. */
  end(wasMade: boolean): void {
    this.#running = Math.max(0, this.#running - 1)
    if (!wasMade && this.#requests !== null) this.#requests = correct(this.#requests, 1)
  }

  used(tokens: number, wallMs: number): void {
    if (this.#tokens === null) return
    // Refilled first, so that what was saved up until now counts.
    const { window } = take(this.#tokens, 0, this.#clock.at(wallMs))
    this.#tokens = correct(window, -tokens)
  }
}

function adopted(window: RateWindow | null, perMinute: number | null, nowMs: number): RateWindow | null {
  if (perMinute === null) return null
  return window === null ? fullWindow(perMinute, nowMs) : withLimit(window, perMinute)
}

function waitOf(window: RateWindow | null, nowMs: number): number {
  return window === null ? 0 : waitFor(window, 1, nowMs)
}
