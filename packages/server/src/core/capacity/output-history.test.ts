import { describe, expect, test } from 'vitest'
import { OutputHistory, expectedTokens } from './output-history.js'

describe('the answers of a contract by a model', () => {
  test('are expected as they were, once there were some', () => {
    const history = new OutputHistory()
    for (let each = 0; each < 4; each++) history.add('a', 'm', 100)
    expect(history.expected('a', 'm')).toBeNull()
    for (let each = 1; each <= 96; each++) history.add('a', 'm', each % 5 === 0 ? 900 : 100)
    const expected = history.expected('a', 'm')
    expect(Math.abs((expected?.p50 ?? 0) - 100)).toBeLessThan(20)
    expect(Math.abs((expected?.p90 ?? 0) - 900)).toBeLessThan(130)
    expect(history.expected('b', 'm')).toBeNull()
  })

  test('are forgotten beyond 500 pairs', () => {
    const history = new OutputHistory()
    for (let each = 0; each < 700; each++) {
      for (let times = 0; times < 6; times++) history.add(`c${each}`, 'm', 50)
    }
    expect(history.expected('c0', 'm')).toBeNull()
    expect(history.expected('c699', 'm')).not.toBeNull()
  })
})

test('what is expected is never more than the call may generate', () => {
  expect(expectedTokens({ p50: 300, p90: 900, p95: 950 }, 1_000)).toBe(300)
  expect(expectedTokens({ p50: 300, p90: 900, p95: 950 }, 100)).toBe(100)
  expect([expectedTokens(null, 100), expectedTokens(null, 32_000)]).toEqual([100, 512])
})
