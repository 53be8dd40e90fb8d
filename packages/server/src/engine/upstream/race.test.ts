import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Race, type Runner } from './race.js'

class Copy implements Runner {
  losses = 0
  readonly #race: Race

  constructor(race: Race) {
    this.#race = race
    race.enter(this)
  }

  lose(): void {
    this.losses += 1
    this.#race.leave(this)
  }
}

describe('Race', () => {
  test('the first to win stops the others, and wins again whenever it asks', () => {
    const race = new Race()
    const [a, b, c] = [new Copy(race), new Copy(race), new Copy(race)]
    expect([race.win(b), race.win(a), race.win(b)]).toEqual([true, false, true])
    expect([a.losses, b.losses, c.losses]).toEqual([1, 0, 1])
  })

  test('who comes too late has lost, and one that failed before has not', () => {
    const race = new Race()
    const a = new Copy(race)
    race.leave(a)
    const b = new Copy(race)
    expect(race.win(b)).toBe(true)
    expect([a.losses, new Copy(race).losses]).toEqual([0, 1])
  })

  test('called off, nobody wins', () => {
    const race = new Race()
    const a = new Copy(race)
    race.callOff()
    expect([race.win(a), a.losses, race.running]).toEqual([false, 1, 0])
  })

  test('in any order of events at most one wins, and whoever entered has won, lost or left by itself', () => {
    const act = fc.record({ what: fc.constantFrom('enter', 'win', 'leave', 'off'), who: fc.nat(3) })
    fc.assert(
      fc.property(fc.array(act, { maxLength: 30 }), (acts) => {
        const race = new Race()
        const copies: Copy[] = []
        const winners = new Set<Copy>()
        for (const { what, who } of acts) {
          const copy = copies[who]
          if (what === 'enter' && copies.length < 4) copies.push(new Copy(race))
          if (what === 'off') race.callOff()
          if (copy === undefined) continue
          if (what === 'win' && race.win(copy)) winners.add(copy)
          if (what === 'leave') race.leave(copy)
        }
        expect(winners.size).toBeLessThanOrEqual(1)
        for (const winner of winners) expect(winner.losses).toBeLessThanOrEqual(1)
        for (const copy of copies) expect(copy.losses).toBeLessThanOrEqual(1)
        expect(race.isDecided ? race.running : 0).toBeLessThanOrEqual(1)
      }),
    )
  })
})
