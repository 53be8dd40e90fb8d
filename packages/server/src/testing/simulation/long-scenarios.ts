// A few runs of an hour or more, each about one thing that only time shows.

import { randomScenario } from './random-scenario.js'
import type { CallPlan, Fault, Scenario } from './scenario.js'
import { shapeNamed } from './shapes.js'

const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS
/** As often the calls of the seed come, one after the other. */
const ROUNDS = 6

export interface LongScenario {
  readonly about: string
  readonly scenario: Scenario
}

/** Nothing goes wrong but what is written here; the calls are those of the seed, spread over the time. */
function over(ms: number, shape: string, faults: readonly Fault[]): Scenario {
  const { providers } = shapeNamed(shape)
  const pace = { stepMs: 10, perRunningMs: 1, prefillMsPerToken: 0.1, tokensPerStep: 5, runningMax: 8 }
  const drawn = seedOf(shape)
  const calls = Array.from({ length: ROUNDS }, () => drawn.calls).flat()
  return {
    ...drawn,
    ledgerMs: 0,
    diskMs: 5,
    paces: Object.fromEntries(Object.keys(providers).map((name) => [name, pace])),
    faults,
    tasks: [],
    jumps: [],
    reloads: [],
    diskFaults: [],
    pins: [],
    reports: [],
    calls: calls.map((call, id) => spread(call, id, (ms * id) / calls.length)),
  }
}

/** The first seed whose scenario has this shape. */
function seedOf(shape: string): Scenario {
  for (let seed = 1; ; seed++) {
    const scenario = randomScenario(seed)
    if (scenario.shape === shape) return scenario
  }
}

function spread(call: CallPlan, id: number, atMs: number): CallPlan {
  const target = call.target.kind === 'task' ? ({ kind: 'contract', name: 'default' } as const) : call.target
  const model = { kind: 'model', name: shapeNamed('plain').models[0] ?? '' } as const
  return { ...call, id, atMs: Math.round(atMs), target: target.name === 'default' ? model : target }
}

const always = (provider: string, kind: Fault['kind'], toMs = HOUR_MS): Fault => ({
  provider,
  kind,
  fromMs: 0,
  toMs,
  share: 1,
  amount: 3,
})

function herd(scenario: Scenario, atMs: number): Scenario {
  const calls = scenario.calls.map((call) => ({ ...call, atMs, retries: 3, honours: call.id % 2 === 0 }))
  return { ...scenario, calls }
}

export function longScenarios(): readonly LongScenario[] {
  const twoHours = over(2 * HOUR_MS, 'plain', [always('main', '429')])
  return [
    { about: 'a provider answers 429 for an hour', scenario: twoHours },
    {
      about: 'a provider answers 429 for an hour and says nothing sensible',
      scenario: over(2 * HOUR_MS, 'plain', [always('main', '429-absurd')]),
    },
    {
      about: 'all of three replicas are gone for ten minutes, and a herd comes back',
      scenario: herd(
        over(
          HOUR_MS,
          'replicas',
          ['main', 'spare', 'third'].map((name) => always(name, 'vanish', 10 * MINUTE_MS)),
        ),
        10 * MINUTE_MS - 500,
      ),
    },
    {
      about: 'the clock is set forward and back by an hour, again and again',
      scenario: {
        ...over(HOUR_MS, 'limited', [always('claude', '529', HOUR_MS / 2)]),
        jumps: Array.from({ length: 12 }, (_, index) => ({
          atMs: (index + 1) * 5 * MINUTE_MS,
          byMs: index % 2 === 0 ? -HOUR_MS : HOUR_MS,
        })),
      },
    },
    {
      about: 'every answer is lost for an hour, and midnight passes',
      scenario: { ...over(25 * HOUR_MS, 'ladder', [always('main', 'lost', HOUR_MS)]) },
    },
  ]
}
