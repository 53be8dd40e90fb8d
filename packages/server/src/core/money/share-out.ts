// A sum of money divided by weights, to the last nano-dollar.

/**
 * Whole nano-dollars in proportion to `weights` (none negative), in their order; they add up to `nanoUsd`
 * exactly. All zero where nothing weighs anything.
 */
export function shareOut(nanoUsd: number, weights: readonly number[]): readonly number[] {
  const total = weights.reduce((sum, weight) => sum + weight, 0)
  if (total === 0) return weights.map(() => 0)
  // Each gets what the sum up to it, rounded, exceeds the sum before it by: rounding never piles up.
  let weighed = 0
  let given = 0
  return weights.map((weight) => {
    weighed += weight
    const upToHere = Math.round(nanoUsd * (weighed / total))
    const share = upToHere - given
    given = upToHere
    return share
  })
}
