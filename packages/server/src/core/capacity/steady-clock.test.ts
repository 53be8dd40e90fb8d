import fc from 'fast-check'
import { expect, test } from 'vitest'
import { SteadyClock } from './steady-clock.js'

test('a clock that is set back goes on from where it was', () => {
  const clock = new SteadyClock()
  expect(clock.at(10_000)).toBe(10_000)
  expect(clock.at(4_000)).toBe(10_000)
  expect(clock.at(4_500)).toBe(10_500)
  expect(clock.at(3_500)).toBe(10_500)
  expect(clock.at(20_000)).toBe(27_000)
})

test('it never goes back, and passes at least as fast as the clock it reads', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: -1e6, max: 1e6 }), { minLength: 2 }), (steps) => {
      const clock = new SteadyClock()
      let wallMs = 1e12
      let beforeMs = clock.at(wallMs)
      for (const step of steps) {
        wallMs += step
        const nowMs = clock.at(wallMs)
        expect(nowMs - beforeMs).toBe(Math.max(0, step))
        beforeMs = nowMs
      }
    }),
  )
})
