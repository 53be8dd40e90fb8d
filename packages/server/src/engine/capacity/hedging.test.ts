import { describe, expect, test } from 'vitest'
import { type HedgeAsk, Hedging } from './hedging.js'

const IDLE = { utilisation: 0, isShrinking: false }
const ASK: HedgeAsk = { overloadLevel: 0, slow: IDLE, other: IDLE, extraNanoUsd: 10, isLate: true }

function earned(calls: number): Hedging {
  const hedging = new Hedging()
  for (let call = 0; call < calls; call++) hedging.called()
  hedging.spent(1e9)
  return hedging
}

describe('Hedging', () => {
  test.each([
    { given: 'with room and budget', ask: ASK, denied: null },
    { given: 'under overload', ask: { ...ASK, overloadLevel: 1 }, denied: 'overload' },
    {
      given: 'where the other is at 70 % of its limit',
      ask: { ...ASK, other: { ...IDLE, utilisation: 0.7 } },
      denied: 'busy',
    },
    {
      given: 'while the limit of the slow one falls',
      ask: { ...ASK, slow: { ...IDLE, isShrinking: true } },
      denied: 'shrinking',
    },
    {
      given: 'while the limit of the other falls',
      ask: { ...ASK, other: { ...IDLE, isShrinking: true } },
      denied: 'shrinking',
    },
    { given: 'when it would cost too much', ask: { ...ASK, extraNanoUsd: 1e8 }, denied: 'budget' },
  ])('$given: $denied', ({ ask, denied }) => {
    const hedging = earned(500)
    expect(hedging.take(ask)).toBe(denied)
    expect(hedging.state().hedges).toBe(denied === null ? 1 : 0)
  })

  test('the last three are for calls that are really late', () => {
    const hedging = earned(200)
    const early = { ...ASK, isLate: false }
    expect([hedging.take(early), hedging.take(early)]).toEqual([null, 'budget'])
    expect([1, 2, 3, 4].map(() => hedging.take(ASK))).toEqual([null, null, null, 'budget'])
  })
})
