import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type Price, worstCaseCost } from '../money/price.js'
import { NO_LIMITS, RESOURCES } from './amounts.js'
import { type CallSize, MIN_USEFUL_OUTPUT_TOKENS, fitCall } from './fit-call.js'

// 0.15 and 0.60 USD per million tokens.
const PRICE: Price = { rates: { input: 150_000, output: 600_000 }, tiers: [], book: 'test' }
const DEAR: Price = { rates: { input: 5_000_000, output: 15_000_000 }, tiers: [], book: 'test' }

const call = (some: Partial<CallSize> = {}): CallSize => ({
  inputTokens: 1_000,
  wantedOutputTokens: 500,
  choices: 1,
  price: PRICE,
  dearest: DEAR,
  left: NO_LIMITS,
  ...some,
})

describe('fitCall', () => {
  test('a call with room gets the output it wants and holds its worst case', () => {
    expect(fitCall(call())).toEqual({
      kind: 'fits',
      outputTokens: 500,
      shrunk: false,
      amounts: {
        modelCalls: 1,
        inputTokens: 1_000,
        outputTokens: 500,
        toolCalls: 0,
        toolMs: 0,
        nanoUsd: 450_000,
      },
    })
  })

  test('every choice may be as long as the limit', () => {
    const fit = fitCall(call({ choices: 3 }))
    expect(fit).toMatchObject({ outputTokens: 500, amounts: { outputTokens: 1_500, nanoUsd: 1_050_000 } })
  })

  test.each([
    ['output tokens', { outputTokens: 200 }, 1, 200],
    ['output tokens shared by choices', { outputTokens: 200 }, 3, 66],
    ['money', { nanoUsd: 150_000 + 100 * 600 }, 1, 100],
    ['money just short of a token', { nanoUsd: 150_000 + 101 * 600 - 1 }, 1, 100],
  ])('the answer shrinks to the %s that are left', (_, left, choices, outputTokens) => {
    const fit = fitCall(call({ choices, left: { ...NO_LIMITS, ...left } }))
    expect(fit).toMatchObject({ kind: 'fits', outputTokens, shrunk: true })
  })

  test.each([
    ['modelCalls', { modelCalls: 0 }, 1],
    ['inputTokens', { inputTokens: 990 }, 10],
    ['outputTokens', { outputTokens: MIN_USEFUL_OUTPUT_TOKENS - 1 }, 1],
    ['nanoUsd', { nanoUsd: 150_000 + 15 * 600 }, 600],
  ])('too little of %s for a useful answer is said, and by how much', (limit, left, shortBy) => {
    expect(fitCall(call({ left: { ...NO_LIMITS, ...left } }))).toEqual({ kind: 'short', limit, shortBy })
  })

  test('a caller who wants less than the useful minimum gets what it wants', () => {
    const fit = fitCall(call({ wantedOutputTokens: 3, left: { ...NO_LIMITS, outputTokens: 3 } }))
    expect(fit).toMatchObject({ kind: 'fits', outputTokens: 3, shrunk: false })
  })

  test('the useful minimum can be raised', () => {
    const left = { ...NO_LIMITS, outputTokens: 99 }
    expect(fitCall(call({ minOutputTokens: 100, left }))).toMatchObject({ kind: 'short', shortBy: 1 })
  })

  test('an unknown price reserves at the dearest one', () => {
    expect(fitCall(call({ price: null }))).toMatchObject({ amounts: { nanoUsd: 5_000_000 + 500 * 15_000 } })
  })

  test('with no price known at all no money is reserved', () => {
    expect(fitCall(call({ price: null, dearest: null }))).toMatchObject({
      amounts: { nanoUsd: 0, modelCalls: 1 },
    })
  })

  test('what fits is within what is left, and a shrunk answer could not be one token longer', () => {
    const left = fc.record({
      modelCalls: fc.integer({ min: 0, max: 3 }),
      inputTokens: fc.integer({ min: 0, max: 3_000 }),
      outputTokens: fc.oneof(fc.integer({ min: 0, max: 3_000 }), fc.constant(Infinity)),
      toolCalls: fc.constant(0),
      toolMs: fc.constant(0),
      nanoUsd: fc.integer({ min: 0, max: 2_000_000 }),
    })
    const size = fc.record({
      inputTokens: fc.integer({ min: 0, max: 3_000 }),
      wantedOutputTokens: fc.integer({ min: 1, max: 3_000 }),
      choices: fc.integer({ min: 1, max: 4 }),
      rate: fc.integer({ min: 0, max: 1_000_001 }),
    })
    fc.assert(
      fc.property(left, size, (leftNow, { rate, ...rest }) => {
        const price: Price = { rates: { input: 37_500, output: rate }, tiers: [], book: 'test' }
        const fit = fitCall({ ...rest, price, dearest: null, left: leftNow })
        expect(fit.kind === 'short' ? fit.shortBy : 1).toBeGreaterThan(0)
        if (fit.kind === 'short') return
        for (const resource of RESOURCES) expect(fit.amounts[resource]).toBeLessThanOrEqual(leftNow[resource])
        expect(fit.shrunk).toBe(fit.outputTokens < rest.wantedOutputTokens)
        const least = Math.min(MIN_USEFUL_OUTPUT_TOKENS, rest.wantedOutputTokens)
        expect(fit.outputTokens).toBeGreaterThanOrEqual(least)
        if (!fit.shrunk) return
        const more = (fit.outputTokens + 1) * rest.choices
        const cost = worstCaseCost(price, { inputTokens: rest.inputTokens, outputTokens: more })
        expect(more > leftNow.outputTokens || cost > leftNow.nanoUsd).toBe(true)
      }),
    )
  })
})
