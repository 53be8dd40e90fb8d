// The knobs of the simulated provider, for all its models and for single ones.

import type { SimulatedBehaviour, Simulation } from '../core/release/simulation.js'
import { flag, mapOf, number, optional, record, share, whole } from './readers.js'

const RATE_MAX = 1_000_000
const WAIT_MS_MAX = 3_600_000

const KNOBS = {
  latency_ms: optional(number({ min: 0, max: WAIT_MS_MAX, unit: 'ms' })),
  jitter: optional(share),
  tokens_per_second: optional(number({ min: 0, max: RATE_MAX })),
  error_rate: optional(share),
  throttle_rate: optional(share),
  requests_per_minute: optional(whole('requests', 0)),
  broken_stream_rate: optional(share),
  stall_rate: optional(share),
  outage: optional(flag),
  usage_factor: optional(number({ min: 0, max: 1000 })),
  confidence: optional(share),
  output_tokens: optional(whole('tokens', 1, RATE_MAX)),
}

/** What the simulated provider does when nothing is said: answers at once, correctly and surely. */
export const DEFAULT_BEHAVIOUR: SimulatedBehaviour = {
  latencyMs: 0,
  jitter: 0,
  tokensPerSecond: 0,
  errorRate: 0,
  throttleRate: 0,
  requestsPerMinute: 0,
  brokenStreamRate: 0,
  stallRate: 0,
  outage: false,
  usageFactor: 1,
  confidence: 0.9,
  outputTokens: 48,
}

export const DEFAULT_SIMULATION: Simulation = { seed: 1, ...DEFAULT_BEHAVIOUR, models: {} }

const behaviour = record(KNOBS)
type Knobs = typeof behaviour.fallback

/** Only the knobs that were set. */
function set(knobs: Knobs): Partial<SimulatedBehaviour> {
  const values: { readonly [K in keyof SimulatedBehaviour]: SimulatedBehaviour[K] | null } = {
    latencyMs: knobs.latency_ms,
    jitter: knobs.jitter,
    tokensPerSecond: knobs.tokens_per_second,
    errorRate: knobs.error_rate,
    throttleRate: knobs.throttle_rate,
    requestsPerMinute: knobs.requests_per_minute,
    brokenStreamRate: knobs.broken_stream_rate,
    stallRate: knobs.stall_rate,
    outage: knobs.outage,
    usageFactor: knobs.usage_factor,
    confidence: knobs.confidence,
    outputTokens: knobs.output_tokens,
  }
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== null))
}

export const SIMULATION_FIELDS = {
  ...KNOBS,
  /** Default 1. Same seed, same answers. */
  seed: optional(whole('', 0)),
  models: optional(mapOf(behaviour)),
}

const fields = record(SIMULATION_FIELDS)

export function simulationOf(values: typeof fields.fallback): Simulation {
  const models = [...(values.models ?? [])].map(([name, knobs]) => [name, set(knobs)] as const)
  return {
    ...DEFAULT_BEHAVIOUR,
    ...set(values),
    seed: values.seed ?? DEFAULT_SIMULATION.seed,
    models: Object.fromEntries(models),
  }
}
