import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { seededRandom } from '../../testing/fake-system.js'
import { NO_TASKS, type ReportGroup } from './report.js'
import { summariseGroup } from './summarise-group.js'

interface Trial {
  readonly costUsd: number
  readonly success: boolean
}

const EMPTY: ReportGroup = { group: 'support_reply', ...NO_TASKS }

function groupOf(trials: readonly Trial[]): ReportGroup {
  const sum = (of: (trial: Trial) => number) => trials.reduce((total, trial) => total + of(trial), 0)
  return {
    ...EMPTY,
    tasks: trials.length,
    ended: trials.length,
    successes: sum((trial) => (trial.success ? 1 : 0)),
    nanoUsd: Math.round(sum((trial) => trial.costUsd) * 1e9),
    costSquaredUsd: sum((trial) => trial.costUsd ** 2),
    costOfSuccessesUsd: sum((trial) => (trial.success ? trial.costUsd : 0)),
  }
}

function draw(count: number, random: () => number): Trial[] {
  return Array.from({ length: count }, () => {
    const success = random() < 0.8
    // Failures cost more, as retries do: cost and success are correlated.
    return { success, costUsd: (success ? 0.002 : 0.005) * (0.5 + random()) }
  })
}

function bootstrapInterval(trials: readonly Trial[], random: () => number): { low: number; high: number } {
  const ratios = Array.from({ length: 2_000 }, () => {
    let cost = 0
    let successes = 0
    for (let index = 0; index < trials.length; index += 1) {
      const trial = trials[Math.floor(random() * trials.length)]
      if (trial === undefined) continue
      cost += trial.costUsd
      if (trial.success) successes += 1
    }
    return cost / successes
  }).sort((left, right) => left - right)
  return { low: ratios[50] ?? Number.NaN, high: ratios[1_949] ?? Number.NaN }
}

describe('cost per success', () => {
  test.each([1, 2, 3])('has the interval that resampling the same tasks gives (seed %i)', (seed) => {
    const random = seededRandom(seed)
    const trials = draw(400, random)
    const { low, high, value } = summariseGroup(groupOf(trials)).costPerSuccessUsd ?? fail()
    const bootstrap = bootstrapInterval(trials, random)
    const width = bootstrap.high - bootstrap.low
    expect(Math.abs((low ?? Number.NaN) - bootstrap.low)).toBeLessThan(width * 0.12)
    expect(Math.abs((high ?? Number.NaN) - bootstrap.high)).toBeLessThan(width * 0.12)
    expect(value).toBeGreaterThan(low ?? Number.NaN)
    expect(value).toBeLessThan(high ?? Number.NaN)
  })

  test('covers the true ratio about 95 times in 100', () => {
    const random = seededRandom(7)
    const truth = (0.8 * 0.002 + 0.2 * 0.005) / 0.8
    let covered = 0
    for (let round = 0; round < 1_000; round += 1) {
      const { low, high } = summariseGroup(groupOf(draw(120, random))).costPerSuccessUsd ?? fail()
      if ((low ?? Infinity) <= truth && truth <= (high ?? -Infinity)) covered += 1
    }
    expect(covered).toBeGreaterThan(925)
    expect(covered).toBeLessThan(975)
  })

  test('is unknown, not infinite, without a success', () => {
    expect(summariseGroup(groupOf([{ costUsd: 1, success: false }])).costPerSuccessUsd).toBeNull()
  })

  test('has no bounds when the tasks cannot tell the success rate from zero', () => {
    const trials = [
      ...Array.from({ length: 30 }, () => ({ costUsd: 0.01, success: false })),
      { costUsd: 0.01, success: true },
    ]
    expect(summariseGroup(groupOf(trials)).costPerSuccessUsd).toEqual({ value: 0.31, low: null, high: null })
  })

  test('has no width when every task costs the same and succeeds', () => {
    const trials = Array.from({ length: 10 }, () => ({ costUsd: 0.25, success: true }))
    const { value, low, high } = summariseGroup(groupOf(trials)).costPerSuccessUsd ?? fail()
    expect([value, low, high].map((usd) => usd?.toFixed(6))).toEqual(['0.250000', '0.250000', '0.250000'])
  })

  test('lies inside its interval whatever the tasks were', () => {
    const trial = fc.record({
      costUsd: fc.integer({ min: 0, max: 10_000 }).map((n) => n / 1e4),
      success: fc.boolean(),
    })
    fc.assert(
      fc.property(fc.array(trial, { minLength: 1, maxLength: 60 }), (trials) => {
        const cost = summariseGroup(groupOf(trials)).costPerSuccessUsd
        if (cost === null) return trials.every((one) => !one.success)
        return (cost.low ?? 0) <= cost.value + 1e-9 && (cost.high ?? Infinity) >= cost.value - 1e-9
      }),
    )
  })
})

test('shares of nothing are unknown, never zero', () => {
  const summary = summariseGroup(EMPTY)
  expect(summary).toMatchObject({
    successRate: null,
    degradedShare: null,
    premiumShare: null,
    unpricedShare: null,
    sloMet: null,
    marginUsd: null,
  })
})

test('the margin is the price of the successes minus everything spent', () => {
  const summary = summariseGroup({
    ...EMPTY,
    ended: 2,
    successes: 1,
    nanoUsd: 40_000_000,
    priceNanoUsd: 100_000_000,
  })
  expect(summary.marginUsd).toBe(0.06)
  expect(summary.priceUsd).toBe(0.1)
})

test('shares count tasks for what happens to tasks and calls for what happens to calls', () => {
  const counts = {
    ended: 10,
    degraded: 1,
    escalated: 2,
    cacheHits: 3,
    modelCalls: 20,
    premiumCalls: 5,
    unpricedCalls: 1,
  }
  expect(summariseGroup({ ...EMPTY, ...counts, sloMet: 9, sloJudged: 9 })).toMatchObject({
    degradedShare: 0.1,
    escalatedShare: 0.2,
    cacheHitShare: 0.3,
    premiumShare: 0.25,
    unpricedShare: 0.05,
    sloMet: 1,
  })
})

function fail(): never {
  throw new Error('expected a cost per success')
}
