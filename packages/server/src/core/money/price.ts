// Prices and what an amount of tokens costs. Money is an integer of nano-dollars; rates are integers of
// pico-dollars per token, because list prices such as 0.0375 USD per million tokens are not whole
// nano-dollars.

import { type TokenClass, type TokenCounts, inputTotal } from './token-counts.js'

/** Pico-dollars per token. A class that is not listed is priced as its parent: see `costOf`. */
export type Rates = Readonly<Partial<Record<TokenClass, number>>> & {
  readonly input: number
  readonly output: number
}

export interface Price {
  readonly rates: Rates
  /**
   * Dearer rates for long prompts: the last tier whose threshold the prompt exceeds applies to all its
   * tokens.
   */
  readonly tiers: readonly { readonly aboveInputTokens: number; readonly rates: Rates }[]
  /** Which list this came from, kept on every charge: `genai-prices-0.1.8`, `override`, `hours`. */
  readonly book: string
}

/** Of capacity that is paid by the hour: one call more costs nothing more. */
export const PAID_BY_THE_HOUR: Price = { rates: { input: 0, output: 0 }, tiers: [], book: 'hours' }

const PICO_PER_NANO = 1_000

export function ratesFor(price: Price, inputTokens: number): Rates {
  let rates = price.rates
  for (const tier of price.tiers) if (inputTokens > tier.aboveInputTokens) rates = tier.rates
  return rates
}

/** Nano-dollars, rounded up: a budget that leaks a nano-dollar per call is not a limit. */
export function costOf(price: Price, tokens: TokenCounts): number {
  const rates = ratesFor(price, inputTotal(tokens))
  const { input, output } = rates
  const cacheWrite = rates.cacheWrite ?? input
  const pico =
    tokens.input * input +
    tokens.cacheRead * (rates.cacheRead ?? input) +
    tokens.cacheWrite * cacheWrite +
    tokens.cacheWrite1h * (rates.cacheWrite1h ?? cacheWrite) +
    tokens.audioInput * (rates.audioInput ?? input) +
    tokens.output * output +
    tokens.reasoning * (rates.reasoning ?? output) +
    tokens.audioOutput * (rates.audioOutput ?? output)
  return Math.ceil(pico / PICO_PER_NANO)
}

/** What it would have cost more without the provider's cache of prompts, nano-dollars; below 0: less. */
export function savedByCache(price: Price, tokens: TokenCounts): number {
  const { cacheRead, cacheWrite, cacheWrite1h } = tokens
  if (cacheRead === 0 && cacheWrite === 0 && cacheWrite1h === 0) return 0
  const input = tokens.input + cacheRead + cacheWrite + cacheWrite1h
  const plain = { ...tokens, input, cacheRead: 0, cacheWrite: 0, cacheWrite1h: 0 }
  return costOf(price, plain) - costOf(price, tokens)
}

/**
 * The most a call can cost: every input token at the dearest input class, every output token at the dearest.
 */
export function worstCaseCost(price: Price, size: { inputTokens: number; outputTokens: number }): number {
  const rates = ratesFor(price, size.inputTokens)
  const input = Math.max(rates.input, rates.cacheWrite ?? rates.input)
  const output = Math.max(rates.output, rates.reasoning ?? rates.output)
  return Math.ceil((size.inputTokens * input + size.outputTokens * output) / PICO_PER_NANO)
}
