import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { OutcomeJudged, StepEnded } from '../../core/task/records.js'
import { Ways } from './ways.js'

/** Few values, so that two are often alike, or alike but for one. */
const few = fc.constantFrom('a', 'b')
const list = fc.array(few, { maxLength: 2 })
const decision = fc.record(
  {
    stage: fc.constant('plan'),
    choice: few,
    reason: few,
    inputs: fc.record({ delayMs: fc.nat({ max: 1 }) }),
  },
  { requiredKeys: ['stage', 'choice', 'reason'] },
)

const step = fc.record({
  name: few,
  route: fc.option(few),
  cache: fc.constantFrom('off', 'exact'),
  cacheAgeMs: fc.option(fc.nat({ max: 1 })),
  degraded: list,
  streamed: fc.boolean(),
  unknownRules: list,
  decisions: fc.array(decision, { maxLength: 2 }),
  finishReason: fc.option(few),
}) as unknown as fc.Arbitrary<StepEnded>

const outcome = fc.record(
  {
    source: fc.constantFrom('contract', 'deadline'),
    reasons: list,
    score: fc.option(fc.nat({ max: 1 })),
    evidence: list,
    rules: fc.dictionary(few, fc.constantFrom('yes', 'no')),
  },
  { requiredKeys: ['source', 'reasons', 'score', 'evidence'] },
) as unknown as fc.Arbitrary<OutcomeJudged>

/** With one member changed to another call's. */
function oneChanged<T extends object>(value: T, other: T, place: number): T {
  const keys = [...new Set([...Object.keys(value), ...Object.keys(other)])] as (keyof T)[]
  const key = keys[place % keys.length]
  return key === undefined ? value : { ...value, [key]: other[key] }
}

test('words kept from other calls are the words this call would have had by itself', () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(step, outcome), { minLength: 2, maxLength: 12 }),
      fc.nat(),
      (calls, place) => {
        const ways = new Ways()
        const [[first, judged] = [], [second, other] = []] = calls
        if (!first || !judged || !second || !other) return
        const near = [
          [oneChanged(first, second, place), judged],
          [first, oneChanged(judged, other, place)],
          [first, judged],
        ] as const
        for (const [ended, end] of [...calls, ...near]) {
          expect(sorted(ways.textsOf('c', ended, end))).toEqual(sorted(new Ways().textsOf('c', ended, end)))
        }
      },
    ),
    { numRuns: 500 },
  )
})

/** What the rules said has no order. */
function sorted({ rules, ...texts }: ReturnType<Ways['textsOf']>): object {
  return { ...texts, rules: JSON.parse(rules) as unknown }
}

test('words are kept for calls that go the same way, not for those with measurements', () => {
  const [ended] = fc.sample(step, { numRuns: 1, seed: 1 })
  const [judged] = fc.sample(outcome, { numRuns: 1, seed: 1 })
  if (!ended || !judged) throw new Error('no sample')
  const plain = [
    { ...ended, cacheAgeMs: null, decisions: [] },
    { ...judged, score: null, evidence: [] },
  ] as const
  const ways = new Ways()
  expect(ways.textsOf('c', { ...plain[0] }, plain[1])).toBe(ways.textsOf('c', { ...plain[0] }, plain[1]))
  const aged = { ...plain[0], cacheAgeMs: 7 }
  expect(ways.textsOf('c', aged, plain[1])).not.toBe(ways.textsOf('c', aged, plain[1]))
})
