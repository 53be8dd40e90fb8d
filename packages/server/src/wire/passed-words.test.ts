import fc from 'fast-check'
import { expect, test } from 'vitest'
import { PASSED_BYTES_MAX, PassedWords } from './passed-words.js'

const inside = (words: string): Buffer => Buffer.from(JSON.stringify(words).slice(1, -1))

test('what was put in piece by piece comes out together, once', () => {
  fc.assert(
    fc.property(fc.array(fc.string({ unit: 'grapheme' }), { maxLength: 40 }), (pieces) => {
      const passed = new PassedWords()
      for (const piece of pieces) {
        const bytes = Buffer.concat([Buffer.from('xx'), inside(piece), Buffer.from('yy')])
        expect(passed.push(bytes, 2, bytes.length - 2)).toBe(true)
      }
      const expected = pieces.length === 0 ? null : { words: pieces.join(''), frames: pieces.length }
      expect(passed.take()).toEqual(expected)
      expect(passed.take()).toBeNull()
    }),
  )
})

test('what has no room is said, and there is room again when all was taken', () => {
  const passed = new PassedWords()
  const half = Buffer.alloc(PASSED_BYTES_MAX / 2, 'a')
  expect(passed.push(half, 0, half.length)).toBe(true)
  expect(passed.push(half, 0, half.length)).toBe(false)
  expect(passed.take()?.words).toBe(half.toString())
  expect(passed.push(half, 0, half.length)).toBe(true)
  const all = Buffer.alloc(PASSED_BYTES_MAX, 'a')
  expect(new PassedWords().push(all, 0, all.length)).toBe(false)
})
