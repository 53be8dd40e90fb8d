// How much was sent to one replica of late, as the sender sees it: work that fades, and prompts that stand
// in line to be computed one after the other. Nothing comes back before the first token, so both are
// predictions.

/** After this long half of the work is forgotten, ms. */
const HALF_LIFE_MS = 60_000

/** No line of prompts is believed to be longer than this, ms: what waits that long has been given up. */
const QUEUE_MAX_MS = 60_000

export class ReplicaLoad {
  #workMs = 0
  #busyUntilMs = 0
  #nowMs = 0

  sent(call: { readonly prefillMs: number; readonly workMs: number }, nowMs: number): void {
    const now = this.#fade(nowMs)
    this.#workMs += Math.max(0, call.workMs)
    const freeMs = Math.max(this.#busyUntilMs, now)
    this.#busyUntilMs = Math.min(freeMs + Math.max(0, call.prefillMs), now + QUEUE_MAX_MS)
  }

  /** Nothing runs there any more, so nothing waits. */
  rest(): void {
    this.#busyUntilMs = 0
  }

  /** Until it begins with the next prompt, ms. */
  queueWaitMs(nowMs: number): number {
    return Math.max(0, this.#busyUntilMs - Math.max(this.#nowMs, nowMs))
  }

  workMs(nowMs: number): number {
    this.#fade(nowMs)
    return this.#workMs
  }

  /** A clock that goes back fades nothing. */
  #fade(nowMs: number): number {
    if (nowMs > this.#nowMs) {
      if (this.#workMs > 0) this.#workMs *= 0.5 ** ((nowMs - this.#nowMs) / HALF_LIFE_MS)
      this.#nowMs = nowMs
    }
    return this.#nowMs
  }
}
