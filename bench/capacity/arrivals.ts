// When requests come and how long they are: at random (Poisson), or as recorded in a trace of real traffic,
// stretched to the rate that is wanted. Open loop: nobody waits for an answer before the next one comes.

import { type Randomness, exponential, skewed } from './randomness.js'

/** As in contracts: the last goes first when there is too much. */
export type Criticality = 'critical' | 'sheddable_plus' | 'sheddable'

export interface Arrival {
  /** Since the start, ms. */
  readonly atMs: number
  readonly promptTokens: number
  readonly outputTokens: number
  readonly tenant: string
  readonly criticality: Criticality
  readonly stream: boolean
}

export interface Mix {
  readonly tenant: string
  /** Mean lengths, tokens. */
  readonly promptTokens: number
  readonly outputTokens: number
  /** Shares 0..1; what is left is `sheddable`. */
  readonly critical: number
  readonly sheddablePlus: number
  /** Share of streamed answers. */
  readonly streamed: number
}

export interface Rate {
  readonly perSecond: number
  readonly fromMs: number
  readonly toMs: number
}

/** What the requests of the scenarios are unless they say otherwise. */
export const MIX: Mix = {
  tenant: 'acme',
  promptTokens: 300,
  outputTokens: 30,
  critical: 0.25,
  sheddablePlus: 0.4,
  streamed: 0.8,
}

function criticalityOf(mix: Mix, random: Randomness): Criticality {
  const draw = random.next()
  if (draw < mix.critical) return 'critical'
  return draw < mix.critical + mix.sheddablePlus ? 'sheddable_plus' : 'sheddable'
}

function dressed(mix: Mix, random: Randomness): Pick<Arrival, 'tenant' | 'criticality' | 'stream'> {
  return { tenant: mix.tenant, criticality: criticalityOf(mix, random), stream: random.next() < mix.streamed }
}

export function poisson(rate: Rate, mix: Mix, random: Randomness): readonly Arrival[] {
  const arrivals: Arrival[] = []
  let atMs = rate.fromMs
  for (;;) {
    atMs += exponential(random, 1_000 / rate.perSecond)
    if (atMs >= rate.toMs) return arrivals
    const promptTokens = skewed(random, mix.promptTokens)
    const outputTokens = skewed(random, mix.outputTokens)
    arrivals.push({ atMs, promptTokens, outputTokens, ...dressed(mix, random) })
  }
}

export interface TraceRow {
  readonly atMs: number
  readonly inputTokens: number
  readonly outputTokens: number
}

/** Rows of `arrival_ms,input_tokens,output_tokens` under a header, in order of time. */
export function parseTrace(text: string): readonly TraceRow[] {
  const rows = text
    .split('\n')
    .slice(1)
    .filter((line) => line !== '')
    .map((line) => line.split(',').map(Number))
  return rows.map(([atMs = Number.NaN, inputTokens = Number.NaN, outputTokens = Number.NaN], index) => {
    if (![atMs, inputTokens, outputTokens].every(Number.isFinite)) {
      throw new Error(`line ${index + 2} of the trace: three numbers expected`)
    }
    return { atMs, inputTokens, outputTokens }
  })
}

/** Longest answer and prompt of a trace, as multiples of the mean: beyond it is not this bench's question. */
export const LONGEST = 4

export interface Replay {
  readonly rate: Rate
  readonly mix: Mix
  /** What comes from then on, ms since the start, is compared with other rates. */
  readonly judgedFromMs: number
}

/**
 * As many rows as the rate needs, from the middle of the trace, stretched to the time that is wanted: bursts
 * and lulls stay. Lengths are scaled so that those of what is judged have the means of the mix: good answers
 * a second could not be compared between rates whose answers are longer here than there.
 */
export function replayed(
  trace: readonly TraceRow[],
  { rate, mix, judgedFromMs }: Replay,
  random: Randomness,
): readonly Arrival[] {
  const count = Math.round((rate.perSecond * (rate.toMs - rate.fromMs)) / 1_000)
  if (count > trace.length - 1) throw new Error(`the trace has ${trace.length} rows, ${count + 1} are needed`)
  const first = Math.floor((trace.length - count - 1) / 2)
  const rows = trace.slice(first, first + count)
  const startMs = rows[0]?.atMs ?? 0
  const spanMs = (trace[first + count]?.atMs ?? startMs) - startMs
  const atMs = (row: TraceRow): number =>
    rate.fromMs + ((row.atMs - startMs) / spanMs) * (rate.toMs - rate.fromMs)
  const judged = rows.filter((row) => atMs(row) >= judgedFromMs)
  const mean = (pick: (row: TraceRow) => number): number =>
    judged.reduce((sum, row) => sum + pick(row), 0) / judged.length
  const scaled = (tokens: number, from: number, wanted: number): number =>
    Math.min(LONGEST * wanted, Math.max(1, Math.round((tokens * wanted) / from)))
  const [inputMean, outputMean] = [mean((row) => row.inputTokens), mean((row) => row.outputTokens)]
  return rows.map((row) => ({
    atMs: atMs(row),
    promptTokens: scaled(row.inputTokens, inputMean, mix.promptTokens),
    outputTokens: scaled(row.outputTokens, outputMean, mix.outputTokens),
    ...dressed(mix, random),
  }))
}

export function inOrder(...lists: readonly (readonly Arrival[])[]): readonly Arrival[] {
  return lists.flat().toSorted((one, other) => one.atMs - other.atMs)
}
