import { describe, expect, test } from 'vitest'
import { Quota } from './quota.js'

const NONE = { requestsPerMinute: null, tokensPerMinute: null, concurrency: null }

describe('Quota', () => {
  test('without limits there is always room', () => {
    const quota = new Quota(NONE, 0)
    for (let call = 0; call < 100; call++) quota.begin(0)
    quota.used(1e9, 0)
    expect(quota.waitMs(0)).toBe(0)
  })

  test('a minute has room for its requests, and for one more as soon as it has been made up for', () => {
    const quota = new Quota({ ...NONE, requestsPerMinute: 60 }, 0)
    for (let call = 0; call < 60; call++) quota.begin(0)
    expect(quota.waitMs(0)).toBe(1_000)
    expect(quota.waitMs(1_000)).toBe(0)
  })

  test('a call that was never made gives its request back', () => {
    const quota = new Quota({ ...NONE, requestsPerMinute: 1 }, 0)
    quota.begin(0)
    quota.end(false)
    expect(quota.waitMs(0)).toBe(0)
  })

  test('tokens are taken when they are known: the call that overdraws is served, the next one waits', () => {
    const quota = new Quota({ ...NONE, tokensPerMinute: 600 }, 0)
    expect(quota.waitMs(0)).toBe(0)
    quota.used(1_200, 0)
    expect(quota.waitMs(0)).toBeGreaterThan(60_000)
    expect(quota.waitMs(61_000)).toBe(0)
  })

  test('calls at once are bounded until one ends', () => {
    const quota = new Quota({ ...NONE, concurrency: 2 }, 0)
    quota.begin(0)
    quota.begin(0)
    expect(quota.waitMs(0)).toBeGreaterThan(0)
    quota.end(true)
    expect(quota.waitMs(0)).toBe(0)
  })

  test('a reload that lowers a limit keeps what was used', () => {
    const quota = new Quota({ ...NONE, requestsPerMinute: 100 }, 0)
    for (let call = 0; call < 95; call++) quota.begin(0)
    quota.adopt({ ...NONE, requestsPerMinute: 10 }, 0)
    for (let call = 0; call < 5; call++) quota.begin(0)
    expect(quota.waitMs(0)).toBeGreaterThan(0)
  })

  test('a clock that is set back an hour freezes nobody for an hour', () => {
    const quota = new Quota({ ...NONE, requestsPerMinute: 60 }, 3_600_000)
    for (let call = 0; call < 60; call++) quota.begin(3_600_000)
    expect(quota.waitMs(0)).toBe(1_000)
    expect(quota.waitMs(1_000)).toBe(0)
  })
})
