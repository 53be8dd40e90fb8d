import { expect, test } from 'vitest'
import { CRITICALITIES } from './demand.js'
import { HoldBack, usableOf } from './hold-back.js'

function shares(holdBack: HoldBack, nowMs: number): readonly number[] {
  return CRITICALITIES.map((criticality) => holdBack.shareOf(criticality, nowMs))
}

test('where all work is of one class, nothing is held back', () => {
  const holdBack = new HoldBack()
  holdBack.see('sheddable', 0)
  expect(shares(holdBack, 0)).toEqual([1, 1, 1, 1])
})

test('room is kept for the classes above, for a minute after their last call', () => {
  const holdBack = new HoldBack()
  holdBack.see('critical', 0)
  expect(shares(holdBack, 59_999)).toEqual([1, 1, 0.75, 0.5])
  holdBack.see('critical_plus', 59_999)
  expect(shares(holdBack, 60_000)).toEqual([1, 0.9, 0.75, 0.5])
  expect(shares(holdBack, 119_999)).toEqual([1, 1, 1, 1])
})

test('a clock that jumps back keeps no room for ever', () => {
  const holdBack = new HoldBack()
  holdBack.see('critical_plus', 1e12)
  expect(shares(holdBack, 0)).toEqual([1, 1, 1, 1])
})

test('of few calls nothing is kept, and one may always run', () => {
  expect([1, 2, 10, 64].map((limit) => usableOf(limit, 0.9))).toEqual([1, 2, 9, 58])
  expect([1, 2, 3, 4].map((limit) => usableOf(limit, 0.5))).toEqual([1, 1, 2, 2])
  expect(usableOf(7, 1)).toBe(7)
})
