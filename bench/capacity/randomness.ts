// Random numbers with a seed: two runs, and two systems side by side, get the same load.

export interface Randomness {
  /** 0 <= x < 1. */
  next(): number
}

export function seeded(seed: number): Randomness {
  let state = seed >>> 0
  return {
    next() {
      // mulberry32
      state = (state + 0x6d2b79f5) >>> 0
      let mixed = Math.imul(state ^ (state >>> 15), state | 1)
      mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
      return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
    },
  }
}

/** A pause between arrivals that know nothing of each other. */
export function exponential(random: Randomness, mean: number): number {
  return -Math.log(1 - random.next()) * mean
}

/** Lengths as they are: many short, few long. Mean `mean`, within a quarter and four times of it. */
export function skewed(random: Randomness, mean: number): number {
  const sigma = 0.6
  const angle = 2 * Math.PI * random.next()
  const normal = Math.sqrt(-2 * Math.log(1 - random.next())) * Math.cos(angle)
  const value = mean * Math.exp(sigma * normal - (sigma * sigma) / 2)
  return Math.round(Math.min(4 * mean, Math.max(mean / 4, value)))
}
