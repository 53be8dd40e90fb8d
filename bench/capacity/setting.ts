// What every scenario is given: cores, lengths of time, the load, the systems; and the provider they share.

import type { Core } from '../processes.js'
import { type Arrival, LONGEST, MIX, type Mix, type TraceRow } from './arrivals.js'
import { type BatchingOptions, capacityOf } from './batching-model.js'
import { FIRST_TOKEN_MS_MAX, TOKEN_MS_MAX } from './judge.js'
import type { Load } from './load.js'
import { KEYS, type SystemKind } from './systems.js'
import { OUTPUT_TOKENS_MAX } from './try-once.js'
import type { GeneratorJob } from './generator.js'

export interface Setting {
  readonly cores: Core
  readonly load: Load
  /** Of one load level, s. */
  readonly seconds: number
  readonly trace: readonly TraceRow[] | null
  /** A file of recorded conversations. */
  readonly conversations: string | null
  readonly spillway: SystemKind
  /** Systems that are shown beside Spillway, without targets. */
  readonly beside: readonly SystemKind[]
  readonly say: (text: string) => void
}

/**
 * A model server that two cores can drive to its limit: about 40 answers of 30 tokens a second when 190 run
 * at once. With all 256 places taken a token takes 190 ms, so too many at once is as bad as a long line.
 */
export const MODEL_SERVER: BatchingOptions = {
  stepMs: 25,
  perRunningMs: 0.5,
  prefillMs: 2,
  perPromptTokenMs: 0.01,
  runningMax: 256,
  promptTokensPerStep: 4_096,
  cacheBlocks: 0,
}

/** Good answers per second that one model server can give. */
export function capacityFor(mix: Mix): number {
  const { promptTokens, outputTokens } = mix
  return capacityOf(MODEL_SERVER, { promptTokens, outputTokens, tokenMsMax: TOKEN_MS_MAX }).perSecond
}

export const CAPACITY_PER_SECOND = capacityFor(MIX)

/** A client gives a try up when nothing came for this long, ms. */
const PATIENCE_MS = 10_000
/** Of a whole answer nothing comes before it is generated: who asks for so many tokens waits for them. */
const WHOLE_PATIENCE_MS = PATIENCE_MS + OUTPUT_TOKENS_MAX * TOKEN_MS_MAX
/** After the last arrival, what is unfinished gets this long, ms: the longest answer could still be good. */
const GRACE_MS = FIRST_TOKEN_MS_MAX + LONGEST * MIX.outputTokens * TOKEN_MS_MAX

export function jobFor(url: string, arrivals: readonly Arrival[], lastMs: number): GeneratorJob {
  const endMs = lastMs + GRACE_MS
  const patience = { patienceMs: PATIENCE_MS, wholePatienceMs: WHOLE_PATIENCE_MS }
  return { url, keys: KEYS, arrivals, ...patience, endMs, seed: 11 }
}

export const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))
