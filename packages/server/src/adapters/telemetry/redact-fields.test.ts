import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { redactFields, redactText } from './redact-fields.js'

describe('a value that is named like a secret', () => {
  test.each([
    'authorization',
    'api_key',
    'apiKey',
    'x-api-key',
    'SECRET',
    'client_secret',
    'password',
    'accessToken',
    'token',
    'cookie',
    'keys',
    'secretAccessKey',
  ])('%s is not logged', (name) => {
    expect(redactFields({ [name]: 'hunter2hunter2' })).toEqual({ [name]: '[redacted]' })
  })

  test('is found inside objects and lists', () => {
    expect(redactFields({ tenant: { name: 'acme', keys: ['a', 'b'] }, list: [{ token: 'x' }] })).toEqual({
      tenant: { name: 'acme', keys: '[redacted]' },
      list: [{ token: '[redacted]' }],
    })
  })

  test.each([
    ['outputTokens', 12],
    ['tokens', 'twelve'],
    ['hasToken', true],
    ['monkey', 'banana'],
    ['key', 4],
  ])('%s is not one', (name, value) => {
    expect(redactFields({ [name]: value })).toEqual({ [name]: value })
  })
})

describe('a text that contains what looks like a secret', () => {
  test.each([
    ['failed with sk-proj-abcdefgh12345678', 'failed with [redacted]'],
    ['sk-ant-api03-abcdefgh_1 and AKIAIOSFODNN7EXAMPLE', '[redacted] and [redacted]'],
    ['Authorization: Bearer abc.def-ghi', 'Authorization: Bearer [redacted]'],
    ['https://user:pa55@host/path', 'https://[redacted]@host/path'],
    ['ghp_0123456789abcdef0123', '[redacted]'],
    ['eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIx.c2ln', '[redacted]'],
  ])('%s loses it', (text, clean) => {
    expect(redactText(text)).toBe(clean)
  })

  test('keeps everything else', () => {
    const text = 'openai/gpt-4o-mini answered 429 after 12 ms (task_01JABC)'
    expect(redactText(text)).toBe(text)
  })
})

test('an error is told by type, code and message, cleaned, with its cause', () => {
  const error = Object.assign(new Error('key sk-abcdefgh12345678 refused', { cause: new Error('inner') }), {
    code: 'EX',
  })
  const fields = redactFields({ error })
  expect(fields['error']).toMatchObject({
    type: 'Error',
    code: 'EX',
    message: 'key [redacted] refused',
    cause: { message: 'inner' },
  })
  expect(JSON.stringify(fields)).not.toContain('sk-abcdefgh')
})

test('what is logged is bounded in depth, length and breadth, and cycles end', () => {
  const cycle: Record<string, unknown> = {}
  cycle['self'] = cycle
  const fields = redactFields({
    cycle,
    long: 'x'.repeat(10_000),
    many: Array.from({ length: 1_000 }, () => 1),
  })
  expect(JSON.stringify(fields).length).toBeLessThan(3_000)
})

test('anything at all can be logged', () => {
  fc.assert(
    fc.property(fc.dictionary(fc.string(), fc.anything({ withBigInt: true, withDate: true })), (fields) => {
      JSON.stringify(redactFields(fields))
    }),
  )
})
