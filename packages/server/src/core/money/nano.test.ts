import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { formatUsd, nanoFromUsd, usdFromNano } from './nano.js'

describe('nano-dollars', () => {
  test.each([
    [0, 0, '0'],
    [0.05, 50_000_000, '0.05'],
    [0.1 + 0.2, 300_000_000, '0.3'],
    [1.005, 1_005_000_000, '1.005'],
    [0.000000001, 1, '0.000000001'],
    [0.000123, 123_000, '0.000123'],
    [20, 20_000_000_000, '20'],
    [-0.5, -500_000_000, '-0.5'],
    [2_000_000.123456789, 2_000_000_123_456_789, '2000000.123456789'],
  ])('%d USD is %d, printed as %s', (usd, nano, text) => {
    expect(nanoFromUsd(usd)).toBe(nano)
    expect(formatUsd(nano)).toBe(text)
  })

  test('no limit stays no limit', () => {
    expect([nanoFromUsd(Infinity), usdFromNano(Infinity)]).toEqual([Infinity, Infinity])
  })

  const nano = fc.integer({ min: -(2 ** 51), max: 2 ** 51 })

  test('there and back is exact', () => {
    fc.assert(
      fc.property(nano, (amount) => {
        expect(nanoFromUsd(usdFromNano(amount))).toBe(amount)
        expect(nanoFromUsd(Number(formatUsd(amount)))).toBe(amount)
      }),
    )
  })

  test('the printed amount is plain decimal, digit for digit', () => {
    fc.assert(
      fc.property(nano, (amount) => {
        const text = formatUsd(amount)
        expect(text).toMatch(/^-?\d+(\.\d{0,8}[1-9])?$/)
        const [whole = '', fraction = ''] = text.replace('-', '').split('.')
        expect(BigInt(whole + fraction.padEnd(9, '0'))).toBe(BigInt(Math.abs(amount)))
      }),
    )
  })

  test('a decimal of nine digits is read exactly', () => {
    fc.assert(
      fc.property(fc.nat(1_000_000), fc.nat(999_999_999), (whole, fraction) => {
        const usd = Number(`${whole}.${String(fraction).padStart(9, '0')}`)
        expect(nanoFromUsd(usd)).toBe(whole * 1_000_000_000 + fraction)
      }),
    )
  })
})
