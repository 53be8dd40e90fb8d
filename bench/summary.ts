// From samples to a table and a verdict.

import type { Sample } from './measure.js'
import {
  BASELINE_SPREAD_MAX,
  type Interval,
  type Verdict,
  intervalOf,
  judgeRatio,
  median,
  spreadOf,
} from './statistics.js'
import type { Variant } from './variants.js'

export interface Line {
  readonly variant: string
  readonly what: string
  readonly cpuUs: Interval | null
  readonly mainThreadUs: number | null
  readonly requestsPerSecond: number
  readonly p50Ms: number
  readonly p99Ms: number
  readonly firstByteP50Ms: number
  readonly rssMb: number | null
}

export interface Comparison {
  readonly variant: string
  readonly to: string
  readonly ratio: Interval
  readonly atMost: number
  /** Of what it is compared with: the middle half of the rounds over their median. */
  readonly baselineSpread: number
  readonly verdict: Verdict
}

export interface Summary {
  readonly lines: readonly Line[]
  readonly comparisons: readonly Comparison[]
  readonly verdict: Verdict
}

const numbers = (values: readonly (number | null)[]): readonly number[] =>
  values.filter((value) => value !== null)

function lineOf(variant: Variant, samples: readonly Sample[]): Line {
  const own = samples.filter((sample) => sample.variant === variant.name)
  const of = (pick: (sample: Sample) => number): number => median(own.map(pick))
  const cpu = numbers(own.map((sample) => sample.cpuUs))
  const main = numbers(own.map((sample) => sample.mainThreadUs))
  const rss = numbers(own.map((sample) => sample.rssBytes))
  return {
    variant: variant.name,
    what: variant.what,
    cpuUs: cpu.length === 0 ? null : intervalOf(cpu),
    mainThreadUs: main.length === 0 ? null : median(main),
    requestsPerSecond: of((sample) => sample.requestsPerSecond),
    p50Ms: of((sample) => sample.latencyMs.p50),
    p99Ms: of((sample) => sample.latencyMs.p99),
    firstByteP50Ms: of((sample) => sample.firstByteMs.p50),
    rssMb: rss.length === 0 ? null : Math.max(...rss) / 1024 / 1024,
  }
}

function cpuByRound(samples: readonly Sample[], variant: string): ReadonlyMap<number, number> {
  const own = samples.filter((sample) => sample.variant === variant)
  return new Map(own.flatMap(({ round, cpuUs }) => (cpuUs === null ? [] : [[round, cpuUs] as const])))
}

function compare(variant: Variant, samples: readonly Sample[]): readonly Comparison[] {
  if (variant.compare === null) return []
  const { to, atMost } = variant.compare
  const baseline = cpuByRound(samples, to)
  const ratios = [...cpuByRound(samples, variant.name)].flatMap(([round, cpuUs]) => {
    const base = baseline.get(round)
    return base === undefined ? [] : [cpuUs / base]
  })
  if (ratios.length === 0) return []
  const ratio = intervalOf(ratios)
  const baselineSpread = spreadOf([...baseline.values()])
  return [
    {
      variant: variant.name,
      to,
      ratio,
      atMost,
      baselineSpread,
      verdict: judgeRatio(ratio, atMost, baselineSpread),
    },
  ]
}

/** A run that compared nothing still says whether the machine was calm enough to be trusted. */
function calm(lines: readonly Line[], samples: readonly Sample[]): Verdict {
  const noisy = lines.some(({ variant }) => {
    const cpu = [...cpuByRound(samples, variant).values()]
    return cpu.length > 0 && spreadOf(cpu) > BASELINE_SPREAD_MAX
  })
  return noisy ? 'inconclusive' : 'pass'
}

export function summarise(variants: readonly Variant[], samples: readonly Sample[]): Summary {
  const lines = variants.map((variant) => lineOf(variant, samples))
  const comparisons = variants.flatMap((variant) => compare(variant, samples))
  const verdicts =
    comparisons.length === 0 ? [calm(lines, samples)] : comparisons.map(({ verdict }) => verdict)
  const verdict = verdicts.includes('fail')
    ? 'fail'
    : verdicts.includes('inconclusive')
      ? 'inconclusive'
      : 'pass'
  return { lines, comparisons, verdict }
}

const fixed = (value: number | null, digits: number): string => (value === null ? '-' : value.toFixed(digits))

function table(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) =>
    Math.max(...rows.map((row) => (row[column] ?? '').length)),
  )
  const render = (row: readonly string[]): string =>
    row
      .map((cell, column) =>
        column < 2 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0),
      )
      .join('  ')
  return rows.map(render).join('\n')
}

export function renderSummary({ lines, comparisons, verdict }: Summary): string {
  const measured = table([
    [
      'variant',
      'what',
      'CPU us/req',
      'min..max',
      'main us',
      'req/s',
      'p50 ms',
      'p99 ms',
      'first ms',
      'RSS MB',
    ],
    ...lines.map((line) => [
      line.variant,
      line.what,
      fixed(line.cpuUs?.median ?? null, 1),
      line.cpuUs === null ? '-' : `${fixed(line.cpuUs.min, 1)}..${fixed(line.cpuUs.max, 1)}`,
      fixed(line.mainThreadUs, 1),
      fixed(line.requestsPerSecond, 0),
      fixed(line.p50Ms, 2),
      fixed(line.p99Ms, 2),
      fixed(line.firstByteP50Ms, 2),
      fixed(line.rssMb, 0),
    ]),
  ])
  const compared = table([
    ['variant', 'compared with', 'ratio', 'interval', 'min..max', 'at most', 'noise', 'verdict'],
    ...comparisons.map(({ variant, to, ratio, atMost, baselineSpread, verdict: own }) => [
      variant,
      to,
      fixed(ratio.median, 3),
      `${fixed(ratio.low, 3)}..${fixed(ratio.high, 3)}`,
      `${fixed(ratio.min, 3)}..${fixed(ratio.max, 3)}`,
      fixed(atMost, 2),
      `${fixed(baselineSpread * 100, 1)} %`,
      own,
    ]),
  ])
  const parts = comparisons.length === 0 ? [measured] : [measured, compared]
  return `${parts.join('\n\n')}\n\nverdict: ${verdict}`
}
