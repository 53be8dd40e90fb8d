// Of the events of late, the share that was of a kind: both counts fall to 1/e in the memory's time.

export class DecayedShare {
  readonly #memoryMs: number
  #all = 0
  #kind = 0
  #seenMs = -Infinity

  constructor(memoryMs: number) {
    this.#memoryMs = memoryMs
  }

  count(isOfKind: boolean, nowMs: number): void {
    this.#decay(nowMs)
    this.#all += 1
    if (isOfKind) this.#kind += 1
  }

  /** 0..1; 0 where less than one event is remembered. A clock that goes back stands still. */
  at(nowMs: number): number {
    this.#decay(nowMs)
    return this.#all < 1 ? 0 : Math.min(1, this.#kind / this.#all)
  }

  #decay(nowMs: number): void {
    if (nowMs <= this.#seenMs) return
    const kept = Math.exp((this.#seenMs - nowMs) / this.#memoryMs)
    this.#all *= kept
    this.#kind *= kept
    this.#seenMs = nowMs
  }
}
