// What a concurrency limit saw during one window: areas under the counts of what was in flight (a count
// times how long it stood), and events. A rate or a mean of the window is a quotient of two of them, which
// holds for long answers as for short ones (Little's law) and is not late by the length of an answer.

/** Longer between two events, ms, and the clock has jumped or nothing ran: the window says nothing. */
const ELAPSED_MAX_MS = 60_000

export class LimitWindow {
  /** Started at, and seen last, ms. */
  startMs: number
  #nowMs: number
  /** Now in flight. */
  tokens = 0
  calls = 0
  /** Streams that wait for their first token; those that have it. */
  waiting = 0
  streaming = 0
  /** Areas since the start: each of the four times ms. */
  tokensMs = 0
  callsMs = 0
  waitingMs = 0
  streamingMs = 0
  elapsedMs = 0
  /** Events since the start. */
  firstTokens = 0
  lowLoadSumMs = 0
  lowLoads = 0
  frames = 0
  ends = 0
  drops = 0
  peakTokens = 0
  peakCalls = 0
  /** Its times cannot be trusted. */
  isTorn = false
  /** Calls in flight times ms since ever: what one call saw is a difference of two readings. */
  everCallsMs = 0
  everMs = 0

  constructor(nowMs: number) {
    this.startMs = nowMs
    this.#nowMs = nowMs
  }

  get nowMs(): number {
    return this.#nowMs
  }

  get evidence(): number {
    return this.firstTokens + this.frames + this.ends
  }

  /** Has time passed? A clock that goes back stands still. */
  advance(nowMs: number): boolean {
    const passedMs = nowMs - this.#nowMs
    if (passedMs <= 0) return false
    this.#nowMs = nowMs
    if (passedMs > ELAPSED_MAX_MS) this.isTorn = true
    const elapsedMs = passedMs > ELAPSED_MAX_MS ? ELAPSED_MAX_MS : passedMs
    this.elapsedMs += elapsedMs
    this.tokensMs += this.tokens * elapsedMs
    this.callsMs += this.calls * elapsedMs
    this.waitingMs += this.waiting * elapsedMs
    this.streamingMs += this.streaming * elapsedMs
    this.everCallsMs += this.calls * elapsedMs
    this.everMs += elapsedMs
    return true
  }

  /** What is in flight stays. */
  restart(): void {
    this.startMs = this.#nowMs
    this.tokensMs = this.callsMs = this.waitingMs = this.streamingMs = this.elapsedMs = 0
    this.firstTokens = this.lowLoadSumMs = this.lowLoads = this.frames = this.ends = this.drops = 0
    this.peakTokens = this.tokens
    this.peakCalls = this.calls
    this.isTorn = false
  }
}
