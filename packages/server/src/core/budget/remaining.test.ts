import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type Amounts, NOTHING, NO_LIMITS, RESOURCES } from './amounts.js'
import { remainingOf, tighten } from './remaining.js'

const state = (limits: Partial<Amounts>, settled: Partial<Amounts> = {}, held: Partial<Amounts> = {}) => ({
  limits: { ...NO_LIMITS, ...limits },
  settled: { ...NOTHING, ...settled },
  held: { ...NOTHING, ...held },
})

describe('remainingOf', () => {
  test('the tightest account decides, each resource for itself', () => {
    const task = state({ modelCalls: 5, nanoUsd: 100 }, { modelCalls: 1, nanoUsd: 20 }, { nanoUsd: 30 })
    const tenant = state({ nanoUsd: 40 }, { modelCalls: 500 })
    expect(remainingOf([task, tenant])).toEqual({ ...NO_LIMITS, modelCalls: 4, nanoUsd: 40 })
  })

  test('an account that is overrun has nothing left, not less', () => {
    expect(remainingOf([state({ nanoUsd: 10 }, { nanoUsd: 25 })]).nanoUsd).toBe(0)
  })

  test('without accounts nothing is limited', () => {
    expect(remainingOf([])).toEqual(NO_LIMITS)
  })
})

describe('tighten', () => {
  test('a smaller wish counts, a larger one does not', () => {
    const limits = { ...NO_LIMITS, modelCalls: 5, nanoUsd: 100 }
    expect(tighten(limits, { modelCalls: 2, nanoUsd: 1_000, toolCalls: 3 })).toEqual({
      ...limits,
      modelCalls: 2,
      toolCalls: 3,
    })
  })

  test('nonsense is ignored and less than nothing is nothing', () => {
    expect(tighten({ ...NO_LIMITS, toolMs: 7 }, { toolMs: NaN, nanoUsd: -5 })).toEqual({
      ...NO_LIMITS,
      toolMs: 7,
      nanoUsd: 0,
    })
  })

  test('no wish ever widens a limit or makes it negative', () => {
    const wish = fc.oneof(fc.double(), fc.integer(), fc.constant(undefined))
    const asked = fc.record(Object.fromEntries(RESOURCES.map((resource) => [resource, wish])))
    const limits = {
      modelCalls: 5,
      inputTokens: 0,
      outputTokens: 700,
      toolCalls: 8,
      toolMs: Infinity,
      nanoUsd: 1e9,
    }
    fc.assert(
      fc.property(asked, (ask) => {
        const result = tighten(limits, ask)
        for (const resource of RESOURCES) {
          expect(result[resource]).toBeLessThanOrEqual(limits[resource])
          expect(result[resource]).toBeGreaterThanOrEqual(0)
        }
      }),
    )
  })
})
