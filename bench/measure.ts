// One measurement: a load, and what the gateway used while it ran.

import type { LoadResult } from './load-generator.js'
import type { Load } from './load.js'
import { type CpuTime, cpuTicksMs, cpuTime, rssBytes } from './processes.js'
import type { Variant } from './variants.js'

export interface Sample {
  readonly variant: string
  readonly round: number
  /** CPU of the gateway per request over all its threads, microseconds. null without a gateway. */
  readonly cpuUs: number | null
  /** Of it, the thread of the event loop. */
  readonly mainThreadUs: number | null
  /** The same as `cpuUs` from clock ticks of 10 ms, as a check. */
  readonly cpuUsByTicks: number | null
  readonly requestsPerSecond: number
  readonly latencyMs: { readonly p50: number; readonly p99: number; readonly max: number }
  readonly firstByteMs: { readonly p50: number; readonly p99: number }
  readonly rssBytes: number | null
}

const NO_TIME: CpuTime = { all: 0, main: 0 }

const RESTING_NS = 2_000_000

/**
 * Work the gateway still owes after its last answer (books, exports) belongs to the requests: wait until it
 * rests.
 */
async function rest(pid: number | undefined): Promise<void> {
  if (pid === undefined) return
  for (let checks = 0; checks < 40; checks += 1) {
    const before = cpuTime(pid).all
    await new Promise((resolve) => setTimeout(resolve, 100))
    if (cpuTime(pid).all - before < RESTING_NS) return
  }
}

function checkStatuses(variant: Variant, { statuses, samples }: LoadResult): void {
  const expected = statuses[variant.expectStatus] ?? 0
  if (expected === variant.job.requests) return
  const seen = JSON.stringify({ statuses, samples })
  throw new Error(`${variant.name}: ${expected} of ${variant.job.requests} as expected; ${seen}`)
}

export async function measure(load: Load, variant: Variant, round: number): Promise<Sample> {
  const pid = variant.gateway?.pid
  const before = pid === undefined ? NO_TIME : cpuTime(pid)
  const ticksBefore = pid === undefined ? 0 : cpuTicksMs(pid)
  const result = await load.run(variant.job)
  await rest(pid)
  checkStatuses(variant, result)
  const latency = { latencyMs: result.latencyMs, firstByteMs: result.firstByteMs }
  const requestsPerSecond = (result.requests / result.durationMs) * 1_000
  const base = { variant: variant.name, round, requestsPerSecond, ...latency }
  if (pid === undefined)
    return { ...base, cpuUs: null, mainThreadUs: null, cpuUsByTicks: null, rssBytes: null }
  const after = cpuTime(pid)
  const perRequest = (nanoseconds: number): number => nanoseconds / result.requests / 1_000
  return {
    ...base,
    cpuUs: perRequest(after.all - before.all),
    mainThreadUs: perRequest(after.main - before.main),
    cpuUsByTicks: ((cpuTicksMs(pid) - ticksBefore) / result.requests) * 1_000,
    rssBytes: rssBytes(pid),
  }
}
