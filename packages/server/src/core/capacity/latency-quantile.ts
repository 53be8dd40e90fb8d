// A high quantile of times, of late: a histogram whose counts are halved when there are enough of them, so
// that old times fade. Bounded, and right to a tenth of the value.

/** Each class of times is a tenth wider than the one before. */
const GROWTH = 1.1
/** 1.1 ^ 140 ms is ten minutes: what takes longer counts as that. */
const CLASSES = 140
/** With this many, halve all counts: a change of the times is seen within a few hundred calls. */
const COUNT_MAX = 512
/** Fewer say nothing about a tail. */
const COUNT_MIN = 20

const LOG_GROWTH = Math.log(GROWTH)

export class LatencyQuantile {
  readonly #counts = new Float64Array(CLASSES)
  readonly #share: number
  #total = 0
  #known: number | null = null
  #isStale = false

  /** `share`: 0.95 for the time that 95 of 100 stay below. */
  constructor(share: number) {
    this.#share = share
  }

  /** A time in ms. One that was cut short counts as what it had come to. */
  add(ms: number): void {
    if (!Number.isFinite(ms)) return
    const index = ms <= 1 ? 0 : Math.min(CLASSES - 1, Math.ceil(Math.log(ms) / LOG_GROWTH))
    this.#counts[index] = (this.#counts[index] ?? 0) + 1
    this.#total += 1
    if (this.#total >= COUNT_MAX) this.#halve()
    this.#isStale = true
  }

  /** The upper end of its class, whole ms; null: too little is known. */
  value(): number | null {
    if (this.#isStale) {
      this.#known = this.#total < COUNT_MIN ? null : this.#read()
      this.#isStale = false
    }
    return this.#known
  }

  #read(): number {
    const above = this.#total * (1 - this.#share)
    let seen = 0
    for (let index = CLASSES - 1; index > 0; index--) {
      seen += this.#counts[index] ?? 0
      if (seen > above) return Math.ceil(GROWTH ** index)
    }
    return 1
  }

  #halve(): void {
    this.#total = 0
    for (let index = 0; index < CLASSES; index++) {
      const count = (this.#counts[index] ?? 0) / 2
      this.#counts[index] = count
      this.#total += count
    }
  }
}
