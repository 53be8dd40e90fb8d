// List prices from the bundled genai-prices data: offline, with today's price where a price has changed.
// Its floats (USD per million tokens) become integers here; what it does not know stays unknown.

import {
  calcPrice,
  type ModelPrice,
  type PriceCalculationResult,
  type PriceOptions,
} from '@pydantic/genai-prices'
import { type CatalogueEntry, picoPerToken, type PriceCatalogue } from '../../core/money/price-catalogue.js'
import type { Price, Rates } from '../../core/money/price.js'
import type { TokenClass } from '../../core/money/token-counts.js'

/** The version of the data is the version of the package; a test compares them. */
export const PRICE_BOOK = 'genai-prices-0.1.8'

const KEY_OF: Readonly<Record<TokenClass, string>> = {
  input: 'input_mtok',
  cacheRead: 'cache_read_mtok',
  cacheWrite: 'cache_write_mtok',
  cacheWrite1h: 'cache_write_1h_mtok',
  output: 'output_mtok',
  reasoning: 'output_reasoning_mtok',
  audioInput: 'input_audio_mtok',
  audioOutput: 'output_audio_mtok',
}
const CLASSES = Object.entries(KEY_OF) as [TokenClass, string][]

// The data finds a provider by the shape of a model's name; embeddings and a few others have no such shape.
const SELLERS_WITHOUT_PATTERN = ['openai', 'anthropic']

/** `nowMs`: the prices of that moment, ms since 1970. Nothing is fetched. */
export function createGenaiPrices(nowMs: number): PriceCatalogue {
  const timestamp = new Date(nowMs)
  return { version: PRICE_BOOK, find: (model, providerHint) => look(model, providerHint, timestamp) }
}

function look(model: string, hint: string | undefined, timestamp: Date): CatalogueEntry | null {
  const sellers = SELLERS_WITHOUT_PATTERN.map((providerId): PriceOptions => ({ providerId }))
  const ways: readonly PriceOptions[] =
    hint === undefined
      ? [{}, ...sellers]
      : hint.includes('://')
        ? [{ providerApiUrl: hint }]
        : [{ providerId: hint }]
  for (const way of ways) {
    const found = calculate(model, { ...way, timestamp })
    const price = found && toPrice(found.model_price)
    if (found && price) return { provider: found.provider.id, price }
  }
  return null
}

function calculate(model: string, options: PriceOptions): PriceCalculationResult {
  try {
    return calcPrice({ input_tokens: 1 }, model, options)
  } catch {
    // The library throws where a model is not sold by tokens at all.
    return null
  }
}

/** null: not priced per input token, so our token classes cannot express it. */
function toPrice(prices: ModelPrice): Price | null {
  const rates = ratesAt(prices, 0)
  if (!rates) return null
  const starts = CLASSES.flatMap(([, key]) => {
    const value = prices[key]
    return typeof value === 'object' ? value.tiers.map(({ start }) => start) : []
  })
  const tiers = [...new Set(starts)]
    .toSorted((left, right) => left - right)
    .flatMap((start) => {
      const above = ratesAt(prices, start + 1)
      return above ? [{ aboveInputTokens: start, rates: above }] : []
    })
  return { rates, tiers, book: PRICE_BOOK }
}

/**
 * The rates for a prompt of this many tokens. Models that only read (embeddings) have no output price:
 * zero.
 */
function ratesAt(prices: ModelPrice, inputTokens: number): Rates | null {
  const rates: Partial<Record<TokenClass, number>> = {}
  for (const [tokenClass, key] of CLASSES) {
    const value = prices[key]
    if (value === undefined) continue
    rates[tokenClass] = picoPerToken(typeof value === 'number' ? value : tierPrice(value, inputTokens))
  }
  const { input, output = 0 } = rates
  return input === undefined ? null : { ...rates, input, output }
}

function tierPrice(
  tiered: {
    readonly base: number
    readonly tiers: readonly { readonly start: number; readonly price: number }[]
  },
  inputTokens: number,
): number {
  const reached = tiered.tiers.filter(({ start }) => inputTokens > start)
  return reached.toSorted((left, right) => right.start - left.start)[0]?.price ?? tiered.base
}
