import { describe, expect, test } from 'vitest'
import { exampleModel, exampleModels, exampleRoute, exampleRule } from '../../testing/example-route.js'
import { smallerModel } from './smaller-model.js'

const models = exampleModels(
  exampleModel('large-dear', 'premium', 75_000_000),
  exampleModel('large-one', 'premium', 10_000_000),
  exampleModel('large-unpriced', 'premium', null),
  exampleModel('mid-cheap', 'mid', 4_000_000),
  exampleModel('mid-dear', 'mid', 8_000_000),
  exampleModel('mid-unpriced', 'mid', null),
  exampleModel('small-one', 'small', 600_000),
  exampleModel('small-cheap', 'small', 300_000),
  exampleModel('not-named', 'small', 1),
)
const named = [...models.keys()].filter((name) => name !== 'not-named' && name !== 'small-one')
const route = exampleRoute(
  'small-one',
  named.map((model) => ({ condition: exampleRule('never', 'no'), model, phase: 'before' as const })),
)

describe('smallerModel', () => {
  test('step by step it leads from the dearest model to the cheapest', () => {
    const steps: string[] = []
    for (
      let at: string | null = 'large-dear';
      at !== null;
      at = smallerModel({ route, models, current: at })
    ) {
      steps.push(at)
    }
    expect(steps).toEqual(['large-dear', 'large-one', 'mid-dear', 'mid-cheap', 'small-one', 'small-cheap'])
  })

  test('a model of unknown price is below a higher tier, but is not known to be cheaper', () => {
    const except = ['mid-dear', 'mid-cheap']
    expect(smallerModel({ route, models, current: 'large-one', except })).toBe('mid-unpriced')
    expect(smallerModel({ route, models, current: 'mid-dear', except })).toBe('small-one')
    expect(smallerModel({ route, models, current: 'large-unpriced' })).toBe('mid-dear')
  })

  test('models that have failed are left out, and in the end there is none', () => {
    expect(smallerModel({ route, models, current: 'small-one' })).toBe('small-cheap')
    expect(smallerModel({ route, models, current: 'small-one', except: ['small-cheap'] })).toBeNull()
  })

  test('only models that the route names count', () => {
    expect(smallerModel({ route: exampleRoute('small-one'), models, current: 'small-one' })).toBeNull()
    expect(smallerModel({ route, models, current: 'small-cheap' })).toBeNull()
  })
})
