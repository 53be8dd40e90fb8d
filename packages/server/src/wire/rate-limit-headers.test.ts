import { expect, test } from 'vitest'
import { toldLimits } from './rate-limit-headers.js'

const NOTHING = { limit: null, left: null }

test.each([
  [{}, null],
  [{ 'x-ratelimit-limit-requests': 'many', 'x-ratelimit-remaining-tokens': '-1' }, null],
  [
    {
      'x-ratelimit-limit-requests': '500',
      'x-ratelimit-remaining-requests': '499',
      'x-ratelimit-limit-tokens': '200000',
      'x-ratelimit-remaining-tokens': '199984',
    },
    { requests: { limit: 500, left: 499 }, tokens: { limit: 200_000, left: 199_984 } },
  ],
  // Azure tells what is left, and not always of how much.
  [{ 'x-ratelimit-remaining-requests': '9' }, { requests: { limit: null, left: 9 }, tokens: NOTHING }],
  [
    {
      'anthropic-ratelimit-requests-limit': '50',
      'anthropic-ratelimit-requests-remaining': '49',
      'anthropic-ratelimit-input-tokens-limit': '30000',
      'anthropic-ratelimit-input-tokens-remaining': '29000',
      'anthropic-ratelimit-output-tokens-limit': '8000',
    },
    { requests: { limit: 50, left: 49 }, tokens: { limit: 30_000, left: 29_000 } },
  ],
])('%j tells %j', (headers, limits) => {
  expect(toldLimits(headers)).toEqual(limits)
})
