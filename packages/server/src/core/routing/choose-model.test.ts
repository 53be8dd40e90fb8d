import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { exampleModel, exampleModels, exampleRoute, exampleRule } from '../../testing/example-route.js'
import { type ModelQuestion, chooseModel } from './choose-model.js'

const models = exampleModels(
  exampleModel('small-one', 'small'),
  exampleModel('mid-one', 'mid'),
  exampleModel('large-one', 'premium'),
  exampleModel('large-two', 'premium'),
)
const rules = [
  { condition: exampleRule('confidence_low'), model: 'mid-one', phase: 'after' as const },
  { condition: exampleRule('risky'), model: 'mid-one', phase: 'before' as const },
  { condition: exampleRule('enterprise'), model: 'large-one', phase: 'before' as const },
]
const PLENTY = { calls: 1_000, premiumCalls: 0, nanoUsdToday: 0 }
const question = (some: Partial<ModelQuestion> = {}): ModelQuestion => ({
  route: exampleRoute('small-one', rules),
  models,
  facts: { risky: false, enterprise: false },
  pinned: null,
  premiumUse: PLENTY,
  ...some,
})

describe('chooseModel', () => {
  test('without a rule that holds, the default answers', () => {
    expect(chooseModel(question())).toMatchObject({ model: 'small-one', route: 'default', unknownRules: [] })
  })

  test('the first rule that holds wins, and is named by its place among all rules', () => {
    const facts = { risky: true, enterprise: true }
    expect(chooseModel(question({ facts }))).toMatchObject({ model: 'mid-one', route: 'rule:1' })
    expect(chooseModel(question({ facts: { ...facts, risky: false } }))).toMatchObject({ route: 'rule:2' })
  })

  test('a rule whose fact never arrived is passed over and listed', () => {
    expect(chooseModel(question({ facts: { enterprise: true } }))).toMatchObject({
      model: 'large-one',
      unknownRules: ['risky'],
    })
  })

  test('a rule that needs a signal is not asked before the call', () => {
    expect(chooseModel(question({ facts: { confidence_low: true } })).model).toBe('small-one')
  })

  test('what the caller asked for goes before the rules', () => {
    const choice = chooseModel(question({ facts: { risky: true }, pinned: 'large-two' }))
    expect(choice).toMatchObject({ model: 'large-two', route: 'default', turnedAway: null })
  })

  test.each([
    ['the first call of all', { calls: 0, premiumCalls: 0 }, 'small-one'],
    ['one call in four', { calls: 3, premiumCalls: 0 }, 'small-one'],
    ['one call in five', { calls: 4, premiumCalls: 0 }, 'large-one'],
    [
      '29 in 100 (a share that binary numbers cannot hold)',
      { calls: 99, premiumCalls: 28 },
      'large-one',
      0.29,
    ],
  ])('a premium share of 0.2 counts the call in: %s', (_, use, model, maxShare = 0.2) => {
    const route = exampleRoute('small-one', rules, { maxShare })
    const choice = chooseModel(
      question({ route, facts: { enterprise: true }, premiumUse: { ...PLENTY, ...use } }),
    )
    expect(choice.model).toBe(model)
  })

  test('a premium choice that meets a ceiling is turned away to the default, with the reason', () => {
    const route = exampleRoute('small-one', rules, { maxNanoUsdPerDay: 500 })
    const premiumUse = { ...PLENTY, nanoUsdToday: 500 }
    const choice = chooseModel(question({ route, premiumUse, pinned: 'large-two' }))
    expect(choice).toMatchObject({
      model: 'small-one',
      route: 'default',
      turnedAway: { model: 'large-two', ceiling: 'money', contained: true },
    })
    expect(choice.decisions.map((decision) => decision.choice)).toEqual(['large-two', 'small-one'])
    expect(choice.decisions.at(-1)?.inputs).toMatchObject({ nanoUsdToday: 500, maxNanoUsdPerDay: 500 })
  })

  test('ceilings are about premium alone', () => {
    const route = exampleRoute('small-one', rules, { maxShare: 0, maxNanoUsdPerDay: 0 })
    expect(chooseModel(question({ route, facts: { risky: true } })).model).toBe('mid-one')
  })

  test('a premium default above its ceiling is not contained, and says so', () => {
    const route = exampleRoute('large-one', [], { maxShare: 0 })
    expect(chooseModel(question({ route }))).toMatchObject({
      model: 'large-one',
      turnedAway: { ceiling: 'share', contained: false },
    })
  })

  test('over any run of calls, the premium share never exceeds its ceiling', () => {
    fc.assert(
      fc.property(fc.double({ min: 0, max: 1, noNaN: true }), fc.array(fc.boolean()), (maxShare, calls) => {
        const route = exampleRoute('small-one', rules, { maxShare })
        let premiumCalls = 0
        for (const [done, enterprise] of calls.entries()) {
          const premiumUse = { calls: done, premiumCalls, nanoUsdToday: 0 }
          if (chooseModel(question({ route, facts: { enterprise }, premiumUse })).model === 'large-one')
            premiumCalls += 1
          expect(premiumCalls / (done + 1)).toBeLessThanOrEqual(maxShare)
        }
      }),
    )
  })
})
