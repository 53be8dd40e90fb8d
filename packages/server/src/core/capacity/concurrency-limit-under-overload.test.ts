// The limit against a batching model server in virtual time: what it finds, and what does not fool it. Good is
// an answer whose first token came within 3 s and each further one within 150 ms.

import { describe, expect, test } from 'vitest'
import {
  type Answered,
  type Arrival,
  BATCHING_SERVER,
  type Gate,
  type Load,
  type Scene,
  arrivalsOf,
  simulate,
} from '../../testing/batching-server.js'
import { seededRandom } from '../../testing/fake-system.js'
import { ConcurrencyLimit, type LimitSettings } from './concurrency-limit.js'
import { ServiceModel } from './service-model.js'

const TARGETS: LimitSettings = { firstTokenMs: 3_000, perTokenMs: 150, callsMax: null }
const NO_TARGETS: LimitSettings = { firstTokenMs: null, perTokenMs: null, callsMax: null }

const UNTIL_MS = 180_000
/** Where answers are counted: the first of them come from before the limit was found. */
const FROM_MS = 60_000

const CHAT = { inputTokens: 1_000, outputTokens: 200 }
const LONG_PROMPTS = { inputTokens: 4_000, outputTokens: 100 }
const LONG_ANSWERS = { inputTokens: 500, outputTokens: 800 }

class LimitGate implements Gate {
  readonly limit: ConcurrencyLimit
  readonly #service = new ServiceModel()
  readonly #looks: { atMs: number; limitTokens: number; calls: number }[] = []

  constructor(settings: LimitSettings) {
    this.limit = new ConcurrencyLimit(settings, 0)
  }

  hasRoom(arrival: Arrival): boolean {
    return this.limit.hasRoom(sizeOf(arrival))
  }

  begin(arrival: Arrival, nowMs: number): void {
    this.limit.begin(sizeOf(arrival), true, nowMs)
  }

