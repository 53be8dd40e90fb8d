// Counters and histograms whose hot path is a few additions. prom-client hashes the label set on every
// observation; here the caller keeps the cell of its label set and prom-client's registry only renders, when
// somebody scrapes.

import type { Metric, Registry } from 'prom-client'

/** Label sets of one family; more are summed under `other`, so that no caller can grow the process. */
export const LABEL_SETS_MAX = 2_000
const OVERFLOW = 'other'

export interface FamilyConfig {
  readonly name: string
  readonly help: string
  readonly labels: readonly string[]
}

type Labels = Readonly<Record<string, string>>

interface Sample {
  readonly metricName: string
  readonly labels: Labels & { readonly le?: number | string }
  readonly value: number
}

/** What prom-client's registry asks of a metric when it renders. */
interface Renderable {
  readonly name: string
  readonly help: string
  readonly type: 'counter' | 'histogram'
  get(): Promise<unknown>
}

export interface Family<Cell> {
  /**
   * The cell of these label values, in the order of the configuration. Keep it: finding it costs more than
   * using it.
   */
  cell(...values: readonly string[]): Cell
}

/** A running total. */
export interface CounterCell {
  value: number
}

/**
 * `divisor` divides what is shown: cells count whole nano-dollars, and `divisor: 1e9` shows dollars, exactly.
 */
export function counterFamily(
  registry: Registry,
  config: FamilyConfig & { readonly divisor?: number },
): Family<CounterCell> {
  const { name, divisor = 1 } = config
  const cells = createCells(config, () => ({ value: 0 }))
  const samples = (): Sample[] =>
    cells.all().map(([labels, cell]) => ({ metricName: name, labels, value: cell.value / divisor }))
  register(registry, { ...config, type: 'counter', samples })
  return cells
}

export class HistogramCell {
  /** Not cumulative; the last one counts what is above every bound. */
  readonly counts: number[]
  sum = 0
  count = 0
  readonly #bounds: readonly number[]

  constructor(bounds: readonly number[]) {
    this.#bounds = bounds
    this.counts = Array.from({ length: bounds.length + 1 }, () => 0)
  }

  observe(value: number): void {
    const bounds = this.#bounds
    let index = 0
    while (index < bounds.length && value > (bounds[index] ?? Infinity)) index += 1
    this.counts[index] = (this.counts[index] ?? 0) + 1
    this.sum += value
    this.count += 1
  }
}

export function histogramFamily(
  registry: Registry,
  config: FamilyConfig & { readonly bounds: readonly number[] },
): Family<HistogramCell> {
  const { name, bounds } = config
  const cells = createCells(config, () => new HistogramCell(bounds))
  const samples = (): Sample[] =>
    cells.all().flatMap(([labels, cell]) => histogramSamples(labels, cell, { name, bounds }))
  register(registry, { ...config, type: 'histogram', samples })
  return cells
}

function histogramSamples(
  labels: Labels,
  cell: HistogramCell,
  { name, bounds }: { readonly name: string; readonly bounds: readonly number[] },
): Sample[] {
  let below = 0
  const buckets = [...bounds, '+Inf'].map((le, index) => {
    below += cell.counts[index] ?? 0
    return { metricName: `${name}_bucket`, labels: { ...labels, le } as Sample['labels'], value: below }
  })
  const sum = { metricName: `${name}_sum`, labels, value: cell.sum }
  return [...buckets, sum, { metricName: `${name}_count`, labels, value: cell.count }]
}

function createCells<Cell>(config: FamilyConfig, create: () => Cell) {
  const cells = new Map<string, [Labels, Cell]>()
  const make = (values: readonly string[]): Cell => {
    // A label value cannot hold a NUL that matters: names come from the configuration.
    const key = values.join('\u0000')
    const found = cells.get(key)
    if (found !== undefined) return found[1]
    if (cells.size >= LABEL_SETS_MAX && values.some((value) => value !== OVERFLOW)) {
      return make(config.labels.map(() => OVERFLOW))
    }
    const labels = Object.fromEntries(config.labels.map((label, index) => [label, values[index] ?? '']))
    const cell = create()
    cells.set(key, [labels, cell])
    return cell
  }
  return { cell: (...values: readonly string[]) => make(values), all: () => [...cells.values()] }
}

function register(
  registry: Registry,
  family: FamilyConfig & { readonly type: Renderable['type']; readonly samples: () => readonly Sample[] },
): void {
  const { name, help, type } = family
  const metric: Renderable = {
    name,
    help,
    type,
    get: async () => ({ name, help, type, values: family.samples() }),
  }
  // The registry needs no more than `Renderable`; its types ask for one of prom-client's own classes.
  registry.registerMetric(metric as unknown as Metric)
}
