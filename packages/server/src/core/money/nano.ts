// Dollars at the edge, whole nano-dollars inside. Both ways are exact for decimals of up to nine digits as
// long as the sum is below 2^51 nano-dollars (2.2 million dollars): the error of the multiplication stays
// below one half.

const NANO_PER_USD = 1_000_000_000

/** The nearest nano-dollar. Infinity ("no limit") stays Infinity. */
export function nanoFromUsd(usd: number): number {
  return Math.round(usd * NANO_PER_USD)
}

/** The double nearest to the exact amount: printed, it is the decimal itself. */
export function usdFromNano(nano: number): number {
  return nano / NANO_PER_USD
}

/** Plain decimal text without exponent or trailing zeros: `0.000000001`, `1.5`, `0`. */
export function formatUsd(nano: number): string {
  const size = Math.abs(nano)
  const whole = Math.floor(size / NANO_PER_USD)
  const fraction = String(size % NANO_PER_USD)
    .padStart(9, '0')
    .replace(/0{1,9}$/, '')
  return `${nano < 0 ? '-' : ''}${whole}${fraction === '' ? '' : `.${fraction}`}`
}
