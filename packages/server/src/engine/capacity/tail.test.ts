import { describe, expect, test } from 'vitest'
import type { Demand, Observation } from '../../core/capacity/demand.js'
import { Tail } from './tail.js'

const STREAM: Demand = {
  inputTokens: 100,
  outputTokens: 50,
  outputTokensMax: 100,
  criticality: 'critical',
  tenant: 'a',
  weight: 1,
  deadlineMs: 1e12,
  stream: true,
}
const WHOLE: Demand = { ...STREAM, stream: false }
const SEEN: Observation = {
  end: 'ok',
  status: 200,
  durationMs: 500,
  firstTokenMs: 100,
  inputTokens: 100,
  cachedTokens: 0,
  outputTokens: 50,
  frames: 41,
  retryAfterMs: null,
  headers: {},
}

function taught(demand: Demand, seen: Partial<Observation> = {}, count = 20): Tail {
  const tail = new Tail()
  for (let call = 0; call < count; call++) tail.learn(demand, { ...SEEN, ...seen })
  return tail
}

describe('Tail', () => {
  test('after twenty calls it knows when such calls begin, and nothing of others', () => {
    expect(taught(STREAM, {}, 19).firstTokenP95(STREAM)).toBeNull()
    const tail = taught(STREAM)
    expect(tail.firstTokenP95(STREAM)).toBeGreaterThanOrEqual(100)
    expect(tail.firstTokenP95(STREAM)).toBeLessThan(112)
    expect(tail.firstTokenP95({ ...STREAM, inputTokens: 20_000 })).toBeNull()
    expect(tail.firstTokenP95(WHOLE)).toBeNull()
    expect(taught(WHOLE).firstTokenP95({ ...WHOLE, outputTokensMax: 4_000 })).toBeNull()
  })

  test('a refusal is quick and teaches nothing', () => {
    expect(taught(STREAM, { end: 'http_429', status: 429, firstTokenMs: 5 }).firstTokenP95(STREAM)).toBeNull()
  })

  test('what was cut short counts as long as it had taken, or cutting would make all look quick', () => {
    const cut = { end: 'hedge_lost', firstTokenMs: null, durationMs: 900 }
    expect(taught(STREAM, cut).firstTokenP95(STREAM)).toBeGreaterThanOrEqual(900)
    const left = { end: 'caller_left', firstTokenMs: null, durationMs: 900 }
    expect(taught(STREAM, left).firstTokenP95(STREAM)).toBeNull()
  })

  test('the pace of streams is per frame, that of whole answers by the longest that is allowed', () => {
    expect(taught(STREAM).perFrameMs()).toBeCloseTo(10)
    expect(taught(STREAM).workMs(WHOLE)).toBe(0)
    expect(taught(WHOLE).perFrameMs()).toBeNull()
    expect(taught(WHOLE, { firstTokenMs: 500 }).workMs(WHOLE)).toBeCloseTo(1_000)
    expect(taught(WHOLE).workMs(STREAM)).toBe(0)
  })
})
