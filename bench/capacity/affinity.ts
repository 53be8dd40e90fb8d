// What remembering prompts is worth: a recorded trace of conversations over four replicas, placed in turn,
// by load, by the conversation's first words, and as Spillway does, with the classes that serve traffic.
// `npm run bench:capacity -- affinity --conversations FILE`.

import type * as Memory from '../../packages/server/src/core/capacity/prefix-memory.js'
import type * as Choice from '../../packages/server/src/core/capacity/replica-choice.js'
import type * as Load from '../../packages/server/src/core/capacity/replica-load.js'
import { BLOCK_TOKENS, type Parent, type TracedRequest, readTrace } from './mooncake-trace.js'
import { ReplicaModel, type Served, type Speeds } from './replica-model.js'

export interface AffinityResult {
  readonly policy: string
  readonly roomBlocks: number
  readonly parent: Parent
  /** Share of all blocks that were read from a replica's cache. */
  readonly hitShare: number
  /** Of what one unlimited cache of everything would have had. */
  readonly ofCeiling: number
  /** Of what one cache with the room of all replicas together would have had. */
  readonly ofPooled: number
  /** Most worked replica over the mean, over the whole trace and at the worst tenth of its minutes. */
  readonly maxOverMean: number
  readonly maxOverMeanOfMinutesP90: number
  /** Share of first tokens within 3 s. */
  readonly inTime: number
  readonly firstTokenMs: { readonly p50: number; readonly p95: number }
}

/** The classes that serve traffic, as they are built. */
type Built = typeof Memory & typeof Choice & typeof Load

const BUILT = '../../../packages/server/dist/core/capacity/'
const REPLICAS = 4
/** An 8B model on one accelerator, about: 10,000 tokens of a prompt a second, 20 ms per token and more. */
const SPEEDS: Speeds = { prefillMsPerToken: 0.1, baseTokenMs: 20, perRunningMs: 0.25 }
/** For the first token: what is called a good answer in `bench:capacity`. */
const TARGET_MS = 3_000
const MINUTE_MS = 60_000

type Placer = (request: TracedRequest, served: readonly Served[][]) => number

export async function runAffinity(file: string): Promise<readonly AffinityResult[]> {
  const memory = (await import(`${BUILT}prefix-memory.js`)) as typeof Memory
  const choice = (await import(`${BUILT}replica-choice.js`)) as typeof Choice
  const load = (await import(`${BUILT}replica-load.js`)) as typeof Load
  const built = { ...memory, ...choice, ...load }
  const results: AffinityResult[] = []
  for (const parent of ['latest', 'earliest'] as const) {
    const trace = readTrace(file, parent)
    for (const roomBlocks of [Infinity, 50_000, 10_000]) {
      const pooled = hitsOf(trace, roomBlocks * REPLICAS)
      for (const [policy, placer] of policies(built, roomBlocks)) {
        const { hits, ...rest } = simulate(trace, placer, roomBlocks)
        const blocks = trace.reduce((sum, request) => sum + request.blocks.length, 0)
        const ceiling = trace.reduce((sum, request) => sum + request.seenBlocks, 0)
        const shares = { hitShare: hits / blocks, ofCeiling: hits / ceiling, ofPooled: hits / pooled }
        results.push({ policy, roomBlocks, parent, ...shares, ...rest })
      }
    }
  }
  return results
}

/** What one cache would have had. */
function hitsOf(trace: readonly TracedRequest[], roomBlocks: number): number {
  const replica = new ReplicaModel(SPEEDS, roomBlocks)
  return trace.reduce((sum, request) => sum + replica.serve(request).hitBlocks, 0)
}

function policies(built: Built, roomBlocks: number): readonly (readonly [string, Placer])[] {
  let turn = 0
  return [
    ['in turn', () => turn++ % REPLICAS],
    ['least loaded', (request, sent) => leastLoaded(request, sent)],
    ['conversation pinned', (request) => (request.blocks[1] ?? request.blocks[0] ?? 0) % REPLICAS],
    ['affinity', affinityPlacer(built, roomBlocks, null)],
    ['affinity, target 3 s', affinityPlacer(built, roomBlocks, TARGET_MS)],
  ]
}

