import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  exampleContract,
  exampleModel,
  exampleModels,
  exampleRoute,
  exampleRule,
} from '../../testing/example-route.js'
import { type ModelAsk, resolveRequestedModel } from './resolve-requested-model.js'

const models = exampleModels(
  exampleModel('small-one', 'small'),
  exampleModel('small-two', 'small'),
  exampleModel('mid-one', 'mid'),
  exampleModel('large-one', 'premium'),
  exampleModel('large-two', 'premium'),
)
const route = exampleRoute('small-one', [
  { condition: exampleRule('risky'), model: 'large-two', phase: 'before' },
])
const contracts = new Map(
  [exampleContract('default'), exampleContract('support_reply', { route })].map((entry) => [
    entry.name,
    entry,
  ]),
)
const ask = (requested: string, task: string | null = null): ModelAsk => ({
  requested,
  task,
  contracts,
  models,
})
const resolved = (requested: string, task: string | null = null): unknown => {
  const result = resolveRequestedModel(ask(requested, task))
  return result.kind === 'resolved' ? [result.contract.name, result.pinned] : result
}

describe('resolveRequestedModel', () => {
  test.each(['support_reply', 'task:support_reply', 'spillway/support_reply'])(
    '%s names the task',
    (name) => {
      expect(resolved(name)).toEqual(['support_reply', null])
      expect(resolved(name, 'support_reply')).toEqual(['support_reply', null])
    },
  )

  test('outside a task the caller gets the model or tier it asks for, under the default contract', () => {
    expect(resolved('large-one')).toEqual(['default', 'large-one'])
    expect(resolved('mid')).toEqual(['default', 'mid-one'])
  })

  test.each([
    ['named by the route', 'large-two', 'large-two'],
    ["of the default's tier", 'small-two', 'small-two'],
    ['above it and not named', 'large-one', null],
    ['of a middle tier and not named', 'mid-one', null],
    ['a tier with a model named by the route', 'premium', 'large-two'],
    ["the default's tier", 'small', 'small-one'],
    ['a tier above that no rule names', 'mid', null],
  ])('inside a task, a model that is %s', (_, requested, pinned) => {
    expect(resolved(requested, 'support_reply')).toEqual(['support_reply', pinned])
  })

  test('a model that is not honoured leaves the choice to the route and says why', () => {
    expect(resolveRequestedModel(ask('large-one', 'support_reply'))).toMatchObject({
      reason: "large-one is above the default's tier and not named by the route",
    })
  })

  test.each([
    ['an unknown model', 'gpt-9', null, { kind: 'unknown-model', requested: 'gpt-9' }],
    [
      'an unknown model inside a task',
      'gpt-9',
      'support_reply',
      { kind: 'unknown-model', requested: 'gpt-9' },
    ],
    ['an unknown task', 'task:nobody', null, { kind: 'unknown-task', task: 'nobody' }],
    ['an unknown task in the header', 'small-one', 'nobody', { kind: 'unknown-task', task: 'nobody' }],
    [
      'another task than the header names',
      'task:default',
      'support_reply',
      { kind: 'conflict', task: 'support_reply', requestedTask: 'default' },
    ],
  ])('%s is said', (_, requested, task, result) => {
    expect(resolved(requested, task)).toEqual(result)
  })

  test('a tier that no configured model has is an unknown model', () => {
    const few = exampleModels(exampleModel('small-one', 'small'))
    const simple = new Map([['default', exampleContract('default')]])
    expect(resolveRequestedModel({ requested: 'mid', task: null, contracts: simple, models: few })).toEqual({
      kind: 'unknown-model',
      requested: 'mid',
    })
  })

  test('whatever a caller asks for inside a task, it never gets a dearer tier than the route has', () => {
    const wish = fc.oneof(
      fc.string(),
      fc.constantFrom(...models.keys(), 'small', 'mid', 'premium', 'task:default'),
    )
    fc.assert(
      fc.property(wish, (requested) => {
        const result = resolveRequestedModel(ask(requested, 'support_reply'))
        if (result.kind !== 'resolved' || result.pinned === null) return
        const allowed = ['small-one', 'small-two', 'large-two']
        expect(allowed).toContain(result.pinned)
      }),
    )
  })
})
