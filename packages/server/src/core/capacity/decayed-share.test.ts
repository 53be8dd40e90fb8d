import { expect, test } from 'vitest'
import { DecayedShare } from './decayed-share.js'

test('is the share of late, and forgets', () => {
  const share = new DecayedShare(5_000)
  expect(share.at(0)).toBe(0)
  for (let count = 0; count < 20; count++) share.count(count % 4 === 0, 1_000)
  expect(share.at(1_000)).toBe(0.25)
  for (let count = 0; count < 20; count++) share.count(false, 31_000)
  expect(share.at(31_000)).toBeLessThan(0.01)
})

test('what happened long ago is nothing, and a clock that jumps leaves a share', () => {
  const share = new DecayedShare(5_000)
  share.count(true, 1e12)
  expect(share.at(0)).toBe(1)
  expect(share.at(1e12 + 60_000)).toBe(0)
  expect(share.at(1e15)).toBe(0)
})
