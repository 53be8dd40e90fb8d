// Money at the edge: integer nano-dollars inside, numbers of dollars on the wire.

const NANO_PER_USD = 1_000_000_000
const NANO_DIGITS = 9

/** Up to this amount (8.4 million USD) a number of dollars still tells every nano-dollar apart. */
export const NANO_USD_MAX = 2 ** 23 * NANO_PER_USD

/** The number of dollars whose JSON text is the exact decimal: 150000 gives 0.00015. */
export function usdFromNano(nano: number): number {
  // One division of two exact integers is rounded once, so it is the double closest to the true decimal.
  return nano / NANO_PER_USD
}

/**
 * Whole nano-dollars, rounded to the nearest. `toFixed` works on the number's exact value, so there is no
 * drift as with multiplying by 1e9. Throws `RangeError` for what is not a number of dollars within
 * `NANO_USD_MAX`.
 */
export function nanoFromUsd(usd: number): number {
  if (!(Math.abs(usd) <= NANO_USD_MAX / NANO_PER_USD))
    throw new RangeError('not an amount of money that can be kept')
  const nano = Number(usd.toFixed(NANO_DIGITS).replace('.', ''))
  return nano === 0 ? 0 : nano
}
