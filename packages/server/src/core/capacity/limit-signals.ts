// What one window says about the right number of tokens in flight at a deployment. Both signals are free of
// how long prompts and answers are: the time per output token, and how many calls wait for their first token
// beyond those that would at low load (by Little's law the first token's lateness times their rate, but
// without its delay).

import type { LimitWindow } from './limit-window.js'

export interface LimitTargets {
  /** From sending to the first token, ms; null: no target, the gradient decides. */
  readonly firstTokenMs: number | null
  /** Mean time per output token of an answer, ms; null: no target, the gradient decides. */
  readonly perTokenMs: number | null
}

export interface Wanted {
  /** Tokens in flight that the window speaks for; Infinity: it says nothing against more. */
  readonly tokens: number
  readonly by: 'first_token' | 'per_token' | 'nothing'
}

/** Gradient2: how much slower than usual is still usual, and the least of one step. */
const TOLERANCE = 1.5
const STEP_MIN = 0.5
const STEP_MAX = 1.5
/** Gradient2's room for a queue of the deployment's own, calls; half their root where that is more. */
const QUEUE_CALLS = 4
/** Gradient2's long-run mean: of this many windows, plain while there are fewer; unlearned when too slow. */
const LONG_RUN_WINDOWS = 600
const LONG_RUN_TOO_SLOW = 2
const LONG_RUN_FORGET = 0.95

/** Aimed at, of a target for the time per token: answers differ, and each is to meet it. */
const AIM = 0.9
/** Of a target for the first token, what a deployment's own queue may take: the rest is for ours. */
const QUEUE_SHARE = 0.15
/** For this many windows after calls had queued, growth is by what may wait and does not. */
const CAREFUL_WINDOWS = 60
/** ... from this share of what is thought to be right. */
const CAREFUL_SHARE = 0.9
/** Weight of the newest window in how many wait: arrivals come in bursts. */
const WAITING_NEWEST = 0.3
/** Frames in a window before a time per token is one. */
const FRAMES_MIN = 10
/** ... unless they are this slow, ms. */
const STALLED_MS = 1_000
/** What the windows before still count. */
const KEPT = 0.5
/** Weight of the newest window in the rate of first tokens. */
const NEWEST = 0.2

const NOTHING: Wanted = { tokens: Infinity, by: 'nothing' }

export class LimitSignals {
  #longRunMs = 0
  #windows = 0
  #firstTokensPerMs = 0
  #lowLoadMs: number | null = null
  #tokensPerFrame = 1
  /** Decayed sums over windows. */
  #streamingMs = 0
  #frames = 0
  #careful = 0
  #queuedAt = 0
  #waiting = 0

  /** A stream ended: its frames were this many tokens. Frames of some providers carry several. */
  calibrate(frames: number, outputTokens: number): void {
    if (frames < 1 || outputTokens < 1) return
    const ratio = Math.min(1_000, outputTokens / frames)
    this.#tokensPerFrame += (ratio - this.#tokensPerFrame) * 0.05
  }

  /**
   * Time per output token, ms: of the window or of the last few, whichever is longer: reading a prompt
   * stops all streams for a moment. null: too little was generated to say.
   */
  #perTokenMs({ streamingMs, frames }: LimitWindow): number | null {
    // Streams that stand still are at least this slow.
    if (frames < FRAMES_MIN && streamingMs < FRAMES_MIN * STALLED_MS) return null
    this.#streamingMs = this.#streamingMs * KEPT + streamingMs
    this.#frames = this.#frames * KEPT + frames
    const perFrameMs = Math.max(
      streamingMs / Math.max(1, frames),
      this.#streamingMs / Math.max(1, this.#frames),
    )
    return perFrameMs / this.#tokensPerFrame
  }

  /** At the end of a window. */
  wanted(window: LimitWindow, targets: LimitTargets): Wanted {
    this.#learn(window)
    const byToken = this.#byToken(window, targets)
    const byFirst = this.#byFirst(window, targets)
    return byFirst.tokens < byToken.tokens ? byFirst : byToken
  }

  #learn({ firstTokens, elapsedMs, lowLoads, lowLoadSumMs }: LimitWindow): void {
    const rate = firstTokens / elapsedMs
    this.#firstTokensPerMs += (rate - this.#firstTokensPerMs) * (this.#firstTokensPerMs === 0 ? 1 : NEWEST)
    if (lowLoads > 0) this.#lowLoadMs = lowLoadSumMs / lowLoads
  }

  #byToken(window: LimitWindow, { perTokenMs: target }: LimitTargets): Wanted {
    const perTokenMs = this.#perTokenMs(window)
    if (perTokenMs === null) return NOTHING
    const inFlight = window.tokensMs / window.elapsedMs
    if (target !== null) {
      const step = Math.min(STEP_MAX, Math.max(STEP_MIN, (AIM * target) / perTokenMs))
      return { tokens: inFlight * step, by: 'per_token' }
    }
    const gradient = this.#gradient(perTokenMs)
    const room = roomCalls(window) * tokensPerCall(window)
    return { tokens: inFlight * gradient + room, by: 'per_token' }
  }

  /** Gradient2 on the time per token. */
  #gradient(perTokenMs: number): number {
    this.#windows = Math.min(LONG_RUN_WINDOWS, this.#windows + 1)
    this.#longRunMs += (perTokenMs - this.#longRunMs) / this.#windows
    if (this.#longRunMs > LONG_RUN_TOO_SLOW * perTokenMs) this.#longRunMs *= LONG_RUN_FORGET
    return Math.min(1, Math.max(STEP_MIN, (TOLERANCE * this.#longRunMs) / perTokenMs))
  }

  #byFirst(window: LimitWindow, { firstTokenMs: target }: LimitTargets): Wanted {
    const lowLoadMs = this.#lowLoadMs
    if (lowLoadMs === null) return NOTHING
    // A prompt that takes long to read is no queue.
    const queueMs = target === null ? 0 : target * QUEUE_SHARE
    const allowedMs = Math.max(lowLoadMs * TOLERANCE, lowLoadMs + queueMs)
    const room = target === null ? roomCalls(window) : 0
    const allowed = this.#firstTokensPerMs * allowedMs + room
    const waiting = window.waitingMs / window.elapsedMs
    const inFlight = window.tokensMs / window.elapsedMs
    this.#waiting += (waiting - this.#waiting) * WAITING_NEWEST
    const spareTokens = (allowed - this.#waiting) * tokensPerCall(window)
    const tokens = inFlight + spareTokens
    if (spareTokens < 0) {
      this.#queuedAt = tokens
      this.#careful = CAREFUL_WINDOWS
    } else if (this.#careful > 0) {
      this.#careful -= 1
      if (inFlight < this.#queuedAt * CAREFUL_SHARE) return NOTHING
    } else return NOTHING
    return { tokens: Math.max(inFlight * STEP_MIN, tokens), by: 'first_token' }
  }
}

/** Mean of what was in flight, tokens. */
export function tokensPerCall({ tokensMs, callsMs }: LimitWindow): number {
  return callsMs > 0 ? tokensMs / callsMs : 0
}

function roomCalls({ callsMs, elapsedMs }: LimitWindow): number {
  return Math.max(QUEUE_CALLS, Math.sqrt(callsMs / elapsedMs) / 2)
}
