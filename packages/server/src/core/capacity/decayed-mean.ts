// A mean in which what came before counts less with everything that comes.

export interface MeanTerms {
  /** Weight of the newest, 0..1. The first ones weigh as in a plain mean. */
  readonly newest: number
  /** Values before the mean is believed. */
  readonly countMin: number
}

export class DecayedMean {
  readonly #terms: MeanTerms
  #mean = 0
  #count = 0

  constructor(terms: MeanTerms) {
    this.#terms = terms
  }

  add(value: number): void {
    this.#count += 1
    this.#mean += (value - this.#mean) * Math.max(this.#terms.newest, 1 / this.#count)
  }

  /** null: too little was seen. */
  value(): number | null {
    return this.#count < this.#terms.countMin ? null : this.#mean
  }
}
