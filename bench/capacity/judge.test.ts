import { expect, test } from 'vitest'
import { type Result, isGood, judge, percentile, recoveryMs, serviceOf } from './judge.js'

const RESULT: Result = {
  atMs: 0,
  promptTokens: 100,
  outputTokens: 11,
  tenant: 'acme',
  criticality: 'critical',
  stream: true,
  end: 'answered',
  status: 200,
  firstTokenMs: 500,
  totalMs: 1_500,
  tokens: 11,
  tries: 1,
  lateMs: 0,
}
const resultAt = (atMs: number, changes: Partial<Result> = {}): Result => ({ ...RESULT, atMs, ...changes })
const BAD = { firstTokenMs: 3_001, totalMs: 4_000 }

test('good is a first token within 3 s and 150 ms per token', () => {
  expect(isGood(RESULT)).toBe(true)
  expect(isGood({ ...RESULT, firstTokenMs: 3_000, totalMs: 4_500 })).toBe(true)
  expect(isGood({ ...RESULT, firstTokenMs: 3_001, totalMs: 4_000 })).toBe(false)
  expect(isGood({ ...RESULT, totalMs: 2_001 })).toBe(false)
  expect(isGood({ ...RESULT, end: 'failed' })).toBe(false)
})

test('a whole answer has the time of its first and its other tokens', () => {
  const whole = { ...RESULT, firstTokenMs: null, stream: false }
  expect(isGood({ ...whole, totalMs: 4_500 })).toBe(true)
  expect(isGood({ ...whole, totalMs: 4_501 })).toBe(false)
})

test('only those who asked within the window count', () => {
  const results = [resultAt(0), resultAt(1_000), resultAt(1_500, BAD), resultAt(2_000)]
  const judged = judge(results, { fromMs: 1_000, toMs: 2_000 })
  expect(judged).toMatchObject({ asked: 2, good: 1, answered: 2, goodput: 1, goodShare: 0.5, tries: 2 })
  expect(judged.goodShareOf).toEqual({ critical: 0.5, sheddable_plus: Number.NaN, sheddable: Number.NaN })
  expect(judged.answeredShareOf.critical).toBe(1)
})

test('ends are counted with the status the user saw', () => {
  const refused = resultAt(0, { end: 'refused', status: 429 })
  const judged = judge([RESULT, refused, refused, resultAt(0, { end: 'gave-up', status: null })], {
    fromMs: 0,
    toMs: 1,
  })
  expect(judged.ends).toEqual({ answered: 1, 'refused 429': 2, 'gave-up': 1 })
})

test('service is what was delivered within the window', () => {
  const late = resultAt(9_000)
  const other = resultAt(0, { tenant: 'other' })
  const refused = resultAt(0, { end: 'refused' })
  expect(serviceOf([RESULT, late, other, refused], 'acme', { fromMs: 0, toMs: 10_000 })).toBe(122)
})

test('recovered is served well from then on', () => {
  const from = (atMs: number): Partial<Result> => (atMs < 4_000 || atMs === 6_500 ? BAD : {})
  const results = Array.from({ length: 300 }, (_, index) => resultAt(index * 100, from(index * 100)))
  const all = { fromMs: 0, toMs: 30_000 }
  expect(recoveryMs(results, all, { share: 0.95, wanted: 1 })).toBe(4_000)
  expect(recoveryMs(results, all, { share: 1, wanted: 1 })).toBe(7_000)
  expect(recoveryMs(results, { fromMs: 0, toMs: 5_000 }, { share: 1, wanted: 1 })).toBeNull()
})

test('a percentile of nothing is not a number', () => {
  expect(percentile([], 0.5)).toBeNaN()
  expect(percentile([3, 1, 2], 0.5)).toBe(2)
})
