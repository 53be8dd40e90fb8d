// A straight line through points that keep coming: y = intercept + slope * x by least squares, where old
// points count less with every new one. It says nothing where it has seen nothing. Five sums, for ever.

/** A point counts 1/e of itself after about this many later ones. */
const MEMORY_POINTS = 200

/** Total weight below which there is no line yet. */
const WEIGHT_MIN = 3

/** Seen values of x that differ by less than this share of their mean tell nothing about the slope. */
const SPREAD_MIN = 0.1

/** How far beyond what was seen a line without a known slope still speaks, as a factor. */
const REACH = 2

const KEEP = Math.exp(-1 / MEMORY_POINTS)

export class LineFit {
  #weight = 0
  #x = 0
  #y = 0
  #xx = 0
  #xy = 0

  /** x and y >= 0; what is not a finite number is left out. `weight` 0..1: how much it counts. */
  add(x: number, y: number, weight: number): void {
    if (!Number.isFinite(x) || !Number.isFinite(y) || x < 0 || y < 0 || !(weight > 0)) return
    // A point of little weight pushes out as little of what is known.
    const keep = weight >= 1 ? KEEP : 1 - (1 - KEEP) * weight
    this.#weight = this.#weight * keep + weight
    this.#x = this.#x * keep + weight * x
    this.#y = this.#y * keep + weight * y
    this.#xx = this.#xx * keep + weight * x * x
    this.#xy = this.#xy * keep + weight * x * y
  }

  /** y at x, >= 0; null where nothing is known. */
  at(x: number): number | null {
    if (this.#weight < WEIGHT_MIN) return null
    const meanX = this.#x / this.#weight
    const meanY = this.#y / this.#weight
    const slope = this.#slope()
    if (slope !== null) return Math.max(0, meanY + slope * (x - meanX))
    const isNear = x <= meanX * REACH && x >= meanX / REACH
    return isNear ? meanY : null
  }

  /** Growth of y per x, never below 0: more work never takes less time. null: x hardly varied. */
  slope(): number | null {
    return this.#weight < WEIGHT_MIN ? null : this.#slope()
  }

  #slope(): number | null {
    const meanX = this.#x / this.#weight
    const variance = this.#xx / this.#weight - meanX * meanX
    if (variance <= (SPREAD_MIN * meanX) ** 2) return null
    const slope = (this.#xy / this.#weight - meanX * (this.#y / this.#weight)) / variance
    // A line that begins below 0 would say that small work takes no time: through the origin then.
    return Math.min(Math.max(0, slope), meanX > 0 ? this.#y / this.#weight / meanX : Infinity)
  }
}
