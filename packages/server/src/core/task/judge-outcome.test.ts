import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { exampleRule } from '../../testing/example-route.js'
import type { Verdict } from '../release/rule.js'
import { type OutcomeQuestion, judgeOutcome } from './judge-outcome.js'

const CONTRACT: OutcomeQuestion['contract'] = {
  success: [],
  harm: [],
  slo: { p95LatencyMs: 6_000, successRate: null },
  price: { nanoUsdPerSuccess: 100_000_000 },
}
const judge = (some: Partial<OutcomeQuestion> & { success?: Verdict[]; harm?: Verdict[] } = {}) => {
  const { success = [], harm = [], ...rest } = some
  return judgeOutcome({
    contract: {
      ...CONTRACT,
      success: success.map((verdict, n) => exampleRule(`s${n}`, verdict)),
      harm: harm.map((verdict, n) => exampleRule(`h${n}`, verdict)),
    },
    verdictOf: (rule) => rule.evaluate({}),
    delivered: 'answer',
    verdict: null,
    latencyMs: 900,
    ...rest,
  })
}

describe('judgeOutcome', () => {
  test('without rules, a delivered answer is a success and earns its price', () => {
    expect(judge()).toEqual({
      status: 'succeeded',
      success: true,
      harm: false,
      reasons: [],
      priceNanoUsd: 100_000_000,
      sloMet: true,
    })
  })

  test.each<[string, Parameters<typeof judge>[0], string]>([
    ['no answer', { delivered: 'nothing' }, 'no answer was delivered'],
    ['a request to refine', { delivered: 'refine' }, 'the caller was asked to refine'],
    ['the application objects', { verdict: 'failed' }, 'the application says failed'],
    ['a rule that does not hold', { success: ['yes', 'no'] }, 'success rule does not hold: s1'],
    [
      'a rule that cannot be judged',
      { success: ['unknown', 'yes'] },
      'success rule not judged, a fact is missing: s0',
    ],
    ['harm', { harm: ['no', 'yes'] }, 'harm: h1'],
  ])('%s is no success, has its reason and no price', (_, question, reason) => {
    expect(judge(question)).toMatchObject({
      status: 'failed',
      success: false,
      harm: question?.harm !== undefined,
      reasons: [reason],
      priceNanoUsd: 0,
    })
  })

  test('abandoned stays abandoned', () => {
    expect(judge({ verdict: 'abandoned' })).toMatchObject({ status: 'abandoned', success: false })
  })

  test('the application can vouch for an answer that is not ours, not for broken rules', () => {
    expect(judge({ delivered: 'nothing', verdict: 'succeeded' }).success).toBe(true)
    expect(judge({ delivered: 'refine', verdict: 'succeeded' }).success).toBe(true)
    expect(judge({ verdict: 'succeeded', success: ['no'] })).toMatchObject({
      status: 'failed',
      success: false,
    })
    expect(judge({ verdict: 'succeeded', harm: ['yes'] })).toMatchObject({ status: 'failed', harm: true })
  })

  test('a harm rule that could not be judged does not undo a success, but is said', () => {
    expect(judge({ harm: ['unknown'] })).toMatchObject({
      success: true,
      harm: false,
      reasons: ['harm not judged, a fact is missing: h0'],
    })
  })

  test('the verdict on a rule is taken as it is given', () => {
    const contract = { ...CONTRACT, success: [exampleRule('resolved')] }
    const given = (verdict: Verdict) => judge({ contract, verdictOf: () => verdict }).success
    expect([given('yes'), given('no'), given('unknown')]).toEqual([true, false, false])
  })

  test('a price or a target that is not set is unknown', () => {
    const contract = {
      ...CONTRACT,
      slo: { p95LatencyMs: null, successRate: null },
      price: { nanoUsdPerSuccess: null },
    }
    expect(judge({ contract })).toMatchObject({ priceNanoUsd: null, sloMet: null })
    expect(judge({ contract, verdict: 'failed' })).toMatchObject({ priceNanoUsd: null })
  })

  test('the latency target is met up to and including itself', () => {
    expect([6_000, 6_001].map((latencyMs) => judge({ latencyMs }).sloMet)).toEqual([true, false])
  })

  test('success needs every rule and no harm; harm never earns anything', () => {
    const verdicts = fc.array(fc.constantFrom<Verdict>('yes', 'no', 'unknown'), { maxLength: 4 })
    const verdict = fc.constantFrom('succeeded' as const, 'failed' as const, 'abandoned' as const, null)
    const delivered = fc.constantFrom('answer' as const, 'refine' as const, 'nothing' as const)
    fc.assert(
      fc.property(verdicts, verdicts, verdict, delivered, (success, harm, said, got) => {
        const outcome = judge({ success, harm, verdict: said, delivered: got })
        const vouched = said === 'succeeded' || (said === null && got === 'answer')
        expect(outcome.harm).toBe(harm.includes('yes'))
        expect(outcome.success).toBe(vouched && success.every((one) => one === 'yes') && !outcome.harm)
        expect(outcome.priceNanoUsd).toBe(outcome.success ? 100_000_000 : 0)
        expect(outcome.success || outcome.reasons.length > 0).toBe(true)
        expect(outcome.status === 'succeeded').toBe(outcome.success)
      }),
    )
  })
})