  firstToken({ inputTokens }: Arrival, ms: number, nowMs: number): void {
    const wasBusy = this.limit.utilisation > 0.5
    this.limit.firstToken(this.#service.sawFirstToken({ ms, uncachedTokens: inputTokens, wasBusy }), nowMs)
  }

  generated(frames: number): void {
    this.limit.generated(frames)
  }

  end(arrival: Arrival, _took: unknown, nowMs: number): void {
    const { outputTokens } = arrival
    const end = { nowMs, streamed: true, dropped: false, frames: outputTokens, outputTokens }
    this.limit.end(sizeOf(arrival), true, end)
  }

  look(atMs: number): void {
    const { limitTokens, callsInFlight } = this.limit
    this.#looks.push({ atMs, limitTokens, calls: callsInFlight })
  }

  meanLimitTokens(fromMs: number, untilMs: number): number {
    return mean(this.#between(fromMs, untilMs).map(({ limitTokens }) => limitTokens))
  }

  meanCalls(fromMs: number, untilMs: number): number {
    return mean(this.#between(fromMs, untilMs).map(({ calls }) => calls))
  }

  #between(fromMs: number, untilMs: number) {
    return this.#looks.filter(({ atMs }) => atMs >= fromMs && atMs < untilMs)
  }
}

/** The best that a limit set by hand can do. */
class FixedGate implements Gate {
  readonly #tokensMax: number
  #tokens = 0

  constructor(tokensMax: number) {
    this.#tokensMax = tokensMax
  }

  hasRoom(arrival: Arrival): boolean {
    return this.#tokens + sizeOf(arrival) <= this.#tokensMax
  }

  begin(arrival: Arrival): void {
    this.#tokens += sizeOf(arrival)
  }

  firstToken(): void {}

  generated(): void {}

  end(arrival: Arrival): void {
    this.#tokens -= sizeOf(arrival)
  }
}

function sizeOf({ inputTokens, outputTokens }: Arrival): number {
  return inputTokens + outputTokens
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length
}

type Sizes = Omit<Load, 'perSecond'>

/** Calls per second that a server of 128 serves with 76 at once, where a token takes 150 ms at most. */
function capacityOf({ inputTokens, outputTokens }: Sizes): number {
  const { stepMs, perRunningMs, perPromptTokenMs } = BATCHING_SERVER
  return 1_000 / (outputTokens * (stepMs / 76 + perRunningMs) + perPromptTokenMs * inputTokens)
}

interface Trial {
  readonly sizes: Sizes
  /** Times what the server can do. */
  readonly overload: number
  readonly seed: number
  readonly sequencesMax?: number
  readonly slowness?: NonNullable<Scene['slowness']>
}

function run(gate: Gate, trial: Trial): readonly Answered[] {
  const { sizes, overload, seed, sequencesMax = 128, slowness } = trial
  const perSecond = capacityOf(sizes) * overload
  return simulate({
    server: { ...BATCHING_SERVER, sequencesMax },
    gate,
    arrivals: arrivalsOf({ ...sizes, perSecond }, UNTIL_MS, seededRandom(seed)),
    patienceMs: 2_000,
    untilMs: UNTIL_MS,
    ...(slowness === undefined ? {} : { slowness }),
  })
}

function isGood({ firstTokenMs, perTokenMs }: Answered): boolean {
  return firstTokenMs <= 3_000 && perTokenMs <= 150
}

/** Good answers that ended between the two. */
function good(answered: readonly Answered[], fromMs = FROM_MS, untilMs = UNTIL_MS): number {
  return answered.filter((each) => each.endMs >= fromMs && each.endMs < untilMs && isGood(each)).length
}

function bestByHand(trial: Trial, fromMs = FROM_MS): number {
  const size = trial.sizes.inputTokens + trial.sizes.outputTokens
  const calls = [8, 12, 16, 20, 26, 33, 42, 50, 58, 66, 76, 88, 100, 120]
  return Math.max(...calls.map((each) => good(run(new FixedGate(each * size), trial), fromMs)))
}

const SEEDS = [1, 2, 3]
const CASES = [
  ['chat', CHAT],
  ['long prompts', LONG_PROMPTS],
  ['long answers', LONG_ANSWERS],
] as const

describe('with targets, under overload', () => {
  for (const [name, sizes] of CASES) {
    test.each([1, 2, 3])(
      `${name} at %i times the capacity: as good as the best limit by hand`,
      (overload) => {
        const trials = SEEDS.map((seed) => ({ sizes, overload, seed }))
        const found = total(trials.map((trial) => good(run(new LimitGate(TARGETS), trial))))
        expect(found / total(trials.map((trial) => bestByHand(trial)))).toBeGreaterThan(0.88)
      },
    )

    test(`${name} at a server that runs 64 at once and queues the others`, () => {
      const trials = SEEDS.map((seed) => ({ sizes, overload: 2, seed, sequencesMax: 64 }))
      const found = total(trials.map((trial) => good(run(new LimitGate(TARGETS), trial))))
      expect(found / total(trials.map((trial) => bestByHand(trial)))).toBeGreaterThan(0.82)
    })
  }

  test('what is good at three times the capacity is at least nine tenths of what is at once', () => {
    const at = (overload: number): number =>
      total(SEEDS.map((seed) => good(run(new LimitGate(TARGETS), { sizes: CHAT, overload, seed }))))
    expect(at(3) / at(1)).toBeGreaterThan(0.9)
  })
})

describe('without targets, under overload', () => {
  test.each(SEEDS)('the limit settles where the server begins to queue (seed %i)', (seed) => {
    const gate = new LimitGate(NO_TARGETS)
    run(gate, { sizes: CHAT, overload: 3, seed, sequencesMax: 64 })
    const calls = gate.meanCalls(FROM_MS, UNTIL_MS)
    expect(calls).toBeGreaterThan(64 * 0.9)
    expect(calls).toBeLessThan(64 * 1.2)
  })

  test.each(CASES)('%s: the server is as busy as without a limit', (_name, sizes) => {
    const trial = { sizes, overload: 2, seed: 1 }
    const answered = (gate: Gate): number => run(gate, trial).filter(({ endMs }) => endMs >= FROM_MS).length
    const unlimited = answered(new FixedGate(Infinity))
    expect(answered(new LimitGate(NO_TARGETS)) / unlimited).toBeGreaterThan(0.9)
  })
})

describe('a brown-out: ten times slower for half a minute', () => {
  const slowness = (nowMs: number): number => (nowMs >= 90_000 && nowMs < 120_000 ? 10 : 1)

  test.each([
    ['with targets', TARGETS],
    ['without', NO_TARGETS],
  ])('the limit is lowered during it, and back ten seconds after (%s)', (_name, settings) => {
    const gate = new LimitGate(settings)
    run(gate, { sizes: CHAT, overload: 2, seed: 1, slowness })
    const before = gate.meanLimitTokens(80_000, 90_000)
    expect(gate.meanLimitTokens(112_000, 120_000)).toBeLessThan(before * 0.75)
    expect(gate.meanLimitTokens(128_000, 132_000)).toBeGreaterThan(before * 0.7)
  })

  test.each(SEEDS)(
    'what is sent from ten seconds after is answered as if it had not been (seed %i)',
    (seed) => {
      const sentAfter = (trial: Trial): number =>
        run(new LimitGate(TARGETS), trial).filter(
          (each) => each.atMs >= 130_000 && each.atMs < 155_000 && isGood(each),
        ).length
      const trial = { sizes: CHAT, overload: 2, seed }
      expect(sentAfter({ ...trial, slowness }) / sentAfter(trial)).toBeGreaterThan(0.9)
    },
  )
})

describe('a server that becomes half as fast for good', () => {
  const slowness = (nowMs: number): number => (nowMs >= 40_000 ? 2 : 1)

  test('is found out within a minute', () => {
    const trials = SEEDS.map((seed) => ({ sizes: CHAT, overload: 1.2, seed, slowness }))
    const found = total(trials.map((trial) => good(run(new LimitGate(TARGETS), trial), 100_000)))
    const best = total(trials.map((trial) => bestByHand(trial, 100_000)))
    expect(found / best).toBeGreaterThan(0.85)
  })
})

describe('long prompts, then long answers, at two fifths of what the server can do', () => {
  const random = seededRandom(7)
  const arrivals = [CHAT, LONG_PROMPTS, CHAT, LONG_ANSWERS].flatMap((sizes, phase) =>
    arrivalsOf({ ...sizes, perSecond: capacityOf(sizes) * 0.4 }, 60_000, random).map((arrival) => ({
      ...arrival,
      atMs: arrival.atMs + phase * 60_000,
    })),
  )
  const answersOf = (gate: Gate): readonly Answered[] =>
    simulate({ server: BATCHING_SERVER, gate, arrivals, patienceMs: 2_000, untilMs: 400_000 })

  test('without targets nothing ever waits', () => {
    const answered = answersOf(new LimitGate(NO_TARGETS))
    expect(answered).toEqual(answersOf(new FixedGate(Infinity)))
  })

  test('with targets as many answers meet them as without a limit', () => {
    const met = answersOf(new LimitGate(TARGETS)).filter(isGood).length
    const unlimited = answersOf(new FixedGate(Infinity)).filter(isGood).length
    expect(met / unlimited).toBeGreaterThan(0.97)
  })
})

function total(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0)
}
