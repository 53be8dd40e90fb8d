// What an engine has learned after a while of traffic: how long each deployment of a model normally takes to
// begin, and what may be spent on copies.

import type { Demand, Observation } from '../core/capacity/demand.js'
import type { Deployment } from '../core/release/release.js'
import type { TestEngine } from './test-engine.js'

export interface Learned {
  readonly model: string
  /** Of every call so far, ms. */
  readonly firstTokenMs: number
  /** Between two frames of a stream, ms. Default 1. */
  readonly perFrameMs?: number
  /** Earned by calls before; each copy takes 50. Default 500. */
  readonly calls?: number
  /** Spent on calls before. Default 1 USD. */
  readonly nanoUsd?: number
}

/** Enough to know a p95. */
const SAMPLES = 40
/** One of each class that answers are told apart by. */
const OUTPUTS_MAX = [16, 256, 4_096]
const FRAMES = 10

export function warmCapacity({ engine, release }: TestEngine, learned: Learned): void {
  const { calls = 500, nanoUsd = 1e9, perFrameMs = 1, firstTokenMs } = learned
  const seen = { ...SEEN, durationMs: firstTokenMs + (FRAMES - 1) * perFrameMs, firstTokenMs }
  for (const deployment of release.models.get(learned.model)?.deployments ?? []) {
    for (const outputTokensMax of OUTPUTS_MAX) {
      const demand = { ...DEMAND, outputTokensMax }
      teach({ engine, deployment, demand: { ...demand, stream: true }, seen: { ...seen, frames: FRAMES } })
      teach({ engine, deployment, demand: { ...demand, stream: false }, seen })
    }
  }
  for (let call = 0; call < calls; call++) engine.capacity.hedging.called()
  engine.capacity.hedging.spent(nanoUsd)
}

interface Lesson {
  readonly engine: TestEngine['engine']
  readonly deployment: Deployment
  readonly demand: Demand
  readonly seen: Observation
}

function teach({ engine, deployment, demand, seen }: Lesson): void {
  const { capacity, system } = engine
  for (let sample = 0; sample < SAMPLES; sample++) {
    const taken = capacity.take([deployment], demand, system.nowMs())
    if (taken.kind !== 'place') throw new Error(`${deployment.id} has no place to learn from`)
    capacity.end(taken.place, seen, system.nowMs())
  }
}

const DEMAND: Demand = {
  inputTokens: 20,
  outputTokens: 10,
  outputTokensMax: 16,
  criticality: 'critical',
  tenant: 'local',
  weight: 1,
  deadlineMs: Number.MAX_SAFE_INTEGER,
  stream: true,
}

const SEEN: Observation = {
  end: 'ok',
  status: 200,
  durationMs: 0,
  firstTokenMs: 0,
  inputTokens: 0,
  cachedTokens: 0,
  outputTokens: 0,
  retryAfterMs: null,
  headers: {},
}
