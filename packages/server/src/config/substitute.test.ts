import fc from 'fast-check'
import { expect, test } from 'vitest'
import { substitute } from './substitute.js'

test.each([
  ['plain text', {}, 'plain text'],
  ['${A}', { A: 'x' }, 'x'],
  ['http://${HOST}:${PORT:-80}/v1', { HOST: 'h' }, 'http://h:80/v1'],
  ['${A:-fallback}', { A: '' }, 'fallback'],
  ['${A:-}', {}, ''],
  ['${A}', { A: '' }, ''],
  ['${A:-a:-b}', {}, 'a:-b'],
  ['cost: $5 {x}', {}, 'cost: $5 {x}'],
])('%s with %j gives %s', (text, env, expected) => {
  expect(substitute(text, env)).toMatchObject({ value: expected, problems: [] })
})

test('a missing variable is a problem at its place', () => {
  const { problems } = substitute('a ${B} ${C}', { B: 'x' })
  expect(problems).toEqual([{ index: 7, message: expect.stringContaining('`C` is not set') }])
})

test('what is not a name is a problem', () => {
  expect(substitute('${A B}', {}).problems[0]?.message).toMatch(/write `\$\{NAME\}`/)
})

test('a value from the environment is never read again for references', () => {
  fc.assert(
    fc.property(fc.string(), (secret) => {
      expect(substitute('<${A}>', { A: secret }).value).toBe(`<${secret}>`)
    }),
  )
})
