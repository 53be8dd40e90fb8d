import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type BytesPerToken, NOTHING_LEARNED, estimateInputTokens, learn } from './bytes-per-token.js'

const text = (bytes: number) => ({ bytes, images: 0, messages: 0 })
const learnAll = (samples: readonly { bytes: number; tokens: number }[]): BytesPerToken =>
  samples.reduce(learn, NOTHING_LEARNED)

describe('estimateInputTokens', () => {
  test('before anything is learned, two bytes are a token, rounded up, plus the template and images', () => {
    expect(estimateInputTokens(NOTHING_LEARNED, { bytes: 1_001, images: 1, messages: 3 })).toBe(
      501 + 12 + 2_000,
    )
  })

  test('after one sample, half of what it says: one prompt is not all prompts', () => {
    expect(estimateInputTokens(learnAll([{ bytes: 4_000, tokens: 1_000 }]), text(4_000))).toBe(2_000)
  })

  test('steady samples bring the estimate to the truth, never below it', () => {
    const state = learnAll(Array.from({ length: 300 }, () => ({ bytes: 4_200, tokens: 1_000 })))
    const estimate = estimateInputTokens(state, text(4_200))
    expect(estimate).toBeGreaterThanOrEqual(1_000)
    expect(estimate).toBeLessThan(1_010)
  })

  test('what changes is learned again', () => {
    const english = Array.from({ length: 200 }, () => ({ bytes: 4_500, tokens: 1_000 }))
    const japanese = Array.from({ length: 200 }, () => ({ bytes: 2_700, tokens: 1_000 }))
    const estimate = estimateInputTokens(learnAll([...english, ...japanese]), text(2_700))
    expect(estimate).toBeGreaterThanOrEqual(1_000)
    expect(estimate).toBeLessThan(1_100)
  })

  test('where prompts differ, nine of ten are not underestimated', () => {
    // Five shapes of prompt, 3 to 5 bytes per token, taking turns.
    const shapes = [3, 3.5, 4, 4.5, 5].map((ratio) => ({ bytes: Math.round(ratio * 1_000), tokens: 1_000 }))
    const rounds = Array.from({ length: 100 }, (_, n) => shapes[(n * 7) % 5] ?? { bytes: 0, tokens: 0 })
    let state = learnAll(rounds)
    let covered = 0
    for (const prompt of rounds) {
      if (estimateInputTokens(state, text(prompt.bytes)) >= prompt.tokens) covered += 1
      state = learn(state, prompt)
    }
    expect(covered).toBeGreaterThanOrEqual(90)
  })

  test('samples that teach nothing change nothing', () => {
    const state = learnAll([{ bytes: 4_000, tokens: 1_000 }])
    for (const bytes of [0, 63, -1, NaN]) expect(learn(state, { bytes, tokens: 10 })).toBe(state)
    for (const tokens of [0, -1, NaN]) expect(learn(state, { bytes: 4_000, tokens })).toBe(state)
  })

  const sample = fc.record({ bytes: fc.nat(1e7), tokens: fc.nat(1e7) })

  test('whatever was learned, a token is 1 to 8 bytes and the state stays three finite numbers', () => {
    fc.assert(
      fc.property(fc.array(sample), fc.nat(1e6), (samples, bytes) => {
        const state = learnAll(samples)
        expect(Object.values(state).every(Number.isFinite)).toBe(true)
        const estimate = estimateInputTokens(state, text(bytes))
        expect(Number.isInteger(estimate)).toBe(true)
        expect(estimate).toBeGreaterThanOrEqual(Math.ceil(bytes / 8))
        expect(estimate).toBeLessThanOrEqual(bytes)
      }),
    )
  })

  test('a longer prompt is never estimated shorter', () => {
    fc.assert(
      fc.property(fc.array(sample), fc.nat(1e6), fc.nat(1e4), (samples, bytes, more) => {
        const state = learnAll(samples)
        const longer = estimateInputTokens(state, text(bytes + more))
        expect(longer).toBeGreaterThanOrEqual(estimateInputTokens(state, text(bytes)))
      }),
    )
  })
})
