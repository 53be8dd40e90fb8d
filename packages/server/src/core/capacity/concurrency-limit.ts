// How much may be in flight at one deployment, in tokens (read plus expected to be generated), found out by
// watching calls that are made anyway: nothing is ever held back to measure. With targets it finds the most
// that still meets them, without targets where the deployment begins to queue. Gradient2 where calls stream,
// and additive increase, multiplicative decrease where they do not.

import { usableOf } from './hold-back.js'
import { LimitSignals, type LimitTargets, type Wanted, tokensPerCall } from './limit-signals.js'
import { LimitWindow } from './limit-window.js'

export interface LimitSettings extends LimitTargets {
  /** Calls at once, never exceeded; null: none configured. */
  readonly callsMax: number | null
}

/** Why the limit moved last. */
export type LimitReason =
  | 'initial'
  /** It was used, and calls were as quick as they should be. */
  | 'used'
  /** Back to where calls were as quick as they should be before. */
  | 'recovering'
  | 'first_token'
  | 'per_token'
  /** Throttled, overloaded, or timed out. */
  | 'drops'

export interface LimitMove {
  readonly reason: LimitReason
  readonly atMs: number
  readonly fromTokens: number
  readonly toTokens: number
}

export interface CallEnd {
  readonly nowMs: number
  /** Its `firstToken` was told. */
  readonly streamed: boolean
  /** Throttled (429, 503, 529) or timed out: too much at a time. */
  readonly dropped: boolean
  /** Generated frames that were told, and the tokens they were; 0: unknown. */
  readonly frames: number
  readonly outputTokens: number
}

/**
 * Before anything is known, tokens: a thousand calls of 16,000. It is there to be lowered by what is seen
 * (then at once, to what is in flight), and holds back nothing before.
 */
export const LIMIT_TOKENS_INITIAL = 2 ** 24

export const LIMIT_TOKENS_MAX = 2 ** 30

/** Netflix's WindowedLimit. */
const WINDOW_MS = 1_000
const EVIDENCE_MIN = 10
/** A window with less evidence closes all the same. */
const WINDOW_MAX_MS = 10_000

/** Gradient2. */
const SMOOTHING = 0.2
/** What waits beyond what may is counted, not inferred: less smoothing. */
const QUEUE_SMOOTHING = 0.5
/** Of the way back to the knee in one good window. */
const RECOVERY = 0.5
const USED_SHARE = 0.9
const DROP_FACTOR = 0.9

/** Windows in a row that must be bad before a limit that does not bind is lowered to what is in flight. */
const BAD_WINDOWS = 2
const PEAK_ROOM = 1.25
/** The knee is forgotten by this much per bad window. */
const KNEE_KEPT = 0.98
/** Without targets, slowness alone does not take a limit below this share of the knee. */
const KNEE_SHARE_MIN = 0.5

export class ConcurrencyLimit {
  #settings: LimitSettings
  readonly #window: LimitWindow
  readonly #signals = new LimitSignals()
  #limit = LIMIT_TOKENS_INITIAL
  /** The most that was in flight and good: where to return to after a disturbance. 0: unknown. */
  #knee = 0
  #badWindows = 0
  #wasFull = false
  #lastMove: LimitMove

  constructor(settings: LimitSettings, nowMs: number) {
    this.#settings = settings
    this.#window = new LimitWindow(nowMs)
    this.#lastMove = { reason: 'initial', atMs: nowMs, fromTokens: this.#limit, toTokens: this.#limit }
  }

  /** A reload changed targets or cap: what was learned stays. */
  adopt(settings: LimitSettings): void {
    this.#settings = settings
  }

