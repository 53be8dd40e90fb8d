import { expect, test } from 'vitest'
import { DrainRate } from './drain-rate.js'

/** 100 of cost every 100 ms. */
function steady(rate: DrainRate, { fromMs, toMs }: { readonly fromMs: number; readonly toMs: number }): void {
  rate.begin(fromMs)
  for (let nowMs = fromMs; nowMs < toMs; nowMs += 100) rate.served(100, nowMs)
}

test('what is served while somebody waits is the rate, soon and for long', () => {
  for (const toMs of [1_000, 3_000, 60_000]) {
    const rate = new DrainRate()
    steady(rate, { fromMs: 0, toMs })
    expect(rate.perSecond(toMs)).toBeGreaterThan(950)
    expect(rate.perSecond(toMs)).toBeLessThan(1_150)
  }
})

test('before a second of waiting there is no rate', () => {
  const rate = new DrainRate()
  expect(rate.perSecond(0)).toBe(null)
  steady(rate, { fromMs: 0, toMs: 900 })
  expect(rate.perSecond(999)).toBe(null)
})

test('time in which nobody waits does not count', () => {
  const rate = new DrainRate()
  steady(rate, { fromMs: 0, toMs: 5_000 })
  rate.pause(5_000)
  rate.begin(65_000)
  expect(rate.perSecond(65_000)).toBeGreaterThan(950)
})

test('an outage is seen within seconds, and its end too', () => {
  const rate = new DrainRate()
  steady(rate, { fromMs: 0, toMs: 5_000 })
  expect(rate.perSecond(20_000)).toBeLessThan(60)
  steady(rate, { fromMs: 20_000, toMs: 30_000 })
  expect(rate.perSecond(30_000)).toBeGreaterThan(800)
})

test('a clock that jumps leaves a rate that is a number', () => {
  const rate = new DrainRate()
  steady(rate, { fromMs: 10_000, toMs: 15_000 })
  expect(rate.perSecond(0)).toBeGreaterThan(950)
  expect(rate.perSecond(1e15)).toBe(0)
  steady(rate, { fromMs: 1e15, toMs: 1e15 + 10_000 })
  expect(rate.perSecond(1e15 + 10_000)).toBeGreaterThan(800)
})
