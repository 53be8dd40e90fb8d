import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type Candidate, chooseDeployment } from './deployment-choice.js'

interface Some {
  readonly inFlight: number
  readonly concurrency: number | null
  readonly lastUsed: number
  readonly waitMs: number
}

const candidate = (id: string, some: Partial<Some> = {}): Candidate => {
  const { inFlight = 0, concurrency = 10, lastUsed = 0, waitMs = 0 } = some
  return { state: { id, inFlight, concurrency, lastUsed }, waitMs }
}

const chosen = (candidates: readonly Candidate[]): string | number => {
  const choice = chooseDeployment(candidates)
  return choice.kind === 'chosen' ? choice.chosen.state.id : choice.waitMs
}

describe('chooseDeployment', () => {
  test('the least loaded share goes first, not the fewest calls', () => {
    expect(
      chosen([
        candidate('small', { inFlight: 2, concurrency: 4 }),
        candidate('big', { inFlight: 9, concurrency: 64 }),
      ]),
    ).toBe('big')
  })

  test('one without a known limit is compared as if 64 calls filled it, and is never full', () => {
    const open = candidate('open', { inFlight: 80, concurrency: null })
    expect(chosen([open, candidate('half', { inFlight: 5 })])).toBe('half')
    expect(chosen([open])).toBe('open')
  })

  test('equals take turns', () => {
    let candidates = [candidate('a'), candidate('b'), candidate('c')]
    const served: (string | number)[] = []
    for (let turn = 1; turn <= 6; turn += 1) {
      const first = chosen(candidates)
      served.push(first)
      candidates = candidates.map((entry) =>
        entry.state.id === first ? { ...entry, state: { ...entry.state, lastUsed: turn } } : entry,
      )
    }
    expect(served).toEqual(['a', 'b', 'c', 'a', 'b', 'c'])
  })

  test('one that has to wait is left out, however little load it has', () => {
    expect(chosen([candidate('a', { waitMs: 1 }), candidate('b', { inFlight: 9 })])).toBe('b')
  })

  test('when none is free, the shortest wait counts; one that is only busy has no time', () => {
    expect(chosen([candidate('a', { waitMs: 900 }), candidate('b', { waitMs: 700 })])).toBe(700)
    expect(chosen([candidate('a', { waitMs: Infinity }), candidate('b', { waitMs: 700 })])).toBe(700)
    expect(chosen([candidate('a', { waitMs: Infinity })])).toBe(Infinity)
    expect(chosen([])).toBe(Infinity)
  })

  const some = fc.array(
    fc.record({
      inFlight: fc.nat(5),
      concurrency: fc.option(fc.integer({ min: 1, max: 5 })),
      waitMs: fc.constantFrom(0, 0, 1, 5, Infinity),
      lastUsed: fc.nat(3),
    }),
    { maxLength: 6 },
  )

  test('one is chosen exactly when one is free, whatever order they came in', () => {
    fc.assert(
      fc.property(some, (list) => {
        const candidates = list.map((entry, n) => candidate(`d${n}`, entry))
        expect(chosen([...candidates].reverse())).toBe(chosen(candidates))
        expect(typeof chosen(candidates) === 'string').toBe(list.some(({ waitMs }) => waitMs === 0))
      }),
    )
  })
})
