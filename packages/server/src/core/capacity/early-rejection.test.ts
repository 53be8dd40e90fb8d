import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { isFeasible, predictWaitMs, retryAfterSeconds } from './early-rejection.js'

describe('predictWaitMs', () => {
  test('is the work ahead at the rate it is served, and no less than the rest of the deployments', () => {
    expect(predictWaitMs({ workAhead: 5_000, perSecond: 1_000, restMs: 0 })).toBe(5_000)
    expect(predictWaitMs({ workAhead: 5_000, perSecond: 1_000, restMs: 9_000 })).toBe(9_000)
    expect(predictWaitMs({ workAhead: 0, perSecond: 1_000, restMs: 0 })).toBe(0)
  })

  test('without a rate nothing is guessed; a rate of nothing is an hour', () => {
    expect(predictWaitMs({ workAhead: 5_000, perSecond: null, restMs: 0 })).toBe(0)
    expect(predictWaitMs({ workAhead: 5_000, perSecond: 0, restMs: 0 })).toBe(3_600_000)
    expect(predictWaitMs({ workAhead: 0, perSecond: null, restMs: Infinity })).toBe(3_600_000)
  })
})

describe('isFeasible', () => {
  const prospect = { nowMs: 0, deadlineMs: 8_000, waitMs: 2_000, firstTokenMs: 500, targetMs: null }

  test('the first token has to come before the deadline', () => {
    expect(isFeasible(prospect)).toBe(true)
    expect(isFeasible({ ...prospect, waitMs: 7_499 })).toBe(true)
    expect(isFeasible({ ...prospect, waitMs: 7_500 })).toBe(false)
  })

  test('a target leaves a fifth of itself', () => {
    expect(isFeasible({ ...prospect, targetMs: 3_125 })).toBe(true)
    expect(isFeasible({ ...prospect, targetMs: 3_124 })).toBe(false)
  })

  test('what need not wait is tried, whatever is predicted', () => {
    expect(isFeasible({ ...prospect, waitMs: 0, firstTokenMs: 99_000, targetMs: 1 })).toBe(true)
  })
})

describe('retryAfterSeconds', () => {
  test('is spread over a quarter of the wait, never below it but at the cap', () => {
    expect([retryAfterSeconds(0, 0), retryAfterSeconds(0, 0.99)]).toEqual([1, 2])
    expect([retryAfterSeconds(8_001, 0), retryAfterSeconds(8_001, 0.99)]).toEqual([9, 12])
    expect([retryAfterSeconds(1e9, 0), retryAfterSeconds(Infinity, 0.99)]).toEqual([45, 60])
  })

  test('is a whole number from 1 to 60 whatever the wait', () => {
    const wait = fc.double({ min: 0, max: 1e12, noNaN: true })
    const random = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true })
    fc.assert(
      fc.property(wait, random, (waitMs, dice) => {
        const seconds = retryAfterSeconds(waitMs, dice)
        expect(Number.isInteger(seconds)).toBe(true)
        expect(seconds).toBeGreaterThanOrEqual(1)
        expect(seconds).toBeLessThanOrEqual(60)
      }),
    )
  })
})
