import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { ONE_PER_MS, RETRIES_MAX, RetryBudget } from './retry-budget.js'

function takeAll(budget: RetryBudget, nowMs: number): number {
  let taken = 0
  while (budget.take(nowMs)) taken += 1
  return taken
}

describe('RetryBudget', () => {
  test('has some from the start, and then a tenth of the first attempts', () => {
    const budget = new RetryBudget()
    // The one that is always allowed comes on top.
    expect(takeAll(budget, 0)).toBe(RETRIES_MAX + 1)
    for (let n = 0; n < 9; n++) budget.first()
    expect(budget.take(0)).toBe(false)
    budget.first()
    expect(takeAll(budget, 0)).toBe(1)
  })

  test('saves up no more than fifty', () => {
    const budget = new RetryBudget()
    takeAll(budget, 0)
    for (let n = 0; n < 10_000; n++) budget.first()
    expect(budget.left).toBe(RETRIES_MAX)
    expect(takeAll(budget, 0)).toBe(RETRIES_MAX)
  })

  test('one in 10 s is allowed whatever the traffic, also after the clock went back', () => {
    const budget = new RetryBudget()
    takeAll(budget, 0)
    expect(takeAll(budget, ONE_PER_MS - 1)).toBe(0)
    expect(takeAll(budget, ONE_PER_MS)).toBe(1)
    expect(takeAll(budget, -5_000)).toBe(0)
    expect(takeAll(budget, -5_000 + ONE_PER_MS)).toBe(1)
  })

  test('however they come, retries stay a tenth, beside what was there and one per 10 s', () => {
    const events = fc.array(fc.record({ first: fc.boolean(), afterMs: fc.nat(3_000) }), { maxLength: 400 })
    fc.assert(
      fc.property(events, (list) => {
        const budget = new RetryBudget()
        let nowMs = 0
        let firsts = 0
        let retries = 0
        for (const { first, afterMs } of list) {
          nowMs += afterMs
          if (first) {
            firsts += 1
            budget.first()
          } else if (budget.take(nowMs)) retries += 1
          expect(retries).toBeLessThanOrEqual(firsts / 10 + RETRIES_MAX + 1 + nowMs / ONE_PER_MS)
        }
      }),
    )
  })
})
