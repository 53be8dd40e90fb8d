// The circuit breaker of one deployment: closed -> open -> half-open -> closed. It opens after failures in a
// row, or when the deployment fails far more often than its siblings; while half-open one real call at a time
// may try. What operators pin lies on top of it, and the automatic state goes on underneath.

import { type Counts, SuccessWindow } from './success-window.js'
import { SteadyClock } from './steady-clock.js'

export type BreakerKind = 'closed' | 'open' | 'half-open'

/** What an operator may ask for. `drain`: like `open`, but planned: it leaves the pool, running calls end. */
export type PinAction = 'open' | 'close' | 'drain'

export interface Pin {
  readonly action: PinAction
  readonly forMs: number
  /** The tenant who asked. */
  readonly by: string
  readonly reason: string
}

export type BreakerWhy =
  | 'failures-in-a-row'
  | 'outlier'
  | 'probe-succeeded'
  | 'pinned'
  | 'pin-lifted'
  | 'pin-expired'

/** Told when calls stop or begin to flow, and whenever somebody pins. Half-open is on the way, not told. */
export interface BreakerChange {
  readonly from: BreakerKind
  readonly to: BreakerKind
  readonly why: BreakerWhy
  /** Until the first probe, or the end of the pin, ms; null: for good. */
  readonly forMs: number | null
  readonly pin: Pin | null
}

/** Envoy's outlier detection: consecutive_5xx. */
export const FAILURES_IN_A_ROW = 5
/** Envoy: base_ejection_time, times the number of ejections. */
export const EJECTION_MS = 30_000
/** Envoy: max_ejection_time. */
export const EJECTION_MS_MAX = 300_000
/**
 * Where there is nowhere else to go, a probe comes this soon, and this much later after each that failed: two
 * probes a second burden nobody, and a caller who is alone hardly waits longer than for a retry anyway.
 */
export const SHORT_OPEN_MS = 50
export const SHORT_OPEN_MS_MAX = 500
/** A probe that takes longer lets another one try beside it: answers of minutes are no reason to wait. */
export const PROBE_PATIENCE_MS = 10_000
/** Longest pin: a forgotten one must end by itself. */
export const PIN_MS_MAX = 24 * 3_600_000

/** A ticket whose result says nothing: the call began while the breaker was open, under a pin. */
const NO_TICKET = -1

export class Breaker {
  readonly #tell: (change: BreakerChange) => void
  readonly #clock = new SteadyClock()
  readonly #window = new SuccessWindow()
  #kind: BreakerKind = 'closed'
  /** Rises with every change: results of calls that began under an earlier state say nothing. */
  #era = 0
  #inARow = 0
  #ejections = 0
  #shortOpens = 0
  #sinceMs = 0
  #untilMs = 0
  #isEjected = false
  #probes = 0
  #probedMs = 0
  #pin: Pin | null = null
  #pinEndsMs = 0

  constructor(tell: (change: BreakerChange) => void) {
    this.#tell = tell
  }

