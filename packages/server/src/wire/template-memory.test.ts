import fc from 'fast-check'
import { expect, test } from 'vitest'
import { TEMPLATES_MAX, TemplateMemory, type TemplateValue } from './template-memory.js'

function bytesOf(key: readonly TemplateValue[]): Uint8Array {
  return Buffer.from(key.map((value) => `${typeof value} ${String(value)}`).join('|'))
}

test('a template is made once for a key', () => {
  let made = 0
  const memory = new TemplateMemory<readonly [string, boolean]>((key) => {
    made += 1
    return bytesOf(key)
  })
  const first = memory.of(['a', true])
  expect(memory.of(['a', true])).toBe(first)
  expect(memory.of(['a', false])).not.toEqual(first)
  expect(made).toBe(2)
})

test('whatever was asked for before, a key gets what is made from it', () => {
  const value = fc.constantFrom<TemplateValue>('a', 'b', '', 'null', '1', 1, true, false, null)
  const keys = fc.array(fc.tuple(value, value, value), { maxLength: 40 })
  fc.assert(
    fc.property(keys, (asked) => {
      const memory = new TemplateMemory(bytesOf)
      for (const key of asked) expect(memory.of(key)).toEqual(bytesOf(key))
    }),
  )
})

test('a value that is always another does not fill the memory: it begins anew', () => {
  let made = 0
  const memory = new TemplateMemory<readonly [string, number]>((key) => {
    made += 1
    return bytesOf(key)
  })
  for (let n = 0; n < TEMPLATES_MAX; n += 1) memory.of(['a', n])
  memory.of(['a', 0])
  expect(made).toBe(TEMPLATES_MAX)
  memory.of(['a', TEMPLATES_MAX])
  expect(memory.of(['a', 0])).toEqual(bytesOf(['a', 0]))
  expect(made).toBe(TEMPLATES_MAX + 2)
})
