// The simulated provider, seen from the bench: its deployments, its knobs and what it computed.

import { fileURLToPath } from 'node:url'
import { type Started, startProcess } from '../processes.js'
import type { BatchingOptions } from './batching-model.js'

export interface Knobs {
  /** Which one; null = all. */
  readonly deployment: number | null
  /** How much slower than normal. */
  readonly slowDown?: number
  readonly vanished?: boolean
  /** Forget all work and hang up. */
  readonly drop?: true
}

export interface UpstreamStats {
  readonly requests: number
  /** Of them, those the caller left before the end. */
  readonly aborted: number
  readonly running: number
  readonly waiting: number
  /** Computed, those of aborted requests included. */
  readonly promptTokens: number
  readonly cachedTokens: number
  readonly outputTokens: number
  /** A step came this late at most, ms, since the last `drop`. */
  readonly lateMsMax: number
}

export interface Upstream extends AsyncDisposable {
  /** One origin per deployment. */
  readonly urls: readonly string[]
  turn(knobs: Knobs): Promise<void>
  stats(): Promise<readonly UpstreamStats[]>
}

export async function startUpstream(options: {
  readonly cores: string
  readonly deployments: number
  readonly model: BatchingOptions
}): Promise<Upstream> {
  const script = fileURLToPath(new URL('upstream.js', import.meta.url))
  const { cores, deployments, model } = options
  const scriptArguments = [JSON.stringify({ deployments, model })]
  const started: Started = await startProcess({ cores, script, scriptArguments })
  const prefix = 'deployment on '
  const urls = started.lines
    .filter((line) => line.startsWith(prefix))
    .map((line) => line.slice(prefix.length))
  return {
    urls,
    async turn(knobs) {
      await fetch(started.url, { method: 'POST', body: JSON.stringify(knobs) })
    },
    async stats() {
      return (await (await fetch(started.url)).json()) as readonly UpstreamStats[]
    },
    [Symbol.asyncDispose]: () => started.stop(),
  }
}

/** Sums over all deployments, from one look to a later one. */
export function usedBetween(
  before: readonly UpstreamStats[],
  after: readonly UpstreamStats[],
): { readonly requests: number; readonly tokens: number } {
  const sum = (stats: readonly UpstreamStats[], pick: (each: UpstreamStats) => number): number =>
    stats.reduce((total, each) => total + pick(each), 0)
  const difference = (pick: (each: UpstreamStats) => number): number => sum(after, pick) - sum(before, pick)
  const tokens = difference(({ promptTokens, outputTokens }) => promptTokens + outputTokens)
  return { requests: difference(({ requests }) => requests), tokens }
}