function leastLoaded(request: TracedRequest, sent: readonly Served[][]): number {
  const running = sent.map((list) => list.filter(({ endMs }) => endMs > request.atMs).length)
  return running.indexOf(Math.min(...running))
}

/** As the engine does it: it knows what it sent where and which answers have come back, no more. */
function affinityPlacer(built: Built, roomBlocks: number, firstTokenTargetMs: number | null): Placer {
  const memory = new built.PrefixMemory()
  const policy = { ttlMs: Infinity, roomTokens: roomBlocks * BLOCK_TOKENS }
  const loads = Array.from({ length: REPLICAS }, () => new built.ReplicaLoad())
  return (request, sent) => {
    const { atMs: nowMs, inputTokens: promptTokens, outputTokens } = request
    const chain = chainOf(request)
    const replicas = loads.map((load, index) => {
      const running = sent[index]?.length ?? 0
      return {
        matchedTokens: memory.of(String(index), policy).match(chain, nowMs),
        queueWaitMs: load.queueWaitMs(nowMs),
        prefillMsPerToken: SPEEDS.prefillMsPerToken,
        perTokenMs: SPEEDS.baseTokenMs + SPEEDS.perRunningMs * (running + 1),
        perTokenWorkMs: SPEEDS.perRunningMs,
        workMs: load.workMs(nowMs),
      }
    })
    const choice = built.chooseReplica(replicas, { promptTokens, outputTokens, firstTokenTargetMs })
    loads[choice.index]?.sent(choice, nowMs)
    memory.of(String(choice.index), policy).touch(chain, nowMs)
    return choice.index
  }
}

function chainOf({ blocks, inputTokens }: TracedRequest): Memory.PrefixChain {
  const tokens = blocks.map((_, index) => Math.min(inputTokens, (index + 1) * BLOCK_TOKENS))
  return { hashes: blocks, tokens }
}

type Simulated = Omit<
  AffinityResult,
  'policy' | 'roomBlocks' | 'parent' | 'hitShare' | 'ofCeiling' | 'ofPooled'
>

function simulate(
  trace: readonly TracedRequest[],
  place: Placer,
  roomBlocks: number,
): Simulated & { readonly hits: number } {
  const replicas = Array.from({ length: REPLICAS }, () => new ReplicaModel(SPEEDS, roomBlocks))
  let open: Served[][] = replicas.map(() => [])
  const all: (Served & { replica: number; minute: number })[] = []
  for (const request of trace) {
    open = open.map((list) => list.filter(({ endMs }) => endMs > request.atMs))
    const index = place(request, open)
    const served = (replicas[index] as ReplicaModel).serve(request)
    open[index]?.push(served)
    all.push({ ...served, replica: index, minute: Math.floor(request.atMs / MINUTE_MS) })
  }
  const minutes = new Set(all.map(({ minute }) => minute))
  const imbalances = [...minutes].map((minute) => imbalanceOf(all.filter((each) => each.minute === minute)))
  const waits = all.map(({ firstTokenMs }) => firstTokenMs)
  return {
    hits: all.reduce((sum, { hitBlocks }) => sum + hitBlocks, 0),
    maxOverMean: imbalanceOf(all),
    maxOverMeanOfMinutesP90: quantile(imbalances, 0.9),
    inTime: waits.filter((waitMs) => waitMs <= TARGET_MS).length / waits.length,
    firstTokenMs: { p50: quantile(waits, 0.5), p95: quantile(waits, 0.95) },
  }
}

function imbalanceOf(served: readonly { readonly replica: number; readonly workMs: number }[]): number {
  const work = Array.from({ length: REPLICAS }, () => 0)
  for (const { replica, workMs } of served) work[replica] = (work[replica] ?? 0) + workMs
  return Math.max(...work) / (work.reduce((sum, each) => sum + each, 0) / REPLICAS)
}

function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0
}
