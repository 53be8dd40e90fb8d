import fc from 'fast-check'
import { expect, test } from 'vitest'
import { jsonBytes } from './json-bytes.js'

test('the bytes are those of the text, whatever is in it', () => {
  fc.assert(
    fc.property(fc.dictionary(fc.string({ unit: 'binary' }), fc.anything()), (value) => {
      const plain: object = JSON.parse(JSON.stringify(value, (_, each: unknown) => withoutBigInt(each)))
      expect(jsonBytes(plain)).toEqual(Buffer.from(JSON.stringify(plain)))
    }),
  )
})

const withoutBigInt = (value: unknown) => (typeof value === 'bigint' ? String(value) : value)

test.each([0, 1, 80_000, 87_380, 87_381, 100_000, 300_000])('a text of %i characters', (length) => {
  for (const character of ['a', 'é', '–', '😀', '\ud800']) {
    const value = [character.repeat(length)]
    expect(jsonBytes(value).equals(Buffer.from(JSON.stringify(value)))).toBe(true)
  }
})

test('what was made before stays as it was', () => {
  const first = jsonBytes({ a: 'first' })
  jsonBytes({ b: 'second' })
  expect(first.toString()).toBe('{"a":"first"}')
})
