// Flags of `npm run bench`.

import { parseArgs } from 'node:util'

export interface BenchOptions {
  readonly rounds: number
  readonly jsonRequests: number
  readonly streams: number
  /** Parts of variant names; empty = all. */
  readonly only: readonly string[]
  /** Requests of the soak, or null. */
  readonly soak: number | null
  readonly parallel: boolean
  readonly start: boolean
}

export const USAGE = `npm run bench -- [flags]
  --quick            5 rounds of 4,000 requests and 400 streams (default: 9 of 20,000 and 2,000)
  --only NAMES       variants whose name contains one of NAMES, comma-separated, with their baselines
  --soak N           N requests through Spillway: memory before, after and on the way
  --parallel         1,000 parallel calls on one task with room for 37: exactly 37 are served
  --start            time from the command to the first answer
With --soak, --parallel or --start only these run. Results: bench/results/*.json
Exit status: 0 every target met, 1 missed or inconclusive, 2 wrong usage.`

export type ParsedOptions =
  | { readonly kind: 'ok'; readonly options: BenchOptions }
  | { readonly kind: 'invalid'; readonly message: string }

const FLAGS = {
  quick: { type: 'boolean', default: false },
  only: { type: 'string', default: '' },
  soak: { type: 'string' },
  parallel: { type: 'boolean', default: false },
  start: { type: 'boolean', default: false },
} as const

export function parseOptions(commandArguments: readonly string[]): ParsedOptions {
  try {
    const { values } = parseArgs({ args: [...commandArguments], options: FLAGS, strict: true })
    const soak = values.soak === undefined ? null : Number(values.soak)
    if (soak !== null && !(Number.isInteger(soak) && soak >= 1_000)) {
      return { kind: 'invalid', message: '--soak takes a whole number of requests, at least 1000' }
    }
    const { quick, parallel, start } = values
    const size = quick
      ? { rounds: 5, jsonRequests: 4_000, streams: 400 }
      : { rounds: 9, jsonRequests: 20_000, streams: 2_000 }
    const only = values.only.split(',').filter((name) => name !== '')
    return { kind: 'ok', options: { ...size, only, soak, parallel, start } }
  } catch (error) {
    return { kind: 'invalid', message: error instanceof Error ? error.message : String(error) }
  }
}
