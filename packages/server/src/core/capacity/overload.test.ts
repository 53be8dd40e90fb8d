import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { OVERLOAD_STEPS, Overload, fateOf, pressureOf } from './overload.js'

/** Pressed for so many seconds, looked at ten times a second. */
function pressed(seconds: number, pressure = 2): Overload {
  const overload = new Overload()
  for (let nowMs = 0; nowMs < seconds * 1_000; nowMs += 100) overload.observe(pressure, nowMs)
  return overload
}

test('the pressure is a wait against its target, or refusals against one in twenty', () => {
  expect(pressureOf({ waitMs: 500, targetMs: 1_000, refusedShare: 0 })).toBe(0.5)
  expect(pressureOf({ waitMs: 0, targetMs: 1_000, refusedShare: 0.1 })).toBe(2)
})

describe('the level', () => {
  test('rises by one step a second, in the planned order, to the last', () => {
    expect([0, 1, 2, 3, 4, 5, 6, 60].map((seconds) => pressed(seconds).step)).toEqual([
      null,
      ...OVERLOAD_STEPS,
      'sheddable_plus_off',
    ])
  })

  test('stays while the pressure is neither high nor low', () => {
    const overload = pressed(3)
    for (let nowMs = 3_000; nowMs < 60_000; nowMs += 100) overload.observe(0.7, nowMs)
    expect(overload.level).toBe(3)
  })

  test('is back at nothing within ten seconds of calm, one step a second after three', () => {
    const overload = pressed(10)
    const levels: number[] = []
    for (let nowMs = 10_000; nowMs <= 18_000; nowMs += 100) {
      overload.observe(0, nowMs)
      if (nowMs % 1_000 === 0) levels.push(overload.level)
    }
    expect(levels).toEqual([6, 6, 6, 5, 4, 3, 2, 1, 0])
  })

  test('falls as if it had been looked at, when nobody called for a while', () => {
    const overload = pressed(4)
    overload.observe(0, 4_000)
    overload.observe(0, 60_000)
    expect(overload.level).toBe(0)
  })

  test('does not fall for one moment of calm', () => {
    const overload = pressed(2)
    for (let nowMs = 2_000; nowMs < 20_000; nowMs += 100)
      overload.observe(nowMs % 1_000 === 0 ? 0.6 : 0, nowMs)
    expect(overload.level).toBe(2)
  })

  test('moves by one step a second at most whatever the clock and the pressure do', () => {
    const seen = fc.record({ pressure: fc.double({ min: 0, max: 3, noNaN: true }), nowMs: fc.nat(20_000) })
    fc.assert(
      fc.property(fc.array(seen), (list) => {
        const overload = new Overload()
        let latestMs = 0
        let rises = 0
        for (const { pressure, nowMs } of list) {
          const before = overload.level
          latestMs = Math.max(latestMs, nowMs)
          overload.observe(pressure, nowMs)
          rises += Math.max(0, overload.level - before)
          expect(rises).toBeLessThanOrEqual(1 + Math.floor(latestMs / 1_000))
          expect(overload.level).toBeGreaterThanOrEqual(0)
          expect(overload.level).toBeLessThanOrEqual(OVERLOAD_STEPS.length)
        }
      }),
    )
  })
})

test('the relief from a step is never told sooner than it can be', () => {
  const overload = pressed(6)
  expect(overload.reliefMs('sheddable_plus_off')).toBe(3_000)
  expect(overload.reliefMs('sheddable_off')).toBe(7_000)
  expect(pressed(1).reliefMs('sheddable_off')).toBe(0)
  for (let nowMs = 6_000; nowMs < 12_900; nowMs += 100) overload.observe(0, nowMs)
  expect(overload.has('sheddable_off')).toBe(true)
})

describe('the fate of a call', () => {
  const classes = ['critical_plus', 'critical', 'sheddable_plus', 'sheddable'] as const
  const fates = (seconds: number, isTolerant: boolean) =>
    classes.map((criticality) => fateOf(pressed(seconds), criticality, isTolerant))

  test('critical work is never refused by its class', () => {
    expect(fates(0, false)).toEqual(['serve', 'serve', 'serve', 'serve'])
    expect(fates(1, false)).toEqual(['serve', 'serve', 'serve', 'serve'])
    expect(fates(2, false)).toEqual(['serve', 'serve', 'serve', 'refuse'])
    expect(fates(6, false)).toEqual(['serve', 'serve', 'refuse', 'refuse'])
  })

  test('what can wait is not refused but waits', () => {
    expect(fates(2, true)).toEqual(['serve', 'serve', 'serve', 'batch'])
    expect(fates(5, true)).toEqual(['serve', 'serve', 'batch', 'batch'])
    expect(fates(6, true)).toEqual(['serve', 'serve', 'batch', 'batch'])
  })
})
