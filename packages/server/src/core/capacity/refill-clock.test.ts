import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { RefillClock } from './refill-clock.js'

describe('RefillClock', () => {
  test('goes with real time until somebody refuses', () => {
    const clock = new RefillClock(1_000)
    clock.advance(61_500)
    expect(clock.ms).toBe(60_500)
    expect(clock.waitMs(0, 61_500)).toBe(0)
    expect(clock.waitMs(700, 61_500)).toBe(700)
  })

  test('runs at half speed after a refusal and is back after ten seconds, 5 % per second', () => {
    const clock = new RefillClock(0)
    clock.slowDown()
    expect(clock.speed).toBe(0.5)
    clock.advance(1_000)
    expect(clock.speed).toBe(0.55)
    expect(clock.ms).toBe(524)
    clock.advance(10_000)
    expect(clock.speed).toBe(1)
    // Three quarters of ten seconds, but for the last half step.
    expect(clock.ms).toBe(7_499)
    clock.advance(20_000)
    expect(clock.ms).toBe(17_499)
  })

  test('many refusals slow down to 1/32 and no further', () => {
    const clock = new RefillClock(0)
    for (let refusal = 0; refusal < 1_000; refusal += 1) clock.slowDown()
    expect(clock.speed).toBe(1 / 32)
  })

  test('stands still while it rests, and a shorter rest ends no longer one', () => {
    const clock = new RefillClock(0)
    clock.rest(5_000)
    clock.rest(1_000)
    clock.advance(4_999)
    expect([clock.ms, clock.isResting]).toEqual([0, true])
    expect(clock.waitMs(10, 4_999)).toBe(11)
    clock.advance(5_010)
    expect([clock.ms, clock.isResting]).toEqual([10, false])
  })

  test('a clock that is set back a little is waited for; one set back far is believed', () => {
    const clock = new RefillClock(100_000)
    clock.advance(90_000)
    expect([clock.ms, clock.waitMs(5, 90_000)]).toEqual([0, 10_005])
    clock.advance(100_001)
    expect(clock.ms).toBe(1)
    clock.advance(10_000)
    clock.advance(10_500)
    expect(clock.ms).toBe(501)
  })

  test('a jump far ahead counts for a day, and coming back from it loses no more', () => {
    const clock = new RefillClock(0)
    clock.advance(1_000_000_000_000)
    expect(clock.ms).toBe(86_400_000)
    clock.advance(0)
    clock.advance(250)
    expect(clock.ms).toBe(86_400_250)
  })

  const acts = fc.array(
    fc.oneof(
      fc.record({ act: fc.constant('pass'), ms: fc.nat(30_000) }),
      fc.record({ act: fc.constant('rest'), ms: fc.nat(5_000) }),
      fc.record({ act: fc.constant('slow'), ms: fc.constant(0) }),
    ),
    { maxLength: 20 },
  )

  const playedTo = (list: readonly { readonly act: string; readonly ms: number }[]) => {
    const clock = new RefillClock(0)
    let nowMs = 0
    for (const { act, ms } of list) {
      if (act === 'pass') nowMs += ms
      clock.advance(nowMs)
      if (act === 'rest') clock.rest(ms)
      if (act === 'slow') clock.slowDown()
    }
    return { clock, nowMs }
  }

  test('the wait it names is enough, and one ms less is not', () => {
    fc.assert(
      fc.property(acts, fc.integer({ min: 1, max: 90_000 }), (list, refillMs) => {
        const { clock, nowMs } = playedTo(list)
        const waitMs = clock.waitMs(refillMs, nowMs)
        const goalMs = clock.ms + refillMs
        clock.advance(nowMs + waitMs - 1)
        expect(clock.ms).toBeLessThan(goalMs)
        clock.advance(nowMs + waitMs)
        expect(clock.ms).toBeGreaterThanOrEqual(goalMs)
      }),
    )
  })

  test('how often it is looked at changes nothing', () => {
    fc.assert(
      fc.property(acts, fc.array(fc.integer({ min: 1, max: 400 })), (list, looks) => {
        const [often, once] = [playedTo(list), playedTo(list)]
        let nowMs = often.nowMs
        for (const ms of looks) often.clock.advance((nowMs += ms))
        once.clock.advance(nowMs)
        expect([often.clock.ms, often.clock.speed]).toEqual([once.clock.ms, once.clock.speed])
      }),
    )
  })
})
