import { expect, test } from 'vitest'
import { SteadyClock } from './steady-clock.js'

test('passes as the wall clock does, stands still when it jumps back, and goes on from there', () => {
  const clock = new SteadyClock()
  expect([1_000, 1_500, 200, 300, 300].map((wallMs) => clock.at(wallMs))).toEqual([0, 500, 500, 600, 600])
  expect(clock.nowMs).toBe(600)
})

test('a jump ahead is a day at most', () => {
  const clock = new SteadyClock()
  clock.at(0)
  expect(clock.at(1e15)).toBe(24 * 3_600_000)
})
