import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { celKeywords } from './keywords.js'

describe('celKeywords', () => {
  test.each([
    ['a and b', 'a &&  b'],
    ['a or b', 'a || b'],
    ['not a', '!   a'],
    ['not (a or b)', '!   (a || b)'],
    ['(a)and(b)', '(a)&& (b)'],
    ['android and order', 'android &&  order'],
    ['labels.or == 1', 'labels.or == 1'],
    ['labels . and', 'labels . and'],
    ["x == 'and not or'", "x == 'and not or'"],
    ['x == "a \\" and b" and c', 'x == "a \\" and b" &&  c'],
    ["x == r'\\' and y", "x == r'\\' &&  y"],
    ['x == """and "or" not""" or y', 'x == """and "or" not""" || y'],
    ["x == '''it's and'''", "x == '''it's and'''"],
    ['a // and then\n and b', 'a // and then\n &&  b'],
    ['x == "never closed and', 'x == "never closed and'],
  ])('%s becomes %s', (source, expected) => {
    expect(celKeywords(source)).toBe(expected)
  })

  const words = fc.constantFrom('and', 'or', 'not', 'a', '_', '1')
  const marks = fc.constantFrom('"', "'", '"""', "'''", 'r"', "r'", '\\', '\n', '//', ' ', '.', '(', ')')
  const piece = fc.oneof(words, marks)

  test('never changes the length, and changes nothing but the three words', () => {
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 30 }), (pieces) => {
        const source = pieces.join('')
        const result = celKeywords(source)
        expect(result).toHaveLength(source.length)
        const changed = source.split('').filter((char, at) => result[at] !== char)
        expect(changed.join('')).toMatch(/^(and|or|not)*$/)
      }),
    )
  })

  test('leaves strings as they are, whatever is in them', () => {
    const content = fc.array(fc.constantFrom('and', 'or', 'not', ' ', 'x', '//', '.'), { maxLength: 12 })
    const quote = fc.constantFrom('"', "'", '"""', "'''")
    fc.assert(
      fc.property(content, quote, fc.constantFrom('', 'r', 'b'), (inside, mark, prefix) => {
        const literal = `${prefix}${mark}${inside.join('')}${mark}`
        // An empty single-quote string followed by one more quote would be another token.
        fc.pre(inside.length > 0)
        expect(celKeywords(`a and ${literal} or b`)).toBe(`a &&  ${literal} || b`)
      }),
    )
  })
})
