import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  exampleDeployment,
  exampleModel,
  exampleModels,
  exampleRoute,
  exampleRule,
} from '../../testing/example-route.js'
import { fallbackOrder } from './fallback-order.js'
import { tierRank } from './route-models.js'

const twoHomes = {
  ...exampleModel('mid-one', 'mid'),
  deployments: [
    exampleDeployment('a/mid-one'),
    exampleDeployment('b/mid-one'),
    exampleDeployment('a/mid-one'),
  ],
}
const models = exampleModels(
  exampleModel('small-one', 'small'),
  exampleModel('small-two', 'small'),
  twoHomes,
  exampleModel('mid-two', 'mid'),
  exampleModel('large-one', 'premium'),
  exampleModel('not-named', 'mid'),
)
const NAMED = ['small-one', 'large-one', 'mid-two', 'mid-one', 'small-two'] as const
const route = exampleRoute(
  'small-one',
  NAMED.slice(1).map((model) => ({ condition: exampleRule('never', 'no'), model, phase: 'before' as const })),
)
const ids = (model: string): readonly string[] =>
  fallbackOrder({ route, models, model }).map(({ deployment }) => deployment.id)

describe('fallbackOrder', () => {
  test("first the model's own deployments, then its tier along the route, then the tiers below", () => {
    expect(ids('mid-one')).toEqual([
      'a/mid-one',
      'b/mid-one',
      'sim/mid-two',
      'sim/small-one',
      'sim/small-two',
    ])
  })

  test('from small there is no way up', () => {
    expect(ids('small-two')).toEqual(['sim/small-two', 'sim/small-one'])
  })

  test('the order of deployments can be given, and may leave some out', () => {
    const order = fallbackOrder({
      route,
      models,
      model: 'mid-one',
      deploymentsOf: (model) =>
        model.name === 'mid-one' ? [...model.deployments].reverse().slice(0, 2) : [],
    })
    expect(order.map(({ deployment }) => deployment.id)).toEqual(['a/mid-one', 'b/mid-one'])
  })

  test('a pinned model that the route does not name falls back to the models it does', () => {
    expect(ids('not-named')).toEqual([
      'sim/not-named',
      'sim/mid-two',
      'a/mid-one',
      'b/mid-one',
      'sim/small-one',
      'sim/small-two',
    ])
  })

  test('every pair comes once, starts with the chosen model, and no tier is above the one before', () => {
    fc.assert(
      fc.property(fc.constantFrom(...models.keys()), (model) => {
        const order = fallbackOrder({ route, models, model })
        const pairs = order.map((candidate) => `${candidate.model.name} ${candidate.deployment.id}`)
        expect(new Set(pairs).size).toBe(pairs.length)
        expect(order[0]?.model.name).toBe(model)
        const ranks = order.map((candidate) => tierRank(candidate.model.tier))
        expect(ranks).toEqual([...ranks].sort((a, b) => b - a))
      }),
    )
  })
})
