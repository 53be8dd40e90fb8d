import { describe, expect, test } from 'vitest'
import { type Price, savedByCache } from './price.js'
import { NO_TOKENS } from './token-counts.js'

/** As Claude's: reading costs a tenth, writing a quarter more. */
const PRICE: Price = {
  rates: { input: 3_000_000, output: 15_000_000, cacheRead: 300_000, cacheWrite: 3_750_000 },
  tiers: [],
  book: 'test',
}

describe('savedByCache', () => {
  test('nothing where no cache was used', () => {
    expect(savedByCache(PRICE, { ...NO_TOKENS, input: 1_000, output: 100 })).toBe(0)
  })

  test('reads save nine tenths of their price', () => {
    expect(savedByCache(PRICE, { ...NO_TOKENS, input: 10, cacheRead: 1_000, output: 5 })).toBe(2_700_000)
  })

  test('a write costs more, and one read pays for it', () => {
    const written = savedByCache(PRICE, { ...NO_TOKENS, cacheWrite: 1_000 })
    expect(written).toBe(-750_000)
    expect(written + savedByCache(PRICE, { ...NO_TOKENS, cacheRead: 1_000 })).toBeGreaterThan(0)
  })

  test('where reading has no price of its own nothing is saved', () => {
    const plain = { ...PRICE, rates: { input: 3_000_000, output: 15_000_000 } }
    expect(savedByCache(plain, { ...NO_TOKENS, cacheRead: 1_000, cacheWrite: 10 })).toBe(0)
  })
})
