import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { DecayingHistogram } from './decaying-histogram.js'

describe('quantiles', () => {
  test('of nothing are unknown', () => {
    expect(new DecayingHistogram().quantile(0.5)).toBeNull()
  })

  test('of one value, repeated, are that value within a tenth and a half', () => {
    fc.assert(
      fc.property(
        fc.double({ min: 0, max: 1e7, noNaN: true }),
        fc.integer({ min: 1, max: 50 }),
        (value, times) => {
          const histogram = new DecayingHistogram()
          for (let each = 0; each < times; each++) histogram.add(value)
          for (const share of [0, 0.5, 0.95, 1]) {
            expect(Math.abs((histogram.quantile(share) ?? -1) - value)).toBeLessThanOrEqual(0.1 * value + 0.5)
          }
        },
      ),
    )
  })

  test('follow what comes now, however long they have been kept', () => {
    const histogram = new DecayingHistogram()
    for (let each = 0; each < 50_000; each++) histogram.add(10)
    for (let each = 0; each < 3_000; each++) histogram.add(1_000)
    expect(histogram.quantile(0.05)).toBeGreaterThan(800)
    expect(histogram.count).toBe(53_000)
  })
})
