import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { NANO_USD_MAX, nanoFromUsd, usdFromNano } from './money.js'

/** The exact decimal of an amount, built from text alone. */
function decimalOf(nano: number): string {
  const digits = String(Math.abs(nano)).padStart(10, '0')
  const text = `${digits.slice(0, -9)}.${digits.slice(-9)}`.replace(/\.?0+$/, '')
  return nano < 0 ? `-${text}` : text
}

const amounts = fc.integer({ min: -NANO_USD_MAX, max: NANO_USD_MAX })

test('nano-dollars go to dollars and back without drift', () => {
  fc.assert(
    fc.property(amounts, (nano) => {
      expect(nanoFromUsd(usdFromNano(nano))).toBe(nano)
    }),
  )
})

test('dollars written as a decimal text become exactly those nano-dollars', () => {
  fc.assert(
    fc.property(amounts, (nano) => {
      expect(nanoFromUsd(Number(decimalOf(nano)))).toBe(nano)
    }),
  )
})

test('up to a million dollars the JSON of an amount is its exact decimal', () => {
  const everyday = fc.integer({ min: 1_000, max: 10 ** 15 })
  fc.assert(
    fc.property(everyday, (nano) => {
      expect(JSON.stringify(usdFromNano(nano))).toBe(decimalOf(nano))
    }),
  )
})

test.each([
  [0.1 + 0.2, 300_000_000],
  [0.0375, 37_500_000],
  [1e-9, 1],
  [4e-10, 0],
  [-0.000_000_001, -1],
  [-0, 0],
])('%d dollars are %d nano-dollars', (usd, nano) => {
  expect(nanoFromUsd(usd)).toBe(nano)
})

test.each([Number.NaN, Infinity, -Infinity, 1e9])('%d is not an amount of money', (usd) => {
  expect(() => nanoFromUsd(usd)).toThrow(RangeError)
})
