import { expect, test } from 'vitest'
import { createGenaiPrices } from '../../adapters/prices/genai-prices.js'
import { parseConfig } from '../../config/load-config.js'
import { servedDeployments } from './served-deployment.js'

function servedBy(text: string) {
  const prices = createGenaiPrices(Date.UTC(2026, 10, 24))
  const result = parseConfig({ text, file: 'spillway.yaml', env: {}, prices, sha256: () => 'f'.repeat(64) })
  return result.kind === 'ok' ? servedDeployments(result.value) : result.problems
}

test('every deployment is told once, with its hosting and what owning it costs', () => {
  const served = servedBy(`
providers:
  gpu: { kind: openai-compatible, base_url: "http://127.0.0.1:8000/v1" }
  openai: { kind: openai, api_key: secret-key-1 }
models:
  a:
    deployments:
      - { provider: openai, model: gpt-4o-mini }
      - { provider: gpu, model: llama, usd_per_hour: 2.99, limits: { concurrency: 8 } }
  b: { deployments: [{ provider: gpu, model: llama, limits: { concurrency: 4 } }] }
`)
  expect(served).toEqual([
    {
      deployment: 'gpu/llama',
      provider: 'gpu',
      hosting: 'self-hosted',
      nanoUsdPerHour: 2_990_000_000,
      concurrency: 8,
    },
    {
      deployment: 'openai/gpt-4o-mini',
      provider: 'openai',
      hosting: 'hosted',
      nanoUsdPerHour: null,
      concurrency: null,
    },
  ])
  expect(JSON.stringify(served)).not.toContain('secret')
})
