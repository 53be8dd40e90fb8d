import { describe, expect, test } from 'vitest'
import { seededRandom } from '../../testing/fake-system.js'
import { ServiceModel } from './service-model.js'

const IDLE = { wasBusy: false }

/** First token = 100 ms + 0.1 ms per token, up to a tenth later; then 20 ms + 1 ms per call running. */
function learned(count = 300): ServiceModel {
  const model = new ServiceModel()
  const random = seededRandom(3)
  for (let each = 0; each < count; each++) {
    const inputTokens = 200 + Math.round(random() * 4_000)
    const firstTokenMs = (100 + 0.1 * inputTokens) * (1 + random() * 0.1)
    model.sawFirstToken({ ms: firstTokenMs, uncachedTokens: inputTokens, ...IDLE })
    const running = 1 + Math.floor(random() * 30)
    const durationMs = firstTokenMs + 199 * (20 + running)
    model.sawAnswer({ durationMs, firstTokenMs, inputTokens, cachedTokens: 0, outputTokens: 200, running })
  }
  return model
}

describe('with no data', () => {
  test('everything is unknown', () => {
    const model = new ServiceModel()
    expect(model.predictFirstTokenMs(1_000, 0)).toBeNull()
    expect(model.perTokenMs()).toBeNull()
    expect(model.predictTotalMs({ inputTokens: 1, outputTokens: 1 })).toBeNull()
    expect(model.firstTokenMs(0.95)).toBeNull()
  })

  test('one size of prompt says nothing about one ten times as long', () => {
    const model = new ServiceModel()
    for (let each = 0; each < 50; each++) model.sawFirstToken({ ms: 200, uncachedTokens: 1_000, ...IDLE })
    expect(model.predictFirstTokenMs(1_200, 0)).toBeCloseTo(200)
    expect(model.predictFirstTokenMs(10_000, 0)).toBeNull()
  })
})

describe('the first token', () => {
  test('is predicted by the tokens that are read, without those of the cache', () => {
    const model = learned()
    expect(within(model.predictFirstTokenMs(2_000, 0), 300, 0.1)).toBe(true)
    expect(within(model.predictFirstTokenMs(8_000, 0), 900, 0.15)).toBe(true)
    expect(within(model.predictFirstTokenMs(8_000, 7_000), 200, 0.15)).toBe(true)
  })

  test('of calls that found it busy is no property of it, but is what to expect now', () => {
    const model = learned()
    for (let each = 0; each < 100; each++) {
      model.sawFirstToken({ ms: 3_000, uncachedTokens: 2_000, wasBusy: true })
    }
    expect(within(model.firstTokenAtLowLoadMs(2_000), 300, 0.6)).toBe(true)
    expect(model.predictFirstTokenMs(2_000, 0)).toBeGreaterThan(1_500)
  })

  test('of a deployment that has become slower is learned anew', () => {
    const model = learned()
    for (let each = 0; each < 3_000; each++) {
      model.sawFirstToken({ ms: 900, uncachedTokens: 1_000 + (each % 3) * 1_000, ...IDLE })
    }
    expect(model.firstTokenAtLowLoadMs(2_000)).toBeGreaterThan(700)
  })

  test('has percentiles of late', () => {
    const model = new ServiceModel()
    for (let each = 1; each <= 1_000; each++) model.sawFirstToken({ ms: each, uncachedTokens: 10, ...IDLE })
    expect(within(model.firstTokenMs(0.5), 650, 0.15)).toBe(true)
    expect(within(model.firstTokenMs(0.95), 970, 0.12)).toBe(true)
  })
})

test('answers that only come whole are predicted by the tokens they have', () => {
  const model = new ServiceModel()
  for (let each = 1; each <= 60; each++) {
    const outputTokens = 20 + (each % 10) * 20
    const durationMs = 500 + outputTokens * 10
    model.sawAnswer({
      durationMs,
      firstTokenMs: null,
      inputTokens: 9,
      cachedTokens: 0,
      outputTokens,
      running: 1,
    })
  }
  expect(within(model.predictTotalMs({ inputTokens: 9, outputTokens: 100 }), 1_500, 0.02)).toBe(true)
  expect(model.predictFirstTokenMs(9, 0)).toBeNull()
})

describe('the time per token', () => {
  test('grows with the calls that run, as was seen', () => {
    const model = learned()
    expect(within(model.perTokenMs(1), 21, 0.1)).toBe(true)
    expect(within(model.perTokenMs(40), 60, 0.1)).toBe(true)
  })

  test('is not learned from answers too short to say', () => {
    const model = new ServiceModel()
    const answer = { durationMs: 500, firstTokenMs: 100, inputTokens: 9, cachedTokens: 0, running: 1 }
    for (let each = 0; each < 50; each++) model.sawAnswer({ ...answer, outputTokens: 2 })
    expect(model.perTokenMs()).toBeNull()
  })

  test('makes the whole with the first token', () => {
    const total = learned().predictTotalMs({ inputTokens: 2_000, outputTokens: 101 })
    expect(within(total, 300 + 100 * 35.5, 0.1)).toBe(true)
  })
})

test('numbers that are none change nothing', () => {
  const model = learned()
  const before = model.predictTotalMs({ inputTokens: 2_000, outputTokens: 100 })
  for (const ms of [NaN, Infinity, -5]) {
    model.sawFirstToken({ ms, uncachedTokens: 2_000, ...IDLE })
    model.sawAnswer({
      durationMs: ms,
      firstTokenMs: 5,
      inputTokens: 9,
      cachedTokens: 0,
      outputTokens: 99,
      running: 1,
    })
  }
  expect(model.predictTotalMs({ inputTokens: 2_000, outputTokens: 100 })).toBe(before)
})

function within(value: number | null, expected: number, share: number): boolean {
  return value !== null && Math.abs(value - expected) <= expected * share
}
