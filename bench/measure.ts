// One measurement: a load, and what the gateway used while it ran.

import type { Load } from './load.js'
import { cpuNanoseconds, cpuTicksMs, rssBytes } from './processes.js'
import type { Variant } from './variants.js'

export interface Sample {
  readonly variant: string
  readonly round: number
  /** CPU of the gateway per request over all its threads, microseconds. null without a gateway. */
  readonly cpuUs: number | null
  /** The same from clock ticks of 10 ms, as a check. */
  readonly cpuUsByTicks: number | null
  readonly requestsPerSecond: number
  readonly latencyMs: { readonly p50: number; readonly p99: number; readonly max: number }
  readonly firstByteMs: { readonly p50: number; readonly p99: number }
  readonly rssBytes: number | null
}

interface Usage {
  readonly nanoseconds: number
  readonly ticksMs: number
}

function usageOf(pid: number | undefined): Usage {
  if (pid === undefined) return { nanoseconds: 0, ticksMs: 0 }
  return { nanoseconds: cpuNanoseconds(pid), ticksMs: cpuTicksMs(pid) }
}

/** Work the gateway still owes after its last answer (books, exports) belongs to the requests: wait until it rests. */
async function rest(pid: number | undefined): Promise<void> {
  if (pid === undefined) return
  for (let checks = 0; checks < 40; checks += 1) {
    const before = cpuNanoseconds(pid)
    await new Promise((resolve) => setTimeout(resolve, 100))
    if (cpuNanoseconds(pid) - before < 2_000_000) return
  }
}

export async function measure(load: Load, variant: Variant, round: number): Promise<Sample> {
  const pid = variant.gateway?.pid
  const before = usageOf(pid)
  const result = await load.run(variant.job)
  await rest(pid)
  const after = usageOf(pid)
  const expected = result.statuses[variant.expectStatus] ?? 0
  if (expected !== variant.job.requests) {
    const seen = JSON.stringify({ statuses: result.statuses, samples: result.samples })
    throw new Error(`${variant.name}: ${expected} of ${variant.job.requests} as expected; ${seen}`)
  }
  return {
    variant: variant.name,
    round,
    cpuUs: pid === undefined ? null : (after.nanoseconds - before.nanoseconds) / result.requests / 1_000,
    cpuUsByTicks: pid === undefined ? null : ((after.ticksMs - before.ticksMs) / result.requests) * 1_000,
    requestsPerSecond: (result.requests / result.durationMs) * 1_000,
    latencyMs: result.latencyMs,
    firstByteMs: result.firstByteMs,
    rssBytes: pid === undefined ? null : rssBytes(pid),
  }
}
