import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { readError } from './read-error.js'

describe("a provider's error", () => {
  test.each([
    [
      'OpenAI',
      429,
      '{"error":{"message":"Rate limit reached","type":"requests","param":null,"code":"rate_limit_exceeded"}}',
      ['requests', 'rate_limit_exceeded', 'Rate limit reached'],
    ],
    [
      'Anthropic',
      529,
      '{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"},"request_id":"req_1"}',
      ['overloaded_error', null, 'Overloaded'],
    ],
    [
      'vLLM',
      400,
      '{"object":"error","message":"too long","type":"BadRequestError","param":null,"code":400}',
      ['BadRequestError', '400', 'too long'],
    ],
    ['Ollama', 404, '{"error":"model not found"}', [null, null, 'model not found']],
    ['FastAPI', 405, '{"detail":"Method Not Allowed"}', [null, null, 'Method Not Allowed']],
    ['a plain line', 502, 'upstream connect error\n', [null, null, 'upstream connect error']],
    [
      'a page',
      502,
      '<html><body>Network connection lost</body></html>',
      [null, null, 'HTTP 502 without a readable error'],
    ],
    ['nothing', 503, '', [null, null, 'HTTP 503 without a readable error']],
    ['other JSON', 500, '{"id":"x"}', [null, null, 'HTTP 500 without a readable error']],
  ])('from %s is read', (_, status, body, [type, code, message]) => {
    expect(readError(status, body)).toEqual({ type, code, message })
  })

  test.each([
    'sk-proj-abcDEF1234567890',
    'sk-ant-api03-AbCd_1234-xyz',
    'sk-abc***********wxyz',
    'AKIAIOSFODNN7EXAMPLE',
    'AIzaSyD-1234567890abcdefghijklmnop',
    'hf_abcdefghijklmnop',
    'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl',
    'abcdef0123456789abcdef0123456789',
  ])('loses the key %s', (key) => {
    const { message } = readError(
      401,
      JSON.stringify({ error: { message: `Incorrect API key provided: ${key}. Bearer ${key}` } }),
    )
    expect(message).not.toContain(key)
    expect(message).toContain('Incorrect API key provided: [redacted]')
  })

  test('keeps model names and plain words', () => {
    const message =
      'The model `claude-3-5-sonnet-20241022` or `meta-llama/Llama-3.1-8B-Instruct` does not support api_version; see risk-assessment'
    expect(readError(404, JSON.stringify({ error: { message } })).message).toBe(message)
  })

  test('is short, and never throws', () => {
    expect(
      readError(400, JSON.stringify({ error: { message: 'a b '.repeat(5000) } })).message.length,
    ).toBeLessThan(1100)
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json()), (body) => {
        expect(readError(500, body).message).not.toBe('')
      }),
    )
  })
})
