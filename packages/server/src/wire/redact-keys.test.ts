import { expect, test } from 'vitest'
import { redactKeys } from './redact-keys.js'

test('what is known to be a secret goes, whatever it looks like', () => {
  expect(redactKeys('key my-own-secret is off, a is not', ['my-own-secret', 'a'])).toBe(
    'key [redacted] is off, a is not',
  )
})

test.each([
  ['Incorrect API key provided: sk-proj-abcdef1234', 'Incorrect API key provided: [redacted]'],
  ['key AIzaSyA1234567890abcdefg is off', 'key [redacted] is off'],
  ['token ya29.a0AfH6SMBx-y_z12 has ended', 'token [redacted] has ended'],
  ['the key AKIAIOSFODNN7EXAMPLE', 'the key [redacted]'],
  [
    "should have been 'POST\nx-amz-security-token:IQoJb3JpZ2luX2VjEJr/abc+def==\nhost:h'",
    "should have been 'POST\n[redacted]\nhost:h'",
  ],
  ['session FwoGZXIvYXdzEBYaDH/x+y/z1234== ended', 'session [redacted] ended'],
  ['the model amazon.nova-lite-v1:0 is not known', 'the model amazon.nova-lite-v1:0 is not known'],
])('%j is told as %j', (text, shown) => {
  expect(redactKeys(text)).toBe(shown)
})
