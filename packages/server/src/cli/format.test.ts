import { describe, expect, test } from 'vitest'
import { bar, count, dollars, duration, fitText, moment, percent } from './format.js'

describe('what is unknown', () => {
  test('is a dash in every unit, never 0', () => {
    expect([percent(null), count(null), dollars(null), duration(null)]).toEqual(['–', '–', '–', '–'])
  })
})

test.each([
  [0, '0 %'],
  [0.0004, '<0.1 %'],
  [0.9637, '96.4 %'],
  [0.9999, '>99.9 %'],
  [1, '100 %'],
])('the share %d reads %s', (share, text) => {
  expect(percent(share)).toBe(text)
})

test.each([
  [0, '$0'],
  [0.000000001, '$0.000000001'],
  [0.002142, '$0.00214'],
  [0.05, '$0.0500'],
  [0.999, '$0.999'],
  [12.404, '$12.40'],
  [12_345.6, '$12 346'],
  [-3.5, '-$3.50'],
])('%d dollars read %s', (usd, text) => {
  expect(dollars(usd)).toBe(text)
})

test.each([
  [0.4, '0 ms'],
  [999.4, '999 ms'],
  [999.6, '1.00 s'],
  [1_842, '1.84 s'],
  [9_996, '10.0 s'],
  [59_949, '59.9 s'],
  [59_951, '1 min 00 s'],
  [125_000, '2 min 05 s'],
  [12_000_000, '3 h 20 min'],
])('%d ms read %s', (ms, text) => {
  expect(duration(ms)).toBe(text)
})

test('large numbers are grouped by threes', () => {
  expect([count(999), count(1_000), count(1_234_567)]).toEqual(['999', '1 000', '1 234 567'])
})

test('a moment is UTC to the second', () => {
  expect(moment('2026-11-24T05:41:09.321Z')).toBe('2026-11-24 05:41:09')
})

describe('a bar', () => {
  test('shows when something ran within the whole', () => {
    expect(bar({ fromMs: 50, forMs: 25 }, 100, 8)).toBe('····██··')
  })

  test('is never empty and never longer than its width', () => {
    expect(bar({ fromMs: 100, forMs: 0 }, 100, 4)).toBe('···█')
    expect(bar({ fromMs: 0, forMs: 500 }, 100, 4)).toBe('████')
    expect(bar({ fromMs: 0, forMs: 0 }, 0, 4)).toBe('█···')
  })
})

test('a text that is cut says so', () => {
  expect([fitText('support', 7), fitText('support_reply', 7)]).toEqual(['support', 'suppor…'])
})
