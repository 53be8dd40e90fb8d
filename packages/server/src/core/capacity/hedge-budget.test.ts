import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { HedgeBudget } from './hedge-budget.js'

function earned(calls: number, nanoUsd = 0): HedgeBudget {
  const budget = new HedgeBudget()
  for (let call = 0; call < calls; call++) {
    budget.called()
    budget.spent(nanoUsd)
  }
  return budget
}

describe('HedgeBudget', () => {
  test('nothing is lent: the first copy is paid for by fifty calls', () => {
    expect(earned(49).take(0)).toBe(false)
    const budget = earned(50)
    expect([budget.take(0), budget.take(0)]).toEqual([true, false])
  })

  test('what a quiet hour saved up is a burst of ten, not a flood', () => {
    const budget = earned(100_000)
    const taken = Array.from({ length: 20 }, () => budget.take(0))
    expect(taken.filter(Boolean)).toHaveLength(10)
  })

  test('a copy that costs more than 1 % of what was spent is not sent', () => {
    const budget = earned(100, 1_000)
    expect(budget.take(1_001)).toBe(false)
    expect(budget.take(1_000)).toBe(true)
    expect(budget.take(1)).toBe(false)
  })

  test('some are kept for calls that need one more', () => {
    const budget = earned(200)
    expect([budget.take(0, 3), budget.take(0, 3), budget.take(0)]).toEqual([true, false, true])
  })

  test('a copy that was not sent gives back what it took', () => {
    const budget = earned(50, 100)
    expect(budget.take(50)).toBe(true)
    budget.cancel(50)
    expect(budget.state()).toMatchObject({ hedges: 0, available: 1 })
    expect(budget.take(50)).toBe(true)
  })

  test('a loser that cost more than expected is made up for before the next', () => {
    const budget = earned(200, 100)
    expect(budget.take(10)).toBe(true)
    budget.lost(10, 500)
    expect(budget.take(1)).toBe(false)
    budget.spent(100 * 500)
    expect(budget.take(1)).toBe(true)
  })
})

type Act =
  | { readonly act: 'call'; readonly nanoUsd: number }
  | { readonly act: 'hedge'; readonly expected: number; readonly sent: boolean; readonly actual: number }

const money = fc.integer({ min: 0, max: 10_000_000 })
const acts: fc.Arbitrary<Act[]> = fc.array(
  fc.oneof(
    { weight: 20, arbitrary: fc.record({ act: fc.constant('call' as const), nanoUsd: money }) },
    {
      weight: 3,
      arbitrary: fc.record({
        act: fc.constant('hedge' as const),
        expected: fc.integer({ min: 0, max: 200_000 }),
        sent: fc.boolean(),
        actual: fc.integer({ min: 0, max: 200_000 }),
      }),
    },
  ),
  { maxLength: 600, size: 'max' },
)

test('whatever happens, copies stay within 2 % of the calls and within 1 % of the spend but for one surprise', () => {
  fc.assert(
    fc.property(acts, (all) => {
      const budget = new HedgeBudget()
      let [calls, hedges, spend, extra, surprise] = [0, 0, 0, 0, 0]
      for (const each of all) {
        if (each.act === 'call') {
          budget.called()
          budget.spent(each.nanoUsd)
          calls += 1
          spend += each.nanoUsd
        } else if (budget.take(each.expected)) {
          if (!each.sent) {
            budget.cancel(each.expected)
            continue
          }
          hedges += 1
          extra += each.actual
          surprise = Math.max(surprise, each.actual - each.expected)
          budget.lost(each.expected, each.actual)
        }
        expect(hedges * 50).toBeLessThanOrEqual(calls)
        // A copy is only sent while there is credit, so at most one can take it below nothing.
        expect(100 * (extra - surprise)).toBeLessThanOrEqual(spend)
        expect(budget.state()).toMatchObject({ calls, hedges, extraNanoUsd: extra })
      }
    }),
    { numRuns: 300 },
  )
})
