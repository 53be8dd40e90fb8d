// Quantiles of what came lately, of any size, in a fixed number of buckets that grow by a fixed factor: the
// answer is right within half a bucket, about 9 %.

/** Buckets per doubling. */
const PER_DOUBLING = 4

/** 0 up to 2^24: milliseconds up to 4.6 hours, tokens up to 16 million. */
const BUCKETS = 24 * PER_DOUBLING

/** What came counts half after this many later ones. */
const HALF_LIFE = 500

/** Weights grow instead of all buckets shrinking; beyond this they are scaled back. */
const WEIGHT_MAX = 2 ** 40

/** Values seen before their percentiles are some. */
const PERCENTILE_COUNT_MIN = 20

const GROWTH = 2 ** (1 / HALF_LIFE)

export class DecayingHistogram {
  readonly #buckets = new Float64Array(BUCKETS)
  #count = 0
  #total = 0
  #weight = 1

  /** How many were ever added. */
  get count(): number {
    return this.#count
  }

  /** value >= 0; what is not a finite number is left out. */
  add(value: number): void {
    if (!Number.isFinite(value) || value < 0) return
    const bucket = Math.min(BUCKETS - 1, Math.floor(Math.log2(value + 1) * PER_DOUBLING))
    this.#buckets[bucket] = (this.#buckets[bucket] ?? 0) + this.#weight
    this.#count += 1
    this.#total += this.#weight
    this.#weight *= GROWTH
    if (this.#weight > WEIGHT_MAX) this.#rescale()
  }

  /** share 0..1, such as 0.95; null with nothing seen. */
  quantile(share: number): number | null {
    if (this.#count === 0) return null
    let left = this.#total * Math.min(1, Math.max(0, share))
    for (let bucket = 0; bucket < BUCKETS; bucket++) {
      const weight = this.#buckets[bucket] ?? 0
      left -= weight
      if (weight > 0 && left <= this.#total * 1e-9) return valueOf(bucket)
    }
    return valueOf(BUCKETS - 1)
  }

  /** As `quantile`; null where fewer than 20 were seen, which say nothing about a tail. */
  percentile(share: number): number | null {
    return this.#count < PERCENTILE_COUNT_MIN ? null : this.quantile(share)
  }

  #rescale(): void {
    for (let bucket = 0; bucket < BUCKETS; bucket++) {
      this.#buckets[bucket] = (this.#buckets[bucket] ?? 0) / this.#weight
    }
    this.#total /= this.#weight
    this.#weight = 1
  }
}

/** The middle of a bucket. */
function valueOf(bucket: number): number {
  return 2 ** ((bucket + 0.5) / PER_DOUBLING) - 1
}
