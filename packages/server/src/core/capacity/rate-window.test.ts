import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { correct, fullWindow, take, withLimit } from './rate-window.js'

describe('take', () => {
  test('a full window gives a minute’s worth, then says how long to wait', () => {
    const empty = take(fullWindow(60, 0), 60, 0)
    expect(empty.kind).toBe('taken')
    expect(take(empty.window, 1, 0)).toMatchObject({ kind: 'wait', waitMs: 1_000 })
    expect(take(empty.window, 1, 999)).toMatchObject({ kind: 'wait', waitMs: 1 })
    expect(take(empty.window, 1, 1_000).kind).toBe('taken')
  })

  test('saves up no more than a minute’s worth', () => {
    const rested = take(fullWindow(60, 0), 0, 3_600_000)
    expect(take(rested.window, 61, 3_600_000)).toMatchObject({ kind: 'wait', waitMs: Infinity })
    expect(take(rested.window, 60, 3_600_000).kind).toBe('taken')
  })

  test('a limit of nothing never gives', () => {
    expect(take(fullWindow(0, 0), 1, 60_000)).toMatchObject({ kind: 'wait', waitMs: Infinity })
  })

  test('a clock that goes back refills nothing and loses nothing', () => {
    const { window } = take(fullWindow(60, 10_000), 60, 10_000)
    expect(take(window, 1, 5_000)).toMatchObject({ kind: 'wait', waitMs: 1_000 })
    expect(take(window, 1, 11_000).kind).toBe('taken')
  })
})

describe('correct and withLimit', () => {
  test('an estimate that was too high is given back, one too low is owed', () => {
    const { window } = take(fullWindow(100, 0), 80, 0)
    expect(take(correct(window, 30), 50, 0).kind).toBe('taken')
    expect(take(correct(window, -30), 1, 0)).toMatchObject({ kind: 'wait', waitMs: 6_600 })
    expect(take(correct(window, 1_000), 101, 0).kind).toBe('wait')
  })

  test('a lower limit cuts what is saved up, a higher one gives no present', () => {
    expect(take(withLimit(fullWindow(100, 0), 10), 11, 0).kind).toBe('wait')
    expect(take(withLimit(fullWindow(10, 0), 100), 11, 0).kind).toBe('wait')
  })
})

describe('a window under any use', () => {
  const uses = fc.array(fc.record({ amount: fc.integer({ min: 1, max: 20 }), afterMs: fc.nat(30_000) }))
  const limit = fc.integer({ min: 1, max: 700 })

  test('gives no more than it held and refilled', () => {
    fc.assert(
      fc.property(limit, uses, (perMinute, list) => {
        let window = fullWindow(perMinute, 0)
        let nowMs = 0
        let taken = 0
        for (const { amount, afterMs } of list) {
          nowMs += afterMs
          const result = take(window, amount, nowMs)
          window = result.window
          if (result.kind === 'taken') taken += amount
          expect(window.level).toBeGreaterThanOrEqual(0)
          expect(taken).toBeLessThanOrEqual(perMinute + (nowMs * perMinute) / 60_000)
        }
      }),
    )
  })

  test('the wait it names is enough, and one ms less is not', () => {
    fc.assert(
      fc.property(limit, uses, (perMinute, list) => {
        let window = fullWindow(perMinute, 0)
        let nowMs = 0
        for (const { amount, afterMs } of list) {
          nowMs += afterMs
          const result = take(window, amount, nowMs)
          window = result.window
          if (result.kind === 'taken' || result.waitMs === Infinity) continue
          expect(take(window, amount, nowMs + result.waitMs).kind).toBe('taken')
          expect(take(window, amount, nowMs + result.waitMs - 1).kind).toBe('wait')
        }
      }),
    )
  })
})
