// When a measurement may conclude. Rounds are paired: in each, every variant runs once, so a ratio within a
// round cancels what the machine did to all of them. The verdict is about the median of these ratios.

export interface Interval {
  readonly median: number
  /**
   * Bounds that hold the true median with at least `coverage`, from order statistics: no assumption about
   * shape.
   */
  readonly low: number
  readonly high: number
  readonly coverage: number
  readonly min: number
  readonly max: number
}

export type Verdict = 'pass' | 'fail' | 'inconclusive'

const COVERAGE_WANTED = 0.93
const COVERAGE_LEAST = 0.9
/**
 * Middle half of the baseline's rounds, as a share of their median. Above it the machine is too busy to
 * measure.
 */
export const BASELINE_SPREAD_MAX = 0.15

function quantile(sorted: readonly number[], share: number): number {
  const position = share * (sorted.length - 1)
  const below = sorted[Math.floor(position)] ?? Number.NaN
  const above = sorted[Math.ceil(position)] ?? Number.NaN
  return below + (above - below) * (position - Math.floor(position))
}

const ascending = (values: readonly number[]): readonly number[] =>
  values.toSorted((one, other) => one - other)

export function median(values: readonly number[]): number {
  return quantile(ascending(values), 0.5)
}

/** Share of samples whose k-th smallest and k-th largest of n values enclose the median. */
function coverageOf(n: number, k: number): number {
  let outside = 0
  let term = 0.5 ** n
  for (let index = 0; index < k; index += 1) {
    outside += 2 * term
    term *= (n - index) / (index + 1)
  }
  return 1 - outside
}

export function intervalOf(values: readonly number[]): Interval {
  const sorted = ascending(values)
  let k = 1
  while (k < sorted.length / 2 && coverageOf(sorted.length, k + 1) >= COVERAGE_WANTED) k += 1
  return {
    median: quantile(sorted, 0.5),
    low: sorted[k - 1] ?? Number.NaN,
    high: sorted[sorted.length - k] ?? Number.NaN,
    coverage: coverageOf(sorted.length, k),
    min: sorted[0] ?? Number.NaN,
    max: sorted.at(-1) ?? Number.NaN,
  }
}

/** Middle half of the values over their median: one disturbed round does not move it. */
export function spreadOf(values: readonly number[]): number {
  const sorted = ascending(values)
  return (quantile(sorted, 0.75) - quantile(sorted, 0.25)) / quantile(sorted, 0.5)
}

/** Pass or fail only when the whole interval is on one side of the target and the baseline was calm. */
export function judgeRatio(ratio: Interval, target: number, baselineSpread: number): Verdict {
  if (baselineSpread > BASELINE_SPREAD_MAX || ratio.coverage < COVERAGE_LEAST) return 'inconclusive'
  if (ratio.high <= target) return 'pass'
  return ratio.low > target ? 'fail' : 'inconclusive'
}
