// Credentials that run out. The rule for all of them: a call that has a valid one never waits, and the next
// one is fetched well before the last has ended. Only a call that finds none waits, for the one fetch that is
// under way.

import type { System, Timer } from '../../../engine/ports.js'
import { CredentialError } from './credential-error.js'

export interface Credentials<T> {
  /** What is valid now, or null. */
  current(): T | null
  /** Resolves when there is one. Rejects with a `CredentialError` that says why there is none. */
  ready(): Promise<void>
  /**
   * The provider refused the one that was in use at `provenMs`: it is fetched anew before the next call,
   * unless that has happened meanwhile. false: another one is not to be had, or would not help.
   */
  refused(provenMs: number): boolean
  close(): void
}

export interface Fetched<T> {
  readonly value: T
  /** ms since 1970; null: it does not run out. */
  readonly expiresAtMs: number | null
}

/** Rejects with a `CredentialError`; anything else is taken for a source that could not be reached. */
export type FetchCredentials<T> = () => Promise<Fetched<T>>

type Clock = Pick<System, 'nowMs' | 'after' | 'random'>

/** The next one is fetched this long before the end, or a fifth of what is left, whichever is shorter. */
const MARGIN_MS = 300_000
const MARGIN_SHARE = 0.2
const BACKOFF_MS = 1_000
const BACKOFF_MAX_MS = 60_000
/** However soon the next one ends, its source is not asked more often than this. */
const REFRESH_MS_MIN = 1_000
/** A source that says nothing for so long is given up. */
const FETCH_MS_MAX = 30_000
/** A provider that refuses even the newest one is not helped by another. */
const REFUSED_AGAIN_MS = 60_000

export function fixedCredentials<T>(value: T): Credentials<T> {
  return {
    current: () => value,
    ready: () => Promise.resolve(),
    refused: () => false,
    close: () => undefined,
  }
}

export class RefreshedCredentials<T> implements Credentials<T> {
  readonly #fetch: FetchCredentials<T>
  readonly #clock: Clock
  #held: Fetched<T> | null = null
  #flight: Promise<void> | null = null
  #timer: Timer | null = null
  #failure: { readonly error: CredentialError; readonly untilMs: number } | null = null
  #failures = 0
  #refreshAtMs = 0
  #takenAtMs = -Infinity
  #lastRefusedMs = -Infinity
  #isRefused = false
  #isClosed = false

  constructor(fetch: FetchCredentials<T>, clock: Clock) {
    this.#fetch = fetch
    this.#clock = clock
  }

  current(): T | null {
    const held = this.#held
    const nowMs = this.#clock.nowMs()
    // Timers may come late: a machine that slept, a loop that was busy.
    if (held !== null && nowMs >= this.#refreshAtMs) this.#refresh(nowMs)
    if (held === null || (this.#isRefused && this.#flight !== null)) return null
    return held.expiresAtMs === null || nowMs < held.expiresAtMs ? held.value : null
  }

  async ready(): Promise<void> {
    if (this.current() !== null) return
    this.#refresh(this.#clock.nowMs())
    if (this.#flight !== null) await this.#flight
    if (this.current() !== null) return
    throw this.#failure?.error ?? new CredentialError('the credentials ended before they could be used')
  }

  refused(provenMs: number): boolean {
    const nowMs = this.#clock.nowMs()
    if (this.#isClosed || this.#held === null) return false
    if (this.#takenAtMs > provenMs || (this.#isRefused && this.#flight !== null)) return true
    if (nowMs - this.#lastRefusedMs < REFUSED_AGAIN_MS) return false
    this.#lastRefusedMs = nowMs
    this.#isRefused = true
    this.#refresh(nowMs)
    return this.#flight !== null
  }

  close(): void {
    this.#isClosed = true
    this.#timer?.cancel()
  }

  /** One at a time, and none while it would only fail again. */
  #refresh(nowMs: number): void {
    if (this.#failure === null || nowMs >= this.#failure.untilMs) this.#start()
  }

  #start(): void {
    if (this.#isClosed || this.#flight !== null) return
    this.#timer?.cancel()
    this.#flight = this.#run().finally(() => (this.#flight = null))
  }

  async #run(): Promise<void> {
    try {
      this.#take(await this.#fetchInTime())
    } catch (error) {
      this.#fail(
        error instanceof CredentialError ? error : new CredentialError('the source failed', { cause: error }),
      )
    }
    this.#isRefused = false
  }

  #fetchInTime(): Promise<Fetched<T>> {
    return new Promise((resolve, reject) => {
      const late = () => reject(new CredentialError(`no answer within ${FETCH_MS_MAX} ms`))
      const timer = this.#clock.after(FETCH_MS_MAX, late)
      // `then` first: a source that throws before its first wait is caught like any other.
      Promise.resolve()
        .then(this.#fetch)
        .then(resolve, reject)
        .finally(() => timer.cancel())
    })
  }

  #take(fetched: Fetched<T>): void {
    const nowMs = this.#clock.nowMs()
    const leftMs = (fetched.expiresAtMs ?? Infinity) - nowMs
    if (leftMs <= 0)
      throw new CredentialError('the credentials had already ended when they came: is the clock right?')
    this.#held = fetched
    this.#takenAtMs = nowMs
    this.#failure = null
    this.#failures = 0
    this.#refreshAtMs = Infinity
    if (fetched.expiresAtMs === null) return
    const marginMs = Math.min(MARGIN_MS, leftMs * MARGIN_SHARE)
    // Up to a fifth earlier, so that many servers do not all ask in the same second.
    const delayMs = (leftMs - marginMs) * (1 - this.#clock.random() * MARGIN_SHARE)
    this.#refreshAtMs = nowMs + Math.max(REFRESH_MS_MIN, delayMs)
    this.#later(this.#refreshAtMs - nowMs)
  }

  #fail(error: CredentialError): void {
    const nowMs = this.#clock.nowMs()
    const longestMs = Math.min(BACKOFF_MAX_MS, BACKOFF_MS * 2 ** Math.min(this.#failures, 10))
    const waitMs = longestMs * (0.5 + this.#clock.random() / 2)
    this.#failures++
    this.#failure = { error, untilMs: nowMs + waitMs }
    // With one that is still valid we go on trying by ourselves; without one, the next call does.
    const endsAtMs = this.#held?.expiresAtMs ?? null
    if (endsAtMs !== null && nowMs < endsAtMs) this.#later(waitMs)
  }

  #later(delayMs: number): void {
    if (this.#isClosed) return
    this.#timer?.cancel()
    this.#timer = this.#clock.after(delayMs, () => this.#start())
  }
}
