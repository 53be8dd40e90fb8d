import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { didYouMean, editDistance, nearest } from './nearest.js'

const word = fc.oneof(
  fc.string({ maxLength: 12 }),
  fc.string({ unit: fc.constantFrom('a', 'b', 'c', '_'), maxLength: 10 }),
)

describe('editDistance', () => {
  test.each([
    ['', '', 0],
    ['budget', 'budget', 0],
    ['budgte', 'budget', 1],
    ['budge', 'budget', 1],
    ['Budget', 'budget', 0],
    ['kitten', 'sitting', 3],
    ['', 'abc', 3],
  ])('%s to %s takes %i edits', (left, right, edits) => {
    expect(editDistance(left, right)).toBe(edits)
  })

  test('is symmetric, zero only for equal words, at most the longer length, and one edit is one', () => {
    fc.assert(
      fc.property(word, word, (left, right) => {
        const distance = editDistance(left, right)
        expect(distance).toBe(editDistance(right, left))
        expect(distance === 0).toBe(left.toLowerCase() === right.toLowerCase())
        expect(distance).toBeLessThanOrEqual(Math.max(left.length, right.length))
        expect(editDistance(left, `${left}x`)).toBe(1)
      }),
    )
  })
})

describe('nearest', () => {
  test.each([
    ['atributes', 'attributes'],
    ['Contract', 'contract'],
    ['external-id', 'external_id'],
    ['frobnicate', null],
  ])('takes %s to mean %s', (written, meant) => {
    expect(nearest(written, ['attributes', 'budget', 'contract', 'external_id'])).toBe(meant)
  })

  test('gives the closest of several candidates', () => {
    expect(nearest('max_model_call', ['max_tool_calls', 'max_model_calls'])).toBe('max_model_calls')
  })

  test('gives nothing when every word is far', () => {
    expect(nearest('zebra', ['providers', 'tasks'])).toBeNull()
  })

  test('gives nothing for a word too long to compare', () => {
    expect(nearest('a'.repeat(65), ['a'.repeat(64), 'a'.repeat(66)])).toBeNull()
  })

  test('a message lists what is known when nothing is near', () => {
    expect(didYouMean('zebra', ['tasks', 'models'])).toBe('known here: `tasks`, `models`')
  })
})
