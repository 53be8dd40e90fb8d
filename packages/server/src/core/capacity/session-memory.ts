// Which deployment a conversation was last sent to, and how long its prompt was: what is known of a warm
// cache when a prompt's beginning cannot be told (too short, changed, or seen by another process).

import { dropOldest } from '../drop-oldest.js'

interface Seat {
  deployment: string
  promptTokens: number
  usedMs: number
}

/** Conversations remembered: the longest unused goes. */
export const SESSIONS_MAX = 16_384

export class SessionMemory {
  readonly #seats = new Map<string, Seat>()
  #nowMs = 0

  /** `session` has its tenant in it: two tenants may use the same name. */
  sent(session: string, to: { deployment: string; promptTokens: number; nowMs: number }): void {
    this.#nowMs = Math.max(this.#nowMs, to.nowMs)
    const { deployment, promptTokens } = to
    this.#seats.delete(session)
    this.#seats.set(session, { deployment, promptTokens, usedMs: this.#nowMs })
    if (this.#seats.size > SESSIONS_MAX) dropOldest(this.#seats)
  }

  /** Where it was, null when that is longer ago than `ttlMs` or was never told. */
  seat(session: string, nowMs: number, ttlMs: number): Readonly<Seat> | null {
    const seat = this.#seats.get(session)
    return seat === undefined || Math.max(this.#nowMs, nowMs) - seat.usedMs > ttlMs ? null : seat
  }

  get size(): number {
    return this.#seats.size
  }
}