  /** Tokens that may be in flight. One call may always run, however large. */
  get limitTokens(): number {
    return Math.round(this.#limit)
  }

  get tokensInFlight(): number {
    return this.#window.tokens
  }

  get callsInFlight(): number {
    return this.#window.calls
  }

  get lastMove(): LimitMove {
    return this.#lastMove
  }

  /** Lower than a window ago because calls were slow or dropped: no time for extra work such as hedges. */
  get isShrinking(): boolean {
    return this.#badWindows > 0
  }

  /** Nothing has been seen yet that speaks against more. */
  get isInitial(): boolean {
    return this.#lastMove.reason === 'initial'
  }

  /** Share of the limit that is in flight, of tokens or of calls, whichever is closer to full. */
  get utilisation(): number {
    const { callsMax } = this.#settings
    const ofCalls = callsMax === null ? 0 : this.#window.calls / Math.max(1, callsMax)
    return Math.max(ofCalls, this.#window.tokens / this.#limit)
  }

  /** Does a call of `tokens` fit into `share` (0..1) of the limit now? */
  hasRoom(tokens: number, share = 1): boolean {
    const { calls, tokens: inFlight } = this.#window
    if (calls === 0) return this.#settings.callsMax !== 0
    const { callsMax } = this.#settings
    if (callsMax !== null && calls >= usableOf(callsMax, share)) return false
    if (inFlight + tokens <= this.#limit * share) return true
    this.#wasFull = true
    return false
  }

  /** `tokens` is what `end` or `giveBack` takes away again. */
  begin(tokens: number, streams: boolean, nowMs: number): void {
    const window = this.#window
    this.#advance(nowMs)
    window.tokens += tokens
    window.calls += 1
    if (streams) window.waiting += 1
    if (window.tokens > window.peakTokens) window.peakTokens = window.tokens
    if (window.calls > window.peakCalls) window.peakCalls = window.calls
  }

  /** The first generated token of a stream has come; at low load it would have taken `lowLoadMs`. */
  firstToken(lowLoadMs: number | null, nowMs: number): void {
    const window = this.#window
    this.#advance(nowMs)
    window.waiting -= 1
    window.streaming += 1
    window.firstTokens += 1
    if (lowLoadMs === null) return
    window.lowLoadSumMs += lowLoadMs
    window.lowLoads += 1
  }

  /** Generated frames of any stream. */
  generated(frames: number): void {
    this.#window.frames += frames
  }

  end(tokens: number, streams: boolean, end: CallEnd): void {
    const window = this.#window
    this.#advance(end.nowMs)
    this.#leave(tokens, streams, end.streamed)
    window.ends += 1
    if (end.dropped) window.drops += 1
    if (end.streamed) this.#signals.calibrate(end.frames, end.outputTokens)
  }

  /** Its end says nothing: it was never sent, or a fault of ours ended it. */
  giveBack(tokens: number, streams: boolean, streamed: boolean): void {
    this.#leave(tokens, streams, streamed)
  }

  /** Mean of calls in flight since a reading of `everCallsMs` and `everMs`. */
  meanCallsSince(reading: { readonly callsMs: number; readonly ms: number }): number {
    const { everCallsMs, everMs, calls } = this.#window
    return everMs > reading.ms ? (everCallsMs - reading.callsMs) / (everMs - reading.ms) : calls
  }

  get everCallsMs(): number {
    return this.#window.everCallsMs
  }

  get everMs(): number {
    return this.#window.everMs
  }

  #leave(tokens: number, streams: boolean, streamed: boolean): void {
    const window = this.#window
    window.tokens -= tokens
    window.calls -= 1
    if (streamed) window.streaming -= 1
    else if (streams) window.waiting -= 1
  }

  #advance(nowMs: number): void {
    const window = this.#window
    // What happens at one instant belongs to one window.
    if (!window.advance(nowMs)) return
    const lastedMs = window.nowMs - window.startMs
    if (lastedMs < WINDOW_MS || window.elapsedMs === 0) return
    if (window.evidence < EVIDENCE_MIN && lastedMs < WINDOW_MAX_MS) return
    if (!window.isTorn) this.#adjust(window)
    window.restart()
    this.#wasFull = false
  }

  #adjust(window: LimitWindow): void {
    const wanted = this.#signals.wanted(window, this.#settings)
    const wasUsed = this.#wasFull || window.peakTokens >= USED_SHARE * this.#limit
    const inFlight = window.tokensMs / window.elapsedMs
    // Where one call alone is refused too, it is not for how many there are.
    if (window.drops > 0 && window.peakCalls > 1) return this.#drop(window)
    if (window.drops > 0) return
    if (wanted.tokens < inFlight && wanted.tokens < this.#limit) return this.#shrink(wanted, window)
    this.#badWindows = 0
    this.#knee = Math.max(this.#knee, inFlight)
    if (wasUsed) this.#grow(wanted, window)
  }

  /** Multiplicative decrease, once per window, from what was in flight where the limit is far above it. */
  #drop(window: LimitWindow): void {
    this.#badWindows += 1
    this.#forgetKnee()
    this.#moveTo(DROP_FACTOR * Math.min(this.#limit, 2 * window.peakTokens), 'drops')
  }

  #shrink({ tokens, by }: Wanted, window: LimitWindow): void {
    this.#badWindows += 1
    const isBinding = window.peakTokens >= this.#limit / 2
    if (!isBinding && this.#badWindows < BAD_WINDOWS) return
    this.#forgetKnee()
    const from = Math.min(this.#limit, window.peakTokens * PEAK_ROOM)
    const hasTarget = by === 'first_token' ? this.#settings.firstTokenMs : this.#settings.perTokenMs
    const floor = hasTarget === null ? this.#knee * KNEE_SHARE_MIN : 0
    const to = from + (by === 'first_token' ? QUEUE_SMOOTHING : SMOOTHING) * (tokens - from)
    this.#moveTo(Math.min(this.#limit, Math.max(floor, to)), by === 'nothing' ? 'per_token' : by)
  }

  #grow({ tokens }: Wanted, window: LimitWindow): void {
    const limit = this.#limit
    if (limit < this.#knee) {
      return this.#moveTo(limit + RECOVERY * (this.#knee - limit) + tokensPerCall(window), 'recovering')
    }
    const perCall = tokensPerCall(window)
    // In flight is a whole number of calls: what is wanted is taken in proportion to the limit.
    const inFlight = window.tokensMs / window.elapsedMs
    const wanted = tokens === Infinity ? Infinity : tokens * Math.max(1, limit / inFlight)
    const to = wanted === Infinity ? limit + perCall : limit + SMOOTHING * (wanted - limit)
    this.#moveTo(Math.max(limit, to), 'used')
  }

  /**
   * Slow although no more is in flight than was good before: it may be good no longer. Least of all when that
   * was just tried.
   */
  #forgetKnee(): void {
    if (this.#lastMove.reason === 'recovering') this.#knee = Math.min(this.#knee, this.#limit)
    else if (this.#limit >= this.#knee * KNEE_SHARE_MIN) this.#knee *= KNEE_KEPT
  }

  #moveTo(tokens: number, reason: LimitReason): void {
    // Never less than a call: one runs in any case, and a limit of nothing could not grow.
    const floor = Math.max(1, tokensPerCall(this.#window))
    const to = Math.min(LIMIT_TOKENS_MAX, Math.max(floor, tokens))
    if (Math.round(to) === Math.round(this.#limit)) return
    this.#lastMove = {
      reason,
      atMs: this.#window.nowMs,
      fromTokens: Math.round(this.#limit),
      toTokens: Math.round(to),
    }
    this.#limit = to
  }
}
