import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { LatencyQuantile } from './latency-quantile.js'

function after(times: readonly number[]): number | null {
  const quantile = new LatencyQuantile(0.95)
  for (const ms of times) quantile.add(ms)
  return quantile.value()
}

describe('LatencyQuantile', () => {
  test('nineteen times say nothing about a tail', () => {
    expect(after(Array<number>(19).fill(100))).toBeNull()
    expect(after(Array<number>(20).fill(100))).toBeGreaterThanOrEqual(100)
  })

  test('one slow call in a hundred does not show in the p95, one in ten does', () => {
    const slowOnce = (every: number) =>
      Array.from({ length: 400 }, (_, at) => (at % every === 0 ? 30_000 : 100))
    expect(after(slowOnce(100))).toBeLessThan(120)
    expect(after(slowOnce(10))).toBeGreaterThan(25_000)
  })

  test('when all become slower it is seen within a few hundred calls, and again when they recover', () => {
    const quantile = new LatencyQuantile(0.95)
    for (let call = 0; call < 10_000; call++) quantile.add(100)
    for (let call = 0; call < 100; call++) quantile.add(1_000)
    expect(quantile.value()).toBeGreaterThan(900)
    for (let call = 0; call < 1_200; call++) quantile.add(100)
    expect(quantile.value()).toBeLessThan(120)
  })

  test('times that cannot be are no times', () => {
    const quantile = new LatencyQuantile(0.95)
    for (const ms of [NaN, Infinity, -Infinity]) for (let n = 0; n < 30; n++) quantile.add(ms)
    expect(quantile.value()).toBeNull()
    for (let n = 0; n < 30; n++) quantile.add(-5)
    expect(quantile.value()).toBe(1)
  })

  test('it is never below the true quantile, and at most a tenth above', () => {
    const times = fc.array(fc.integer({ min: 1, max: 500_000 }), { minLength: 20, maxLength: 500 })
    fc.assert(
      fc.property(times, (all) => {
        const sorted = [...all].sort((a, b) => b - a)
        const exact = sorted[Math.floor(all.length * 0.05 + 1e-9)] ?? 0
        const value = after(all) ?? 0
        expect(value).toBeGreaterThanOrEqual(exact)
        expect(value).toBeLessThanOrEqual(exact * 1.1 + 1)
      }),
    )
  })
})
