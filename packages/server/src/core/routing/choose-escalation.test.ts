import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { exampleModel, exampleModels, exampleRoute, exampleRule } from '../../testing/example-route.js'
import { type EscalationQuestion, chooseEscalation } from './choose-escalation.js'
import { tierRank } from './route-models.js'

const models = exampleModels(
  exampleModel('small-one', 'small'),
  exampleModel('mid-one', 'mid'),
  exampleModel('mid-two', 'mid'),
  exampleModel('large-one', 'premium'),
)
const rules = [
  { condition: exampleRule('unsure'), model: 'mid-one', phase: 'after' as const },
  { condition: exampleRule('enterprise'), model: 'large-one', phase: 'before' as const },
  { condition: exampleRule('very_unsure'), model: 'large-one', phase: 'after' as const },
  { condition: exampleRule('odd'), model: 'mid-two', phase: 'after' as const },
]
const question = (some: Partial<EscalationQuestion> = {}): EscalationQuestion => ({
  route: exampleRoute('small-one', rules),
  models,
  facts: { unsure: false, very_unsure: false, odd: false },
  current: 'small-one',
  tried: ['small-one'],
  premiumUse: { calls: 100, premiumCalls: 0, nanoUsdToday: 0 },
  ...some,
})

describe('chooseEscalation', () => {
  test('an answer that no rule objects to is accepted', () => {
    expect(chooseEscalation(question())).toEqual({
      kind: 'accept',
      unknownRules: [],
      reason: 'no rule asks for more',
    })
  })

  test('the first rule that holds escalates to its model', () => {
    const facts = { unsure: true, very_unsure: true, odd: true }
    expect(chooseEscalation(question({ facts }))).toMatchObject({
      kind: 'escalate',
      ruleIndex: 0,
      model: 'mid-one',
      reason: 'rule holds: unsure',
    })
  })

  test('rules on facts known before the call are not asked again', () => {
    const facts = { unsure: false, very_unsure: false, odd: false, enterprise: true }
    expect(chooseEscalation(question({ facts })).kind).toBe('accept')
  })

  test('a model that has had its try is passed over for the next rule', () => {
    const facts = { unsure: true, very_unsure: true }
    const choice = chooseEscalation(question({ facts, current: 'mid-one', tried: ['small-one', 'mid-one'] }))
    expect(choice).toMatchObject({ kind: 'escalate', ruleIndex: 2, model: 'large-one' })
  })

  test('nobody escalates to a lower tier, but to another model of the same tier', () => {
    const facts = { unsure: true, odd: true }
    expect(chooseEscalation(question({ facts, current: 'large-one', tried: [] }))).toMatchObject({
      kind: 'accept',
      reason: expect.stringContaining('mid-one is of a lower tier than large-one'),
    })
    expect(chooseEscalation(question({ facts, current: 'mid-one', tried: [] }))).toMatchObject({
      model: 'mid-two',
    })
  })

  test('a premium ceiling keeps the answer that is there, and says so', () => {
    const route = exampleRoute('small-one', rules, { maxShare: 0 })
    expect(chooseEscalation(question({ route, facts: { very_unsure: true } }))).toMatchObject({
      kind: 'accept',
      reason: 'rule 2 holds, but the premium ceiling (share) turned large-one away',
    })
  })

  test('a signal that never arrived makes its rule false and is listed', () => {
    expect(chooseEscalation(question({ facts: { very_unsure: false } }))).toMatchObject({
      kind: 'accept',
      unknownRules: ['unsure', 'odd'],
    })
  })

  test('escalating ends, each model answers at most once and tiers never go down', () => {
    const facts = fc.record({ unsure: fc.boolean(), very_unsure: fc.boolean(), odd: fc.boolean() })
    fc.assert(
      fc.property(fc.array(facts, { minLength: 8, maxLength: 8 }), (rounds) => {
        const tried = ['small-one']
        for (const known of rounds) {
          const current = tried.at(-1) ?? ''
          const choice = chooseEscalation(question({ facts: known, current, tried }))
          if (choice.kind === 'accept') continue
          const [from, to] = [models.get(current), models.get(choice.model)]
          expect(tried).not.toContain(choice.model)
          expect(tierRank(to?.tier ?? 'small')).toBeGreaterThanOrEqual(tierRank(from?.tier ?? 'premium'))
          tried.push(choice.model)
        }
        expect(tried.length).toBeLessThanOrEqual(models.size)
      }),
    )
  })
})
