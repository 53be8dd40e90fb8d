import { expect, test } from 'vitest'
import { intervalOf, judgeRatio, median, spreadOf } from './statistics.js'

const nine = [1.5, 1.52, 1.49, 1.51, 1.53, 1.48, 1.5, 1.47, 3.1]

test('the median ignores one disturbed round', () => {
  expect(median(nine)).toBe(1.5)
  expect(median([1, 2, 3, 4])).toBe(2.5)
})

test('the interval of nine rounds leaves out the lowest and the highest', () => {
  const interval = intervalOf(nine)
  expect(interval).toMatchObject({ median: 1.5, low: 1.48, high: 1.53, min: 1.47, max: 3.1 })
  expect(interval.coverage).toBeCloseTo(0.961, 3)
})

test('five rounds use all of their range', () => {
  const interval = intervalOf([5, 1, 4, 2, 3])
  expect(interval).toMatchObject({ median: 3, low: 1, high: 5 })
  expect(interval.coverage).toBeCloseTo(0.9375, 4)
})

test('the spread is that of the middle half', () => {
  expect(spreadOf([100, 100, 100, 100, 900])).toBe(0)
  expect(spreadOf([80, 90, 100, 110, 120])).toBeCloseTo(0.2)
})

test('a target is met or missed only when the whole interval says so', () => {
  const interval = intervalOf(nine)
  expect(judgeRatio(interval, 1.6, 0.02)).toBe('pass')
  expect(judgeRatio(interval, 1.4, 0.02)).toBe('fail')
  expect(judgeRatio(interval, 1.5, 0.02)).toBe('inconclusive')
})

test('a restless baseline or too few rounds conclude nothing', () => {
  expect(judgeRatio(intervalOf(nine), 1.6, 0.2)).toBe('inconclusive')
  expect(judgeRatio(intervalOf([1, 1.1, 1.2]), 1.6, 0.02)).toBe('inconclusive')
})
