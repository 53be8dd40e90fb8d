import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { canonicalJson } from './canonical-json.js'

/** The same value with the members of every object in another order. */
function shuffled(value: unknown, shift: number): unknown {
  if (Array.isArray(value)) return value.map((item) => shuffled(item, shift))
  if (typeof value !== 'object' || value === null) return value
  const entries = Object.entries(value).map(([key, member]) => [key, shuffled(member, shift)] as const)
  const at = entries.length === 0 ? 0 : shift % entries.length
  return Object.fromEntries([...entries.slice(at), ...entries.slice(0, at)].reverse())
}

describe('canonicalJson', () => {
  test.each([
    [{ b: 1, a: [true, null, 'x'] }, '{"a":[true,null,"x"],"b":1}'],
    [{}, '{}'],
    [[], '[]'],
    [[[], {}], '[[],{}]'],
    ['"\n', '"\\"\\n"'],
    [-0, '0'],
    [1e21, '1e+21'],
    [{ a: undefined, b: [undefined] }, '{"b":[null]}'],
    [{ 10: 1, 9: 2, é: 3 }, '{"10":1,"9":2,"é":3}'],
    [undefined, 'null'],
  ])('%j is %s', (value, text) => {
    expect(canonicalJson(value)).toBe(text)
  })

  test('a member called __proto__ is a member like others', () => {
    expect(canonicalJson(JSON.parse('{"b":1,"__proto__":{"a":2}}'))).toBe('{"__proto__":{"a":2},"b":1}')
  })

  test('nesting that no recursion survives is no problem', () => {
    const depth = 200_000
    const text = `${'['.repeat(depth)}${']'.repeat(depth)}`
    let value: unknown[] = []
    for (let level = 1; level < depth; level += 1) value = [value]
    expect(canonicalJson(value) === text).toBe(true)
  })

  test('the order of keys never matters', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.nat(9), (value, shift) => {
        expect(canonicalJson(shuffled(value, shift))).toBe(canonicalJson(value))
      }),
    )
  })

  test('it says the value and nothing else: parsed, it is the value again', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        expect(JSON.parse(canonicalJson(value))).toEqual(JSON.parse(JSON.stringify(value)))
      }),
    )
  })
})