  /** May no call go there now? Costs nothing while closed. */
  blocks(nowMs: number): boolean {
    if (this.#kind === 'closed' && this.#pin === null) return false
    return this.waitMs(nowMs) > 0
  }

  /** How long until a call may be tried, ms; 0: now; Infinity: when the probe that runs has ended. */
  waitMs(nowMs: number): number {
    const now = this.#time(nowMs)
    const pin = this.#pin
    if (pin !== null) return pin.action === 'close' ? 0 : this.#pinEndsMs - now
    if (this.#kind === 'closed') return 0
    if (this.#kind === 'open') return Math.max(0, this.#untilMs - now)
    return this.#probes === 0 || now - this.#probedMs >= PROBE_PATIENCE_MS ? 0 : Infinity
  }

  /** A call begins, which `blocks` did not stop. The ticket goes with it to its end. */
  begin(nowMs: number): number {
    if (this.#kind === 'closed') return this.#era
    const now = this.#time(nowMs)
    if (this.#kind === 'open') {
      if (now < this.#untilMs) return NO_TICKET
      this.#enter('half-open', now)
    }
    this.#probes += 1
    this.#probedMs = now
    return this.#era
  }

  /** It was answered. */
  succeed(ticket: number, nowMs: number): void {
    if (ticket !== this.#era) return
    const now = this.#time(nowMs)
    if (this.#kind === 'closed') {
      this.#inARow = 0
      this.#window.add(true, now)
      return
    }
    this.#enter('closed', now)
    this.#change('half-open', 'probe-succeeded', null)
  }

  /**
   * Its answer has begun: a probe need not end before others may go there, which of a long stream would be a
   * minute. How it ends says nothing any more, the next calls do.
   */
  begun(ticket: number, nowMs: number): void {
    if (this.#kind === 'half-open') this.succeed(ticket, nowMs)
  }

  /** `mayEject`: the model has other deployments that serve, so this one can be spared for longer. */
  fail(ticket: number, nowMs: number, mayEject: boolean): void {
    if (ticket !== this.#era) return
    const now = this.#time(nowMs)
    if (this.#kind === 'closed') {
      this.#window.add(false, now)
      this.#inARow += 1
      if (this.#inARow >= FAILURES_IN_A_ROW) this.#open('failures-in-a-row', now, mayEject)
      return
    }
    this.#open(null, now, mayEject)
  }

  /** The call says nothing of the deployment: not sent, refused as a request, or its caller left. */
  withdraw(ticket: number): void {
    if (ticket === this.#era && this.#kind === 'half-open') this.#probes -= 1
  }

  /** It fails far more often than its siblings. */
  eject(nowMs: number): void {
    if (this.#kind === 'closed') this.#open('outlier', this.#time(nowMs), true)
  }

  /** There is nowhere else to go any more: what was put away for long is tried soon. */
  recall(nowMs: number): void {
    if (this.#kind !== 'open') return
    this.#untilMs = Math.min(this.#untilMs, this.#time(nowMs) + SHORT_OPEN_MS)
  }

  /** Replaces an earlier pin. `forMs` beyond a day is a day. */
  pin(pin: Pin, nowMs: number): void {
    const now = this.#time(nowMs)
    const from = this.kind
    const forMs = Math.min(PIN_MS_MAX, Math.max(1, pin.forMs))
    this.#pin = { ...pin, forMs }
    this.#pinEndsMs = now + forMs
    this.#tell({ from, to: this.kind, why: 'pinned', forMs, pin: this.#pin })
  }

  /** Back to what the calls say. */
  unpin(by: { readonly by: string; readonly reason: string }, nowMs: number): void {
    this.#time(nowMs)
    const from = this.kind
    const pin = this.#pin
    this.#pin = null
    const lifted = pin === null ? null : { ...pin, ...by }
    this.#tell({ from, to: this.kind, why: 'pin-lifted', forMs: null, pin: lifted })
  }

  /** What holds for calls. A pin that has run out is noticed when time is told to this breaker. */
  get kind(): BreakerKind {
    if (this.#pin === null) return this.#kind
    return this.#pin.action === 'close' ? 'closed' : 'open'
  }

  /** Out of its pool for longer than a moment, because of how it failed: others take its calls. */
  isEjected(nowMs: number): boolean {
    if (this.#kind === 'closed' && this.#pin === null) return false
    this.#time(nowMs)
    if (this.#pin !== null) return this.#pin.action === 'open'
    return this.#kind !== 'closed' && this.#isEjected
  }

  view(nowMs: number): BreakerView {
    const waitMs = this.waitMs(nowMs)
    return {
      kind: this.kind,
      automatic: this.#kind,
      waitMs: this.kind === 'closed' ? 0 : waitMs,
      failuresInARow: this.#inARow,
      ejections: this.#ejections,
      pin: this.#pin,
      pinLeftMs: this.#pin === null ? null : this.#pinEndsMs - this.#clock.nowMs,
    }
  }

  /** Of the last half to whole minute. */
  counts(nowMs: number): Counts {
    return this.#window.counts(this.#time(nowMs))
  }

  /** `why` is null where a probe failed: it is open still. */
  #open(why: BreakerWhy | null, now: number, mayEject: boolean): void {
    if (mayEject) {
      const healed = this.#kind === 'closed' ? Math.floor((now - this.#sinceMs) / EJECTION_MS) : 0
      this.#ejections = Math.max(0, this.#ejections - healed) + 1
    } else this.#shortOpens += 1
    const forMs = mayEject
      ? Math.min(EJECTION_MS_MAX, EJECTION_MS * this.#ejections)
      : Math.min(SHORT_OPEN_MS_MAX, SHORT_OPEN_MS * this.#shortOpens)
    this.#ejections = Math.min(this.#ejections, EJECTION_MS_MAX / EJECTION_MS)
    this.#enter('open', now)
    this.#isEjected = mayEject
    this.#untilMs = now + forMs
    if (why !== null) this.#change('closed', why, forMs)
  }

  #enter(kind: BreakerKind, now: number): void {
    this.#kind = kind
    this.#era += 1
    this.#inARow = 0
    this.#probes = 0
    this.#sinceMs = now
    if (kind !== 'closed') return
    this.#shortOpens = 0
    this.#isEjected = false
    this.#window.clear()
  }

  /** Under a pin nothing changes for calls, so nothing is told. */
  #change(from: BreakerKind, why: BreakerWhy, forMs: number | null): void {
    if (this.#pin === null) this.#tell({ from, to: this.#kind, why, forMs, pin: null })
  }

  #time(nowMs: number): number {
    const now = this.#clock.at(nowMs)
    const pin = this.#pin
    if (pin !== null && now >= this.#pinEndsMs) {
      const from = this.kind
      this.#pin = null
      this.#tell({ from, to: this.#kind, why: 'pin-expired', forMs: null, pin })
    }
    return now
  }
}

export interface BreakerView {
  /** What holds for calls: the pin, where there is one. */
  readonly kind: BreakerKind
  /** What the calls say. */
  readonly automatic: BreakerKind
  /** Until a call may be tried, ms; Infinity: when the probe that runs has ended. */
  readonly waitMs: number
  readonly failuresInARow: number
  /** How often it was ejected of late: the next one lasts that much longer. */
  readonly ejections: number
  readonly pin: Pin | null
  readonly pinLeftMs: number | null
}
