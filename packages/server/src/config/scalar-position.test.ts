import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type Document, isMap, isScalar, LineCounter, parseDocument, Scalar, stringify } from 'yaml'
import { positionInRaw } from './scalar-position.js'

function rawOf(text: string): { readonly raw: string; readonly value: string } {
  const document: Document = parseDocument(text, { lineCounter: new LineCounter() })
  const node = isMap(document.contents) ? document.contents.items[0]?.value : null
  if (!isScalar(node) || !node.range) throw new Error('the fixture is not a scalar')
  return { raw: text.slice(node.range[0], node.range[1]), value: String(node.value) }
}

describe('positionInRaw', () => {
  test.each([
    ['plain', 'k: abc == x\n', 'x'],
    ['single quotes with a doubled quote', "k: 'it''s x'\n", 'x'],
    ['double quotes with escapes', 'k: "a\\" \\u0041 \\x41 x"\n', 'x'],
    ['a literal block', 'k: |\n  a ==\n    b\n  x\n', 'x'],
    ['a folded block', 'k: >-\n  a ==\n  b &&\n\n  x\n', 'x'],
    ['a literal block with a line of spaces', 'k: |-\n  z\n   \n\n    abz\n', 'a'],
    ['a plain scalar over two lines', 'k: a ==\n   b && x\n', 'x'],
  ])('finds a letter in %s', (_, text, letter) => {
    const { raw, value } = rawOf(text)
    expect(raw[positionInRaw(raw, value, value.indexOf(letter))]).toBe(letter)
  })

  test('the end of the string is where the content ends', () => {
    const { raw, value } = rawOf('k: "abc"\n')
    expect(raw.slice(positionInRaw(raw, value, value.length))).toBe('"')
  })

  test('every letter is found, in every style YAML can write it', () => {
    const styles = fc.constantFrom(
      Scalar.PLAIN,
      Scalar.QUOTE_SINGLE,
      Scalar.QUOTE_DOUBLE,
      Scalar.BLOCK_LITERAL,
      Scalar.BLOCK_FOLDED,
    )
    const words = fc.array(fc.constantFrom('ab', 'cd', 'and', '==', '(', ' ', '\n', "'"), {
      minLength: 1,
      maxLength: 30,
    })
    fc.assert(
      fc.property(words, styles, (pieces, style) => {
        const scalar = new Scalar(`z${pieces.join('')}z`)
        scalar.type = style
        const { raw, value } = rawOf(stringify({ k: scalar }))
        const letters = value
          .split('')
          .map((char, index) => ({ char, index }))
          .filter(({ char }) => /[a-z=(]/.test(char))
        expect(letters.map(({ index }) => raw[positionInRaw(raw, value, index)])).toEqual(
          letters.map(({ char }) => char),
        )
      }),
    )
  })
})
