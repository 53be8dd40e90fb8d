import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type DeploymentState, orderDeployments } from './deployment-choice.js'

const state = (id: string, some: Partial<DeploymentState> = {}): DeploymentState => ({
  id,
  inFlight: 0,
  concurrency: 10,
  coolUntilMs: 0,
  lastUsed: 0,
  ...some,
})

describe('orderDeployments', () => {
  test('the least loaded share goes first, not the fewest calls', () => {
    const states = [
      state('small', { inFlight: 2, concurrency: 4 }),
      state('big', { inFlight: 9, concurrency: 64 }),
    ]
    expect(orderDeployments(states, 0)).toEqual({ kind: 'ready', order: ['big', 'small'] })
  })

  test('one without a known limit is compared as if 64 calls filled it, and is never full', () => {
    const states = [state('open', { inFlight: 80, concurrency: null }), state('half', { inFlight: 5 })]
    expect(orderDeployments(states, 0)).toEqual({ kind: 'ready', order: ['half', 'open'] })
  })

  test('equals take turns', () => {
    let states = [state('a'), state('b'), state('c')]
    const served: string[] = []
    for (let turn = 1; turn <= 6; turn += 1) {
      const choice = orderDeployments(states, 0)
      const first = choice.kind === 'ready' ? choice.order[0] : undefined
      served.push(first ?? 'nobody')
      states = states.map((entry) => (entry.id === first ? { ...entry, lastUsed: turn } : entry))
    }
    expect(served).toEqual(['a', 'b', 'c', 'a', 'b', 'c'])
  })

  test('one that cools off is left out until its time has come', () => {
    const states = [state('a', { coolUntilMs: 500 }), state('b', { inFlight: 9 })]
    expect(orderDeployments(states, 499)).toEqual({ kind: 'ready', order: ['b'] })
    expect(orderDeployments(states, 500)).toEqual({ kind: 'ready', order: ['a', 'b'] })
  })

  test('when all cool off, the first to be ready and the wait for it', () => {
    const states = [state('a', { coolUntilMs: 900 }), state('b', { coolUntilMs: 700 })]
    expect(orderDeployments(states, 400)).toEqual({ kind: 'cooling', id: 'b', waitMs: 300 })
  })

  test('when those that are well are all full, a call has to end first', () => {
    const states = [state('a', { inFlight: 10 }), state('b', { coolUntilMs: 700 })]
    expect(orderDeployments(states, 0)).toEqual({ kind: 'busy', order: ['a'] })
  })

  test('no deployment is no order', () => {
    expect(orderDeployments([], 0)).toEqual({ kind: 'none' })
  })

  const some = fc.array(
    fc.record({
      inFlight: fc.nat(5),
      concurrency: fc.option(fc.integer({ min: 1, max: 5 })),
      coolUntilMs: fc.nat(3),
      lastUsed: fc.nat(3),
    }),
    { maxLength: 6 },
  )

  test('all that are well and not full may be called and no others, in whatever order they came', () => {
    fc.assert(
      fc.property(some, fc.nat(3), (list, nowMs) => {
        const states = list.map((entry, n) => ({ ...entry, id: `d${n}` }))
        const choice = orderDeployments(states, nowMs)
        expect(orderDeployments([...states].reverse(), nowMs)).toEqual(choice)
        const callable = states
          .filter(({ coolUntilMs }) => coolUntilMs <= nowMs)
          .filter(({ inFlight, concurrency }) => concurrency === null || inFlight < concurrency)
          .map(({ id }) => id)
        expect([...(choice.kind === 'ready' ? choice.order : [])].sort()).toEqual(callable)
        const waitMs = choice.kind === 'cooling' ? choice.waitMs : 1
        expect(waitMs).toBeGreaterThan(0)
      }),
    )
  })
})
