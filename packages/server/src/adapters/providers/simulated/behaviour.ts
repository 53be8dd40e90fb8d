// The simulator's knobs as they are turned from outside (command line, `/sim/behaviour`): names as in the
// configuration, and how a model's own settings lie over the general ones.

import type { SimulatedBehaviour, Simulation } from '../../../core/release/simulation.js'
import { isObject } from '../../../core/json.js'
import { type Parsed, invalid, parsed } from '../../../core/parsed.js'

type KnobKind = 'amount' | 'count' | 'share' | 'switch'

export interface Knob {
  readonly field: keyof SimulatedBehaviour
  readonly name: string
  readonly kind: KnobKind
  readonly help: string
}

export const KNOBS: readonly Knob[] = [
  { field: 'latencyMs', name: 'latency_ms', kind: 'amount', help: 'time to the first token, ms' },
  { field: 'jitter', name: 'jitter', kind: 'share', help: 'share by which the latency varies, 0..1' },
  {
    field: 'tokensPerSecond',
    name: 'tokens_per_second',
    kind: 'amount',
    help: 'speed of an answer; 0 = at once',
  },
  { field: 'errorRate', name: 'error_rate', kind: 'share', help: 'share of calls answered 500, 0..1' },
  { field: 'throttleRate', name: 'throttle_rate', kind: 'share', help: 'share of calls answered 429, 0..1' },
  {
    field: 'requestsPerMinute',
    name: 'requests_per_minute',
    kind: 'amount',
    help: 'real throttling; 0 = off',
  },
  {
    field: 'brokenStreamRate',
    name: 'broken_stream_rate',
    kind: 'share',
    help: 'share of streams cut in the middle, 0..1',
  },
  { field: 'stallRate', name: 'stall_rate', kind: 'share', help: 'share of calls that never answer, 0..1' },
  { field: 'outage', name: 'outage', kind: 'switch', help: 'every call is answered as in an outage' },
  { field: 'usageFactor', name: 'usage_factor', kind: 'amount', help: 'reported usage = true usage x this' },
  { field: 'confidence', name: 'confidence', kind: 'share', help: 'mean probability of the tokens, 0..1' },
  { field: 'outputTokens', name: 'output_tokens', kind: 'count', help: 'tokens of an answer' },
]

/** Reads knobs by their names. Unknown names and values out of range are problems. */
export function parseBehaviour(value: unknown): Parsed<Partial<SimulatedBehaviour>> {
  if (!isObject(value)) return invalid('body', 'expected an object of knobs')
  const behaviour: Record<string, number | boolean> = {}
  for (const [name, setting] of Object.entries(value)) {
    const knob = KNOBS.find((candidate) => candidate.name === name)
    if (knob === undefined)
      return invalid(name, `unknown knob; known: ${KNOBS.map((each) => each.name).join(', ')}`)
    const problem = problemOf(knob.kind, setting)
    if (problem !== null) return invalid(name, problem)
    if (typeof setting === 'number' || typeof setting === 'boolean') behaviour[knob.field] = setting
  }
  return parsed(behaviour)
}

function problemOf(kind: KnobKind, setting: unknown): string | null {
  if (kind === 'switch') return typeof setting === 'boolean' ? null : 'expected true or false'
  if (typeof setting !== 'number' || !Number.isFinite(setting) || setting < 0)
    return 'expected a number of at least 0'
  if (kind === 'share' && setting > 1) return 'expected a share between 0 and 1'
  if (kind === 'count' && (!Number.isInteger(setting) || setting < 1))
    return 'expected a whole number of at least 1'
  return null
}

/** What holds for one model: general settings, then the model's own. */
export function behaviourOf(simulation: Simulation, model: string): SimulatedBehaviour {
  const own = Object.hasOwn(simulation.models, model) ? simulation.models[model] : undefined
  return own === undefined ? simulation : { ...simulation, ...own }
}
