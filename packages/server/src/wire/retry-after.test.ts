import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { RETRY_AFTER_MAX_MS, retryAfterMs, shouldRetry } from './retry-after.js'

const NOW = Date.parse('2026-11-24T06:00:00Z')

describe('the wait a provider asks for', () => {
  test.each<[Record<string, string>, number | null]>([
    [{}, null],
    [{ 'retry-after-ms': '1500' }, 1500],
    [{ 'retry-after-ms': '1500', 'retry-after': '9' }, 1500],
    [{ 'retry-after': '2' }, 2000],
    [{ 'retry-after': '0' }, 0],
    [{ 'retry-after': '0.25' }, 250],
    [{ 'retry-after': 'Tue, 24 Nov 2026 06:00:30 GMT' }, 30_000],
    [{ 'retry-after': 'Tue, 24 Nov 2026 05:59:00 GMT' }, 0],
    [{ 'retry-after': '7200' }, RETRY_AFTER_MAX_MS],
    [{ 'retry-after': '1795500000' }, null],
    [{ 'retry-after': '-5' }, null],
    [{ 'retry-after': 'soon' }, null],
    [{ 'retry-after': '' }, null],
    [{ 'x-ratelimit-reset-requests': '1s' }, 1000],
    [{ 'x-ratelimit-reset-tokens': '6m0s' }, 360_000],
    [{ 'x-ratelimit-reset-tokens': '1h2m3.5s' }, RETRY_AFTER_MAX_MS],
    [{ 'x-ratelimit-reset-requests': '120ms' }, 120],
    [{ 'x-ratelimit-reset-requests': '8.64s' }, 8640],
    [{ 'x-ratelimit-reset-requests': 's' }, null],
    [{ 'anthropic-ratelimit-requests-reset': '2026-11-24T06:00:12Z' }, 12_000],
    [
      {
        'anthropic-ratelimit-input-tokens-reset': '2026-11-24T06:00:05Z',
        'anthropic-ratelimit-requests-reset': '2026-11-24T06:00:01Z',
      },
      5000,
    ],
  ])('%j -> %s', (headers, waitMs) => {
    expect(retryAfterMs(headers, NOW)).toBe(waitMs)
  })

  test('the limit that is used up decides, not the one that resets last', () => {
    const headers = {
      'x-ratelimit-remaining-requests': '0',
      'x-ratelimit-reset-requests': '2s',
      'x-ratelimit-remaining-tokens': '5000',
      'x-ratelimit-reset-tokens': '50s',
    }
    expect(retryAfterMs(headers, NOW)).toBe(2000)
  })

  test('is never negative, never beyond the cap, whatever the headers say', () => {
    const names = fc.constantFrom(
      'retry-after',
      'retry-after-ms',
      'x-ratelimit-reset-tokens',
      'anthropic-ratelimit-tokens-reset',
    )
    const text = fc.oneof(
      fc.string(),
      fc.double().map(String),
      fc.date({ noInvalidDate: true }).map((date) => date.toUTCString()),
    )
    fc.assert(
      fc.property(fc.dictionary(names, text), (headers) => {
        const waitMs = retryAfterMs(headers, NOW) ?? 0
        expect(waitMs >= 0 && waitMs <= RETRY_AFTER_MAX_MS).toBe(true)
      }),
    )
  })
})

test('x-should-retry is read as it is written, and only then', () => {
  expect(shouldRetry({ 'x-should-retry': 'true' })).toBe(true)
  expect(shouldRetry({ 'x-should-retry': 'False' })).toBe(false)
  expect(shouldRetry({ 'x-should-retry': 'maybe' })).toBeNull()
  expect(shouldRetry({})).toBeNull()
})
