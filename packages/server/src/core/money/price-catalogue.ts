// What models cost by list price: the port through which `config/` resolves models nobody defined. The data
// behind it lives in `adapters/prices/`; here are only the words.

import type { Price } from './price.js'

export interface CatalogueEntry {
  /** Who sells it: `openai`, `anthropic`, or another provider's catalogue name. */
  readonly provider: string
  readonly price: Price
  /** Most tokens of one answer; absent where the catalogue does not say. */
  readonly maxOutputTokens?: number
}

export interface PriceCatalogue {
  /** The book's name, kept on every charge made from it. */
  readonly version: string
  /**
   * `providerHint` is a catalogue provider (`openai`) or a provider's base URL; without one, whoever sells
   * the model under this name. null: not in the book, so the price is unknown (never zero).
   */
  find(model: string, providerHint?: string): CatalogueEntry | null
}

const PICO_PER_TOKEN_OF_USD_PER_MILLION = 1_000_000

/** A list price (USD per million tokens) as the integer the books use: pico-USD per token. */
export function picoPerToken(usdPerMillion: number): number {
  return Math.round(usdPerMillion * PICO_PER_TOKEN_OF_USD_PER_MILLION)
}
