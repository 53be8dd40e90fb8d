// Watches one attempt while nobody has seen anything of it: it may be too slow to begin, it may stop, and a
// copy of it may be first. There is a watch only where another deployment or model could do better; all other
// attempts go without.

import { ProgressGuard } from '../../core/capacity/stream-guard.js'
import type { System, Timer } from '../ports.js'
import type { Race, Runner } from './race.js'

/** Why a watch ends an attempt: names of ends, as attempts record them. */
export type WatchEnd = 'slow_start' | 'stalled' | 'slow' | 'hedge_lost'

/** What comes before the first token is passed on at once where that is normally this far off, ms. */
const EARLY_WAIT_MAX_MS = 5_000
/** Nobody else could serve: look again after this, ms. */
const AGAIN_MS = 1_000

export interface WatchTerms {
  readonly system: System
  readonly race: Race
  /** Of this deployment for such calls, ms. */
  readonly p95Ms: number
  /** Given up without a first token after this, ms; null: never. */
  readonly limitMs: number | null
  readonly perFrameMs: number | null
  /** Sends a copy when the p95 has passed. false: not yet; it is asked again. null: there will be none. */
  readonly hedge: ((waitedMs: number) => boolean) | null
  /** Could another deployment or model serve the call now? */
  elsewhere(): boolean
}

/** What is watched. */
export interface Watched {
  /** Closes the connection and ends it so. */
  stop(end: WatchEnd, detail: string): void
  /** Something of ours threw in a timer, where nobody would catch it: closes the connection and throws on. */
  fail(error: unknown): void
  /** Nothing better is to be had: what has come goes to the caller. */
  open?(): void
}

const NOTHING_YET: Watched = { stop() {}, fail() {} }
const NO_TIMER: Timer = { cancel() {} }

export class AttemptWatch implements Runner {
  readonly #terms: WatchTerms
  #watched: Watched = NOTHING_YET
  #timer: Timer = NO_TIMER
  #hasLost = false

  constructor(terms: WatchTerms) {
    this.#terms = terms
    terms.race.enter(this)
  }

  get hasLost(): boolean {
    return this.#hasLost
  }

  /** Frames without a token wait for one: until then the call may still go elsewhere. */
  get keepsEarly(): boolean {
    return this.#terms.p95Ms <= EARLY_WAIT_MAX_MS
  }

  /** It has been sent. */
  start(watched: Watched): void {
    this.#watched = watched
    if (this.#hasLost) return this.#stop('hedge_lost')
    const { hedge, p95Ms, limitMs } = this.#terms
    if (hedge !== null && (limitMs === null || p95Ms < limitMs)) this.#after(p95Ms, () => this.#hedge(p95Ms))
    else if (limitMs !== null) this.#after(limitMs, () => this.#tooSlow(limitMs))
  }

  /** The first token is there, or the head of a whole answer: it has begun. */
  heard(): void {
    this.#timer.cancel()
  }

  /** It has something to show. false: a copy was first, and this attempt has been stopped. */
  win(): boolean {
    this.heard()
    return this.#terms.race.win(this)
  }

  /** It is held back: from here on its frames must go on coming. */
  follow(frames: () => number): void {
    const { system, perFrameMs } = this.#terms
    const guard = new ProgressGuard(perFrameMs, frames(), system.nowMs())
    const look = (): void => {
      const progress = guard.look(frames(), system.nowMs())
      if (progress.kind === 'fine') this.#after(progress.againMs, look)
      else if (this.#terms.elsewhere()) this.#stop(progress.kind)
      else this.#after(AGAIN_MS, look)
    }
    look()
  }

  /** However it ended. */
  over(): void {
    this.#timer.cancel()
    this.#watched = NOTHING_YET
    this.#terms.race.leave(this)
  }

  lose(): void {
    this.#hasLost = true
    this.#stop('hedge_lost')
  }

  /** After one p95, two, four and so on, until a copy is sent. */
  #hedge(waitedMs: number): void {
    const { hedge, limitMs } = this.#terms
    const isSent = hedge === null || hedge(waitedMs)
    if (!isSent && (limitMs === null || 2 * waitedMs < limitMs))
      this.#after(waitedMs, () => this.#hedge(2 * waitedMs))
    else if (limitMs !== null) this.#after(limitMs - waitedMs, () => this.#tooSlow(limitMs))
  }

  #tooSlow(limitMs: number): void {
    if (this.#terms.elsewhere()) return this.#stop('slow_start')
    this.#after(limitMs, () => this.#tooSlow(limitMs))
    if (this.#terms.race.running === 1) this.#watched.open?.()
  }

  #after(delayMs: number, run: () => void): void {
    this.#timer.cancel()
    this.#timer = this.#terms.system.after(delayMs, () => {
      try {
        run()
      } catch (error) {
        this.#watched.fail(error)
      }
    })
  }

  #stop(end: WatchEnd): void {
    this.#timer.cancel()
    this.#watched.stop(end, DETAILS[end])
  }
}

const DETAILS: Readonly<Record<WatchEnd, string>> = {
  slow_start: 'no first token when it was long due',
  stalled: 'no token for too long',
  slow: 'far slower than this deployment normally is',
  hedge_lost: 'another copy of the call was first',
}
