import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { fitsDeadline, isDeploymentFault, isRetryable, isThrottle, retryDelayMs } from './retry.js'

describe('isRetryable', () => {
  const goodEnds = ['connection', 'timeout', 'broken', 'broken_stream', 'invalid_body', 'throttled']
  const goodStatuses = [408, 409, 424, 429, 500, 502, 503, 504, 529]
  const badEnds = ['ok', 'cut', 'caller_left', 'aborted', 'too-large', 'http_5', 'http_5000', '']
  const badStatuses = [200, 400, 401, 402, 403, 404, 413, 422]

  test.each([...goodEnds, ...goodStatuses.map((status) => `http_${status}`)])(
    '%s may be tried again',
    (end) => {
      expect(isRetryable(end)).toBe(true)
    },
  )

  test.each([...badEnds, ...badStatuses.map((status) => `http_${status}`)])('%s is final', (end) => {
    expect(isRetryable(end)).toBe(false)
  })
})

describe('isDeploymentFault', () => {
  test('a bad key, no credit or no such model speak against the deployment, not the request', () => {
    expect([401, 402, 403, 404].map((status) => isDeploymentFault(`http_${status}`))).not.toContain(false)
    expect(isDeploymentFault('credentials')).toBe(true)
    expect(isRetryable('credentials')).toBe(false)
    expect(['http_400', 'http_413', 'http_422', 'http_500', 'ok'].map(isDeploymentFault)).not.toContain(true)
  })
})

test('what is too much at a time makes a deployment rest, and nothing else does', () => {
  expect(['http_429', 'http_503', 'http_529', 'throttled'].map(isThrottle)).not.toContain(false)
  expect(['http_400', 'http_500', 'timeout', 'credentials', 'ok', 'http_4290'].map(isThrottle)).not.toContain(
    true,
  )
})

describe('retryDelayMs', () => {
  const most = (attempt: number): number =>
    retryDelayMs({ attempt, retryAfterMs: null, random: 1 - Number.EPSILON })

  test('the longest wait doubles up to the cap', () => {
    expect([1, 2, 3, 6, 7, 2_000].map(most)).toEqual([249, 499, 999, 7_999, 7_999, 7_999])
  })

  test('the shortest is none: full jitter', () => {
    expect(retryDelayMs({ attempt: 5, retryAfterMs: null, random: 0 })).toBe(0)
  })

  test('what the provider asked for is a floor, above the cap too', () => {
    expect(retryDelayMs({ attempt: 1, retryAfterMs: 20_000, random: 0 })).toBe(20_000)
    expect(retryDelayMs({ attempt: 1, retryAfterMs: 20_000, random: 0.5 })).toBe(20_125)
  })

  test('any wait is a whole number of ms, within its bounds', () => {
    const ask = fc.record({
      attempt: fc.integer({ min: 0, max: 100 }),
      retryAfterMs: fc.option(fc.integer({ min: 0, max: 3_600_000 })),
      random: fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
      baseMs: fc.integer({ min: 1, max: 1_000 }),
      capMs: fc.integer({ min: 1, max: 10_000 }),
    })
    fc.assert(
      fc.property(ask, (given) => {
        const delay = retryDelayMs(given)
        const floor = given.retryAfterMs ?? 0
        expect(Number.isInteger(delay)).toBe(true)
        expect(delay).toBeGreaterThanOrEqual(floor)
        expect(delay - floor).toBeLessThan(given.retryAfterMs === null ? given.capMs : given.baseMs)
      }),
    )
  })
})

test('a wait that leaves no time does not fit', () => {
  expect([fitsDeadline(99, 100), fitsDeadline(100, 100), fitsDeadline(0, -5)]).toEqual([true, false, false])
})
