import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { editDistance, nearest } from './nearest.js'

const word = fc.string({ maxLength: 12 })

test('the distance is symmetric, zero only for equal words, and one edit is one', () => {
  fc.assert(
    fc.property(word, word, (left, right) => {
      expect(editDistance(left, right)).toBe(editDistance(right, left))
      expect(editDistance(left, right) === 0).toBe(left === right)
      expect(editDistance(left, `${left}x`)).toBe(1)
    }),
  )
})

test.each([
  ['atributes', 'attributes'],
  ['Contract', 'contract'],
  ['external-id', 'external_id'],
  ['frobnicate', null],
])('%s is taken to mean %s', (written, meant) => {
  expect(nearest(written, ['attributes', 'budget', 'contract', 'external_id'])).toBe(meant)
})

test('an overlong word is not compared at all', () => {
  expect(nearest('a'.repeat(65), ['a'.repeat(64)])).toBeNull()
})
