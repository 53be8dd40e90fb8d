// Configurations that the engine's tests start from: three tiers at two providers, prices that are easy to
// add up.

import type { TestEngineOptions } from './test-engine.js'

/** Per token: small 1,000 nano-dollars in and 2,000 out, mid ten times and large a hundred times that. */
const MODELS = `
providers:
  main:  { kind: openai, api_key: key-of-main }
  spare: { kind: openai-compatible, base_url: "http://spare.test/v1" }
  claude: { kind: anthropic, api_key: key-of-claude }
models:
  small-model:
    tier: small
    price: { input: 1, output: 2 }
    deployments: [{ provider: main, model: small-upstream }]
  mid-model:
    tier: mid
    price: { input: 10, output: 20 }
    deployments: [{ provider: main, model: mid-upstream }]
  large-model:
    tier: premium
    price: { input: 100, output: 200 }
    deployments: [{ provider: main, model: large-upstream }]
  twin-model:
    tier: small
    price: { input: 1, output: 2 }
    deployments:
      - { provider: main, model: twin-upstream }
      - { provider: spare, model: twin-upstream }
  claude-model:
    tier: mid
    price: { input: 10, output: 20 }
    deployments: [{ provider: claude, model: claude-upstream }]
  unpriced-model:
    tier: small
    deployments: [{ provider: spare, model: nobody-knows-its-price }]
`

const PROVIDERS = { main: {}, spare: {}, claude: { chatWire: 'anthropic-messages' } } as const

/** `tasks` is YAML under `tasks:`, indented by two spaces; `rest` is further top-level keys. */
export function configured(tasks: string, rest = ''): Pick<TestEngineOptions, 'yaml' | 'providers'> {
  return { yaml: `${MODELS}\ntasks:\n${tasks}\n${rest}`, providers: PROVIDERS }
}

export const ROUTED = configured(`
  support:
    budget: { max_cost_usd: 0.1, max_output_tokens: 1000, max_input_tokens: 20000, max_model_calls: 10 }
    degrade: []
    retries: { max_attempts: 10 }
    route:
      default: small-model
      escalate_if:
        - { condition: "confidence < 0.7", model: large-model }
        - { condition: "account_tier == 'enterprise'", model: mid-model }
`)
