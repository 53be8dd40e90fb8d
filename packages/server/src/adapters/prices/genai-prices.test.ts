import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { costOf } from '../../core/money/price.js'
import { NO_TOKENS } from '../../core/money/token-counts.js'
import { createGenaiPrices, PRICE_BOOK } from './genai-prices.js'

const NOW_MS = Date.UTC(2026, 10, 24)
const prices = createGenaiPrices(NOW_MS)

describe('the genai-prices catalogue', () => {
  test('is named after the installed version of the data', () => {
    const entry = fileURLToPath(import.meta.resolve('@pydantic/genai-prices'))
    const manifest: unknown = JSON.parse(readFileSync(new URL('../package.json', `file://${entry}`), 'utf8'))
    expect(manifest).toMatchObject({ version: PRICE_BOOK.replace('genai-prices-', '') })
    expect(prices.version).toBe(PRICE_BOOK)
  })

  test('gives exact pico-dollars per token, cached input included', () => {
    expect(prices.find('gpt-4o-mini')).toEqual({
      provider: 'openai',
      price: { rates: { input: 150_000, cacheRead: 75_000, output: 600_000 }, tiers: [], book: PRICE_BOOK },
    })
  })

  test('knows both cache writes of Anthropic', () => {
    expect(prices.find('claude-3-5-sonnet')?.price.rates).toEqual({
      input: 3_000_000,
      cacheRead: 300_000,
      cacheWrite: 3_750_000,
      cacheWrite1h: 6_000_000,
      output: 15_000_000,
    })
  })

  test('every rate in the books of both sellers is a whole number', () => {
    const models = ['gpt-5.6-terra', 'gpt-6-luna', 'claude-opus-5-5', 'gpt-4.1-nano', 'o4-mini']
    const found = models.flatMap((model) => prices.find(model)?.price ?? [])
    expect(found).toHaveLength(models.length)
    const rates = found.flatMap(({ rates: base, tiers }) => [base, ...tiers.map((tier) => tier.rates)])
    expect(rates.flatMap((one) => Object.values(one)).filter((rate) => !Number.isInteger(rate))).toEqual([])
  })

  test('long prompts cost their tier, for all tokens', () => {
    const price = prices.find('claude-sonnet-4-5', 'anthropic')?.price
    if (!price) throw new Error('the catalogue lost the model')
    expect(price.tiers).toMatchObject([
      { aboveInputTokens: 200_000, rates: { input: 6_000_000, output: 22_500_000 } },
    ])
    expect(costOf(price, { ...NO_TOKENS, input: 300_000 })).toBe(1_800_000_000)
  })

  test('takes the price of the given day', () => {
    const before = createGenaiPrices(Date.UTC(2025, 4, 1)).find('o3')?.price.rates.input
    const after = createGenaiPrices(Date.UTC(2025, 6, 1)).find('o3')?.price.rates.input
    expect([before, after]).toEqual([10_000_000, 2_000_000])
  })

  test('finds embeddings, which only read', () => {
    expect(prices.find('text-embedding-3-small')).toMatchObject({
      provider: 'openai',
      price: { rates: { input: 20_000, output: 0 } },
    })
  })

  test('a hint names the seller, or its address', () => {
    expect(prices.find('gpt-4o', 'openai')?.provider).toBe('openai')
    expect(prices.find('gpt-4o', 'anthropic')).toBeNull()
    expect(prices.find('llama-3.1-8b-instant', 'https://api.groq.com/openai/v1')?.provider).toBe('groq')
    expect(prices.find('meta-llama/Llama-3.1-8B-Instruct', 'http://10.0.0.4:8000/v1')).toBeNull()
  })

  test.each(['no-such-model', 'whisper-1', ''])('%j has no price per token: unknown, not zero', (model) => {
    expect(prices.find(model)).toBeNull()
  })
})
