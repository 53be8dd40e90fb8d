// What the stage costs a call when nothing is scarce: the demand is made, a place is taken, and given back with
// what was seen. The engine's own functions on a step of its own, in this process, without a socket. CPU of all
// its threads, in blocks, so that a disturbed one does not decide.

import type { Demand, Observation } from '../../packages/server/src/core/capacity/demand.js'
import type { acquire as Acquire } from '../../packages/server/src/engine/call-model/acquire.js'
import type { admit as Admit } from '../../packages/server/src/engine/call-model/admit.js'
import type {
  answerAsk as AnswerAsk,
  hold as Hold,
} from '../../packages/server/src/engine/call-model/hold.js'
import type { plan as PlanCall } from '../../packages/server/src/engine/call-model/plan.js'
import type { Place } from '../../packages/server/src/engine/capacity/deployment-state.js'
import type { demandOf as DemandOf } from '../../packages/server/src/engine/demand-of.js'
import type { Engine } from '../../packages/server/src/engine/engine.js'
import type { Step } from '../../packages/server/src/engine/step-context.js'
import type * as RecordingCallers from '../../packages/server/src/testing/recording-caller.js'
import type * as TestEngines from '../../packages/server/src/testing/test-engine.js'
import { type Interval, intervalOf, median } from '../statistics.js'
import { type Report, atMost, number } from './report.js'
import type { Setting } from './setting.js'

const BUILT = '../../../packages/server/dist/'
const BLOCKS = 15
const CALLS_PER_BLOCK = 20_000
const WARM_UP_CALLS = 100_000
/** Calls that are under way at a time. */
const IN_FLIGHT = 32
const ANSWER_MS = 800
const TARGET_US = 5

const YAML = `
providers: { up: { kind: openai-compatible, base_url: "http://127.0.0.1:9/v1", hosting: self-hosted } }
models:
  small-model:
    tier: small
    price: { input: 0.15, output: 0.6 }
    deployments: [{ provider: up, model: small-model }]
tasks: { chat_reply: { route: { default: small-model } } }
`

interface Engines {
  readonly createTestEngine: typeof TestEngines.createTestEngine
  readonly modelCallOf: typeof TestEngines.modelCallOf
  readonly RecordingCaller: typeof RecordingCallers.RecordingCaller
  readonly acquire: typeof Acquire
  readonly admit: typeof Admit
  readonly plan: typeof PlanCall
  readonly hold: typeof Hold
  readonly answerAsk: typeof AnswerAsk
  readonly demandOf: typeof DemandOf
}

async function load(): Promise<Engines> {
  const files = [
    'testing/test-engine.js',
    'testing/recording-caller.js',
    'engine/demand-of.js',
    ...['acquire', 'admit', 'plan', 'hold'].map((name) => `engine/call-model/${name}.js`),
  ]
  const parts = await Promise.all(
    files.map(async (file) => (await import(new URL(BUILT + file, import.meta.url).href)) as object),
  )
  return Object.assign({}, ...parts) as Engines
}

/** The clock of the loop: a call every 25 ms, so that 32 at a time take 800 ms each. */
class LoopClock {
  nowMs = 1_800_000_000_000

  of(engine: Engine): Engine {
    const system = Object.create(engine.system, { nowMs: { value: () => this.nowMs } }) as Engine['system']
    return { ...engine, system }
  }
}

async function stepAndDemand(parts: Engines, clock: LoopClock): Promise<readonly [Step, () => Demand]> {
  const { engine } = parts.createTestEngine({ yaml: YAML, providers: { up: {} } })
  const call = parts.modelCallOf({ task: 'chat_reply' })
  clock.nowMs = engine.system.nowMs()
  const admitted = await parts.admit(clock.of(engine), call, new parts.RecordingCaller(() => {}))
  if (admitted.kind !== 'admitted') throw new Error(`not admitted: ${admitted.code}`)
  const { step } = admitted
  const planned = parts.plan(step)
  const model = planned.kind === 'plan' ? planned.models[0] : undefined
  if (model === undefined) throw new Error('no plan')
  const held = await parts.hold(step, parts.answerAsk(step, { model, request: step.request }))
  if (held.kind !== 'held') throw new Error('no hold')
  return [step, () => parts.demandOf(step, model, held.reservation)]
}

function seen(demand: Demand, index: number): Observation {
  return {
    end: 'ok',
    status: 200,
    durationMs: ANSWER_MS,
    firstTokenMs: 100 + (index % 50),
    inputTokens: demand.inputTokens,
    cachedTokens: 0,
    outputTokens: 20 + (index % 20),
    retryAfterMs: null,
    headers: {},
  }
}

class Loop {
  readonly #parts: Engines
  readonly #clock: LoopClock
  readonly #step: Step
  readonly #demand: () => Demand
  readonly #places: Place[] = []
  #calls = 0

  constructor(parts: Engines, clock: LoopClock, [step, demand]: readonly [Step, () => Demand]) {
    this.#parts = parts
    this.#clock = clock
    this.#step = step
    this.#demand = demand
  }

  run(calls: number): void {
    const step = this.#step
    const model = step.engine.release().models.get('small-model')
    if (model === undefined) throw new Error('no model')
    for (let count = 0; count < calls; count += 1) {
      const index = this.#calls++
      this.#clock.nowMs += ANSWER_MS / IN_FLIGHT
      const ask = { model, avoid: [], hasNext: false, demand: this.#demand() }
      const acquired = this.#parts.acquire(step, ask)
      if (!('kind' in acquired) || acquired.kind !== 'place') throw new Error('something is scarce after all')
      this.#end(index)
      this.#places[index % IN_FLIGHT] = acquired.place
    }
  }

  #end(index: number): void {
    const { engine } = this.#step
    const oldest = this.#places[index % IN_FLIGHT]
    if (oldest !== undefined) engine.capacity.end(oldest, seen(oldest.demand, index), this.#clock.nowMs)
  }
}

function block(loop: Loop): number {
  const before = process.cpuUsage()
  loop.run(CALLS_PER_BLOCK)
  const { user, system } = process.cpuUsage(before)
  return (user + system) / CALLS_PER_BLOCK
}

export async function runStageCost(setting: Setting): Promise<Report> {
  const parts = await load()
  const clock = new LoopClock()
  const loop = new Loop(parts, clock, await stepAndDemand(parts, clock))
  loop.run(WARM_UP_CALLS)
  const blocks = Array.from({ length: BLOCKS }, () => block(loop))
  const interval: Interval = intervalOf(blocks)
  setting.say(`stage: ${number(median(blocks), 2)} us`)
  const row = ['one deployment', ...[interval.median, interval.low, interval.high].map((us) => number(us, 2))]
  const limit = { target: TARGET_US, unit: 'us', digits: 2 }
  return {
    scenario: 'stage-cost',
    tables: [
      { title: 'CPU per call, us', head: ['nothing is scarce', 'median', 'low', 'high'], rows: [row] },
    ],
    // The upper end of the interval: a median that might be above the target has not met it.
    checks: [atMost('CPU of the stage per call', interval.high, limit)],
    notes: [],
    figures: { interval, blocks },
  }
}
