import { describe, expect, test } from 'vitest'
import { CALLS_MIN, type Counts, SuccessWindow, isOutlier } from './success-window.js'

describe('SuccessWindow', () => {
  test('sees the last half to whole minute', () => {
    const window = new SuccessWindow()
    window.add(true, 0)
    window.add(false, 29_999)
    expect(window.counts(59_999)).toEqual({ good: 1, bad: 1 })
    window.add(false, 60_000)
    expect(window.counts(89_998)).toEqual({ good: 0, bad: 1 })
  })

  test('forgets everything after a pause', () => {
    const window = new SuccessWindow()
    window.add(false, 0)
    expect(window.counts(1_000_000)).toEqual({ good: 0, bad: 0 })
  })
})

describe('isOutlier', () => {
  const share = (percent: number, calls = 100): Counts => ({
    good: (percent * calls) / 100,
    bad: ((100 - percent) * calls) / 100,
  })
  const cases: readonly (readonly [string, Counts, readonly Counts[], boolean])[] = [
    ['20 points worse than siblings that agree', share(79), [share(99), share(99)], true],
    ['19 points worse', share(80), [share(99), share(99)], false],
    ['everybody fails alike', share(30), [share(35), share(28)], false],
    ['siblings that differ widen what is usual', share(60), [share(100), share(60), share(80)], false],
    ['one sibling is no comparison', share(0), [share(100)], false],
    ['siblings with few calls are none', share(0), [share(100), share(100, CALLS_MIN - 1)], false],
    ['too few calls of its own', share(0, CALLS_MIN - 1), [share(100), share(100)], false],
    ['better than the others', share(100), [share(50), share(50)], false],
  ]
  test.each(cases)('%s: %#', (_title, own, siblings, expected) => {
    expect(isOutlier(own, siblings)).toBe(expected)
  })
})
