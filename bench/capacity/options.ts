// Flags of `npm run bench:capacity`.

import { parseArgs } from 'node:util'

export const SCENARIOS = ['overload', 'fairness', 'brown-out', 'stage-cost', 'affinity'] as const
export type ScenarioName = (typeof SCENARIOS)[number]

export interface CapacityOptions {
  readonly scenarios: readonly ScenarioName[]
  readonly seconds: number
  readonly trace: string | null
  readonly conversations: string | null
  /** `main.js` of another build of Spillway. */
  readonly beside: string | null
  readonly alone: boolean
  readonly concurrency: number | null
}

const SECONDS_DEFAULT = 60
const SECONDS_QUICK = 20
const SECONDS_LEAST = 10

export const USAGE = `npm run bench:capacity -- [scenario...] [flags]
scenarios: ${SCENARIOS.join(', ')}; all by default
  --seconds N      of one load level (default ${SECONDS_DEFAULT}, at least ${SECONDS_LEAST})
  --quick          ${SECONDS_QUICK} seconds each
  --trace FILE     arrivals and lengths of real traffic beside Poisson: lines of
                   arrival_ms,input_tokens,output_tokens under a header
  --conversations FILE   a trace of conversations, for affinity
  --beside FILE    the CLI's main.js of another build, run with the same load
  --alone          Spillway only, nothing beside it
  --concurrency N  calls at a time per deployment, configured by hand instead of found out
Files by default: $SPILLWAY_BENCH_TRACE and $SPILLWAY_BENCH_MOONCAKE. Results: bench/results/capacity-*.json
Exit status: 0 every target met, 1 missed, 2 wrong usage.`

export type ParsedCapacityOptions =
  | { readonly kind: 'ok'; readonly options: CapacityOptions }
  | { readonly kind: 'invalid'; readonly message: string }

const FLAGS = {
  seconds: { type: 'string' },
  quick: { type: 'boolean', default: false },
  trace: { type: 'string' },
  conversations: { type: 'string' },
  beside: { type: 'string' },
  alone: { type: 'boolean', default: false },
  concurrency: { type: 'string' },
} as const

export function parseCapacityOptions(
  commandArguments: readonly string[],
  environment: Readonly<Record<string, string | undefined>>,
): ParsedCapacityOptions {
  try {
    const parsed = parseArgs({ args: [...commandArguments], options: FLAGS, allowPositionals: true })
    const { values, positionals } = parsed
    const unknown = positionals.find((name) => !SCENARIOS.some((known) => known === name))
    if (unknown !== undefined) return { kind: 'invalid', message: `no scenario is called ${unknown}` }
    const seconds = Number(values.seconds ?? (values.quick ? SECONDS_QUICK : SECONDS_DEFAULT))
    if (!Number.isInteger(seconds) || seconds < SECONDS_LEAST) {
      return { kind: 'invalid', message: `--seconds takes a whole number, at least ${SECONDS_LEAST}` }
    }
    const concurrency = values.concurrency === undefined ? null : Number(values.concurrency)
    if (concurrency !== null && !(Number.isInteger(concurrency) && concurrency > 0)) {
      return { kind: 'invalid', message: '--concurrency takes a whole number above 0' }
    }
    const chosen = SCENARIOS.filter((name) => positionals.length === 0 || positionals.includes(name))
    const { beside = null, alone } = values
    const trace = values.trace ?? environment['SPILLWAY_BENCH_TRACE'] ?? null
    const conversations = values.conversations ?? environment['SPILLWAY_BENCH_MOONCAKE'] ?? null
    const files = { trace, conversations, beside }
    return { kind: 'ok', options: { scenarios: chosen, seconds, ...files, alone, concurrency } }
  } catch (error) {
    return { kind: 'invalid', message: error instanceof Error ? error.message : String(error) }
  }
}
