import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { bundledProviderLimits } from '../config/provider-limits.js'
import type { ProviderConfig } from '../core/release/release.js'
import { readLimitHeaders, toldLimits } from './rate-limit-headers.js'

const NOW = Date.parse('2026-11-24T06:00:00Z')

function placesOf(kind: ProviderConfig['kind'], baseUrl = 'https://host/v1') {
  return bundledProviderLimits().rulesFor({ kind, baseUrl } as ProviderConfig, 'm').headers
}
const openai = placesOf('openai')
const anthropic = placesOf('anthropic')

type Headers = Record<string, string>
const requests = (limit: string, remaining: string, reset?: string): Headers => ({
  'x-ratelimit-limit-requests': limit,
  'x-ratelimit-remaining-requests': remaining,
  ...(reset === undefined ? {} : { 'x-ratelimit-reset-requests': reset }),
})

describe('limits in headers', () => {
  test('OpenAI tells requests and tokens, and the time as a duration', () => {
    const headers = {
      ...requests('500', '499', '120ms'),
      'x-ratelimit-limit-tokens': '200000',
      'x-ratelimit-remaining-tokens': '199984',
      'x-ratelimit-reset-tokens': '6m0s',
    }
    expect(readLimitHeaders(headers, openai, NOW)).toEqual([
      { dimension: 'requests', spanMs: 60_000, limit: 500, isBinding: true, remaining: 499, resetMs: 120 },
      {
        dimension: 'tokens',
        spanMs: 60_000,
        limit: 200_000,
        isBinding: true,
        remaining: 199_984,
        resetMs: 360_000,
      },
    ])
  })

  test('Anthropic tells input and output apart, and the time as a date', () => {
    const headers = {
      'anthropic-ratelimit-requests-limit': '50',
      'anthropic-ratelimit-requests-remaining': '49',
      'anthropic-ratelimit-requests-reset': '2026-11-24T06:00:02Z',
      'anthropic-ratelimit-tokens-limit': '38000',
      'anthropic-ratelimit-tokens-remaining': '38000',
      'anthropic-ratelimit-input-tokens-limit': '30000',
      'anthropic-ratelimit-input-tokens-remaining': '29000',
      'anthropic-ratelimit-output-tokens-limit': '8000',
    }
    expect(readLimitHeaders(headers, anthropic, NOW)).toMatchObject([
      { dimension: 'requests', spanMs: 60_000, limit: 50, remaining: 49, resetMs: 2_000 },
      { dimension: 'input_tokens', spanMs: 60_000, limit: 30_000, remaining: 29_000, resetMs: null },
      { dimension: 'output_tokens', spanMs: 60_000, limit: 8_000, remaining: null, resetMs: null },
    ])
    expect(readLimitHeaders(requests('500', '499'), anthropic, NOW)).toEqual([])
  })

  test('Azure tells what is left; its limit may be of a slice and binds nobody', () => {
    const azure = placesOf('azure')
    expect(readLimitHeaders(requests('10', '9'), azure, NOW)).toMatchObject([
      { dimension: 'requests', limit: 10, isBinding: false, remaining: 9 },
    ])
    expect(readLimitHeaders({ 'x-ratelimit-remaining-requests': '79' }, azure, NOW)).toMatchObject([
      { limit: null, remaining: 79 },
    ])
    expect(readLimitHeaders(requests('-1', '-1', '0'), azure, NOW)).toEqual([])
  })

  test('a day is told from a minute: by who it is, or by how slowly it comes back', () => {
    const groq = placesOf('openai-compatible', 'https://api.groq.com/openai/v1')
    const spans = (headers: Headers, places = openai) =>
      readLimitHeaders(headers, places, NOW).map(({ spanMs }) => spanMs)
    expect(spans(requests('14400', '14370', '2m59.56s'), groq)).toEqual([86_400_000])
    expect(spans(requests('200', '198', '14m24s'))).toEqual([86_400_000])
    expect(spans(requests('60', '59', '1s'))).toEqual([60_000])
    // Rounded up to a second, one of 90,000 looks as if it took a day.
    expect(spans(requests('90000', '89999', '1s'))).toEqual([60_000])
  })

  test.each<[string, Headers]>([
    ['nothing', {}],
    ['words', requests('many', 'some')],
    ['less than nothing', requests('-1', '-1')],
    ['not a number', requests('NaN', 'NaN')],
    ['more than anybody sends', requests('1e30', '5')],
    ['more than anybody counts', requests('9999999999', '5')],
    ['a limit of nothing', requests('0', '5')],
    ['a limit of nothing, with nothing left', requests('0', '0')],
    ['blank', requests('', '')],
  ])('%s is no limit', (_title, headers) => {
    expect(readLimitHeaders(headers, openai, NOW)).toEqual([])
  })

  test('what is absurd is left out, and what is beside it counts', () => {
    const headers = { ...requests('5', '7', 'year 9999'), 'x-ratelimit-remaining-tokens': '12' }
    expect(readLimitHeaders(headers, openai, NOW)).toMatchObject([
      { dimension: 'requests', limit: 5, remaining: null, resetMs: null },
      { dimension: 'tokens', limit: null, remaining: 12 },
    ])
    const far = {
      'anthropic-ratelimit-requests-limit': '50',
      'anthropic-ratelimit-requests-reset': '9999-12-31T23:59:59Z',
    }
    expect(readLimitHeaders(far, anthropic, NOW)).toMatchObject([{ limit: 50, resetMs: null }])
  })

  test('whatever is told stays within bounds', () => {
    const names = [...openai, ...anthropic].flatMap(({ limit, remaining, reset }) => [
      limit,
      remaining,
      reset,
    ])
    const name = fc.constantFrom(...names.filter((each) => each !== null))
    const text = fc.oneof(
      fc.string(),
      fc.integer().map(String),
      fc.double().map(String),
      fc.nat(500).map((ms) => `${ms}ms`),
      fc.date({ noInvalidDate: true }).map((date) => date.toISOString()),
    )
    fc.assert(
      fc.property(fc.dictionary(name, text), (headers) => {
        for (const { limit, remaining, resetMs } of readLimitHeaders(
          headers,
          [...openai, ...anthropic],
          NOW,
        )) {
          expect(limit === null || (limit >= 1 && limit <= 1e9)).toBe(true)
          expect(remaining === null || (remaining >= 0 && remaining <= (limit ?? 1e9))).toBe(true)
          expect(resetMs === null || (resetMs >= 0 && resetMs <= 2 * 86_400_000)).toBe(true)
        }
      }),
    )
  })
})

test('for people input stands for tokens where there is no sum', () => {
  const headers = {
    'anthropic-ratelimit-input-tokens-limit': '30000',
    'anthropic-ratelimit-input-tokens-remaining': '29000',
  }
  expect(toldLimits(readLimitHeaders(headers, anthropic, NOW))).toEqual({
    requests: { limit: null, left: null },
    tokens: { limit: 30_000, left: 29_000 },
  })
  expect(toldLimits([])).toBeNull()
})
