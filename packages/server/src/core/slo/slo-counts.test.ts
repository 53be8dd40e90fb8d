import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type EndedTasks, SloCounts } from './slo-counts.js'

const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS
const DAY_MS = 24 * HOUR_MS
const T0 = 1_700_000_000_000 - (1_700_000_000_000 % HOUR_MS)

const one = (atMs: number, some: Partial<EndedTasks> = {}): EndedTasks => ({
  atMs,
  total: 1,
  failed: 0,
  slow: 0,
  ...some,
})

describe('counts of ended tasks', () => {
  test('a window holds what ended in it, by whole minutes', () => {
    const counts = new SloCounts()
    counts.add(one(T0, { failed: 1 }))
    counts.add(one(T0 + 4 * MINUTE_MS, { slow: 1 }))
    expect(counts.sums(5 * MINUTE_MS, T0 + 4 * MINUTE_MS)).toEqual({ total: 2, failed: 1, slow: 1 })
    expect(counts.sums(5 * MINUTE_MS, T0 + 5 * MINUTE_MS)).toEqual({ total: 1, failed: 0, slow: 1 })
    expect(counts.sums(6 * HOUR_MS, T0 + HOUR_MS)).toEqual({ total: 2, failed: 1, slow: 1 })
  })

  test('a month is summed by hours, and what is older is forgotten', () => {
    const counts = new SloCounts()
    counts.add(one(T0))
    expect(counts.sums(30 * DAY_MS, T0 + 29 * DAY_MS).total).toBe(1)
    expect(counts.sums(30 * DAY_MS, T0 + 30 * DAY_MS).total).toBe(0)
    counts.add(one(T0 + 60 * DAY_MS))
    expect(counts.sums(30 * DAY_MS, T0 + 60 * DAY_MS).total).toBe(1)
  })

  test('a verdict that is taken back leaves no trace, also when its time is forgotten', () => {
    const counts = new SloCounts()
    counts.add(one(T0, { failed: 1 }))
    counts.add({ atMs: T0, total: -1, failed: -1, slow: 0 })
    counts.add({ atMs: T0 - 90 * DAY_MS, total: -1, failed: -1, slow: 0 })
    expect(counts.sums(HOUR_MS, T0)).toEqual({ total: 0, failed: 0, slow: 0 })
  })

  const ends = fc.array(fc.record({ minute: fc.integer({ min: 0, max: 700 }), failed: fc.boolean() }))
  const counted = (list: readonly { minute: number; failed: boolean }[]): SloCounts => {
    const counts = new SloCounts()
    for (const { minute, failed } of list)
      counts.add(one(T0 + minute * MINUTE_MS, { failed: failed ? 1 : 0 }))
    return counts
  }

  test('any window is what a plain list says', () => {
    fc.assert(
      fc.property(ends, fc.integer({ min: 1, max: 360 }), (list, minutes) => {
        const last = Math.max(0, ...list.map(({ minute }) => minute))
        const inWindow = list.filter(({ minute }) => minute > last - minutes)
        const counts = counted(list.toSorted((a, b) => a.minute - b.minute))
        const { total, failed } = counts.sums(minutes * MINUTE_MS, T0 + last * MINUTE_MS)
        expect(total).toBe(inWindow.length)
        expect(failed).toBe(inWindow.filter((end) => end.failed).length)
      }),
    )
  })

  test('a clock that jumps back may lose what is older than its cell, and counts nothing twice', () => {
    fc.assert(
      fc.property(ends, fc.integer({ min: 1, max: 360 }), (list, minutes) => {
        const last = Math.max(0, ...list.map(({ minute }) => minute))
        const inWindow = list.filter(({ minute }) => minute > last - minutes)
        const { total } = counted(list).sums(minutes * MINUTE_MS, T0 + last * MINUTE_MS)
        expect(total).toBeLessThanOrEqual(inWindow.length)
      }),
    )
  })
})
