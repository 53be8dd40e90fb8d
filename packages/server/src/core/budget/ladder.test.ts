import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { FULL_LADDER, type RungName } from '../release/release.js'
import { RESOURCES } from './amounts.js'
import { type LadderState, type LadderTrigger, chooseRung } from './ladder.js'

const EVERYTHING: Omit<LadderState, 'trigger'> = {
  taken: [],
  shorter: { fits: true },
  smaller: { model: 'small-one', fits: true },
  cached: { ageMs: 90_000 },
  partial: { outputTokens: 12 },
}
const NOTHING_LEFT: Omit<LadderState, 'trigger'> = {
  taken: [],
  shorter: null,
  smaller: null,
  cached: null,
  partial: null,
}

describe('chooseRung', () => {
  test.each<[string, LadderTrigger, RungName]>([
    ['input tokens', { kind: 'budget', limit: 'inputTokens' }, 'shorter_context'],
    ['money', { kind: 'budget', limit: 'nanoUsd' }, 'shorter_context'],
    ['model calls', { kind: 'budget', limit: 'modelCalls' }, 'cached_answer'],
    ['output tokens', { kind: 'budget', limit: 'outputTokens' }, 'cached_answer'],
    ['time in the budget', { kind: 'budget', limit: 'latencyMs' }, 'smaller_model'],
    ['the deadline', { kind: 'deadline' }, 'smaller_model'],
    ['a failing provider', { kind: 'upstream', end: 'http_503' }, 'smaller_model'],
    ['a prompt beyond the window', { kind: 'upstream', end: 'http_400_context_length' }, 'shorter_context'],
    ['overload', { kind: 'capacity' }, 'smaller_model'],
    ['the premium share', { kind: 'ceiling', limit: 'modelCalls' }, 'smaller_model'],
    ['the spend of a tenant', { kind: 'ceiling', limit: 'nanoUsd' }, 'shorter_context'],
    ['the token rate of a tenant', { kind: 'ceiling', limit: 'outputTokens' }, 'cached_answer'],
  ])('with every rung possible, %s takes the first that helps', (_, trigger, rung) => {
    expect(chooseRung(FULL_LADDER, { ...EVERYTHING, trigger })).toMatchObject({ kind: 'rung', rung })
  })

  test('a rung that does not fit is skipped', () => {
    const state: LadderState = {
      ...EVERYTHING,
      trigger: { kind: 'budget', limit: 'nanoUsd' },
      shorter: { fits: false },
      smaller: { model: 'small-one', fits: false },
      cached: null,
    }
    expect(chooseRung(FULL_LADDER, state)).toMatchObject({ rung: 'partial_result' })
  })

  test('nothing generated is no partial result', () => {
    const state: LadderState = {
      ...NOTHING_LEFT,
      trigger: { kind: 'deadline' },
      partial: { outputTokens: 0 },
    }
    expect(chooseRung(['partial_result'], state).kind).toBe('refuse')
  })

  test("the contract's order counts, not ours", () => {
    const ladder: RungName[] = ['refine', 'shorter_context']
    const state: LadderState = { ...EVERYTHING, trigger: { kind: 'budget', limit: 'inputTokens' } }
    expect(chooseRung(ladder, state)).toMatchObject({ rung: 'refine' })
  })

  test('an empty ladder refuses and says so', () => {
    expect(chooseRung([], { ...EVERYTHING, trigger: { kind: 'budget', limit: 'nanoUsd' } })).toEqual({
      kind: 'refuse',
      reason: 'the budget of nanoUsd does not suffice: the contract has no ladder',
    })
  })

  test('the reason names what gave out and what is done about it', () => {
    const state: LadderState = { ...EVERYTHING, trigger: { kind: 'upstream', end: 'timeout' }, smaller: null }
    expect(chooseRung(FULL_LADDER, state)).toEqual({
      kind: 'rung',
      rung: 'cached_answer',
      reason: 'every attempt failed (timeout): an answer of 90 s ago is given again',
    })
  })

  const limit = fc.constantFrom(...RESOURCES, 'latencyMs' as const)
  const trigger: fc.Arbitrary<LadderTrigger> = fc.oneof(
    fc.record({ kind: fc.constant('budget' as const), limit }),
    fc.record({ kind: fc.constant('ceiling' as const), limit }),
    fc.constant({ kind: 'deadline' as const }),
    fc.constant({ kind: 'capacity' as const }),
    fc.record({
      kind: fc.constant('upstream' as const),
      end: fc.constantFrom('http_500', 'timeout', 'http_413'),
    }),
  )
  const fits = fc.boolean()
  const state: fc.Arbitrary<LadderState> = fc.record({
    trigger,
    taken: fc.subarray([...FULL_LADDER]),
    shorter: fc.option(fc.record({ fits })),
    smaller: fc.option(fc.record({ model: fc.constant('m'), fits })),
    cached: fc.option(fc.record({ ageMs: fc.nat() })),
    partial: fc.option(fc.record({ outputTokens: fc.nat(5) })),
  })
  const ladder = fc.shuffledSubarray([...FULL_LADDER])

  test('the same state takes the same rung, one of the ladder that is not taken yet', () => {
    fc.assert(
      fc.property(ladder, state, (rungs, at) => {
        const choice = chooseRung(rungs, at)
        expect(chooseRung([...rungs], structuredClone(at))).toEqual(choice)
        if (choice.kind === 'refuse') return
        expect(rungs).toContain(choice.rung)
        expect(at.taken).not.toContain(choice.rung)
      }),
    )
  })

  test('going down ends within the length of the ladder, whatever happens on the way', () => {
    fc.assert(
      fc.property(ladder, fc.array(state, { minLength: 6, maxLength: 6 }), (rungs, states) => {
        const taken: RungName[] = []
        for (const at of states) {
          const choice = chooseRung(rungs, { ...at, taken })
          if (choice.kind === 'refuse') break
          taken.push(choice.rung)
        }
        expect(new Set(taken).size).toBe(taken.length)
        expect(taken.length).toBeLessThanOrEqual(rungs.length)
      }),
    )
  })

  test('a ladder that ends in refine never refuses the first time', () => {
    fc.assert(
      fc.property(ladder, state, (rungs, at) => {
        const withRefine: RungName[] = [...rungs.filter((rung) => rung !== 'refine'), 'refine']
        expect(chooseRung(withRefine, { ...at, taken: [] }).kind).toBe('rung')
      }),
    )
  })
})
