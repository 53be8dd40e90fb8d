// The configurations that simulated servers run under. Parsed once for all runs: what a release holds is
// frozen.

import { createGenaiPrices } from '../../adapters/prices/genai-prices.js'
import { parseConfig } from '../../config/load-config.js'
import type { Release, Wire } from '../../core/release/release.js'
import { cheapHash } from './cheap-hash.js'

export interface Shape {
  readonly name: string
  /** The one it starts with, and the one that a reload brings. */
  readonly releases: readonly [Release, Release]
  readonly tenants: readonly string[]
  readonly contracts: readonly string[]
  readonly models: readonly string[]
  readonly providers: Readonly<Record<string, Wire>>
}

interface Written {
  readonly providers: readonly (keyof typeof PROVIDERS)[]
  readonly yaml: string
  /** What a reload changes. */
  readonly reload: readonly (readonly [RegExp, string])[]
}

const PROVIDERS = {
  main: '{ kind: openai, api_key: key-of-main, timeout_ms: 20000 }',
  spare: '{ kind: openai-compatible, base_url: "http://spare.test/v1", timeout_ms: 5000 }',
  third: '{ kind: openai-compatible, base_url: "http://third.test/v1", timeout_ms: 8000 }',
  claude: '{ kind: anthropic, api_key: key-of-claude }',
} as const

const PLAIN = `
models:
  mini:
    tier: small
    price: { input: 1, output: 2 }
    deployments: [{ provider: main, model: up }]
tasks:
  reply: { degrade: [], budget: { max_latency_ms: 8000, max_cost_usd: 0.01 } }
  work:
    degrade: [refine]
    budget: { max_model_calls: 9, max_output_tokens: 300, max_latency_ms: 30000 }
    retries: { max_attempts: 12 }
tenants:
  ann: { keys: [key-ann] }
  bob: { keys: [key-bob] }
`

const REPLICAS = `
models:
  local:
    tier: small
    price: { input: 1, output: 2 }
    deployments:
      - { provider: main, model: llama, limits: { concurrency: 3 } }
      - { provider: spare, model: llama, limits: { concurrency: 3 } }
      - { provider: third, model: llama, usd_per_hour: 2.5, limits: { concurrency: 2 } }
tasks:
  chat: { degrade: [], budget: { max_latency_ms: 20000, max_output_tokens: 4000 } }
  hurry: { degrade: [partial_result], criticality: critical_plus, budget: { max_latency_ms: 2500 }, retries: { max_attempts: 3 } }
  agent: { degrade: [shorter_context, partial_result, refine], budget: { max_latency_ms: 60000, max_model_calls: 30, max_input_tokens: 3000 }, retries: { max_attempts: 20 } }
tenants:
  ann: { keys: [key-ann] }
  bob: { keys: [key-bob] }
  eve: { keys: [key-eve], weight: 2 }
`

const LIMITED = `
models:
  quick:
    tier: small
    price: { input: 1, output: 2 }
    deployments:
      - { provider: main, model: quick-up, limits: { rpm: 90, tpm: 6000 } }
      - { provider: claude, model: haiku, limits: { rpm: 60, concurrency: 4 } }
  lone:
    tier: mid
    price: { input: 10, output: 20 }
    deployments: [{ provider: spare, model: lone-up, limits: { rpm: 40, concurrency: 2 } }]
tasks:
  reply: { degrade: [smaller_model, refine], budget: { max_latency_ms: 9000, max_cost_usd: 0.02 }, route: { default: lone } }
  fast: { degrade: [], budget: { max_latency_ms: 6000, max_output_tokens: 200 }, route: { default: quick } }
  batch: { degrade: [], criticality: sheddable, budget: { max_latency_ms: 120000 }, route: { default: quick } }
tenants:
  ann: { keys: [key-ann], limits: { rpm: 120, concurrency: 12 } }
  bob: { keys: [key-bob], limits: { tpm: 4000, usd_per_day: 0.01 } }
  eve: { keys: [key-eve] }
limits: { usd_per_day: 0.05, concurrency: 40 }
capacity: { queue: { max_waiting: 8, max_waiting_per_tenant: 5 } }
`

const LADDER = `
models:
  mini:
    tier: small
    price: { input: 1, output: 2 }
    deployments: [{ provider: main, model: small-up }]
  medium:
    tier: mid
    price: { input: 10, output: 20 }
    deployments: [{ provider: claude, model: mid-up }]
  huge:
    tier: premium
    price: { input: 100, output: 200 }
    deployments: [{ provider: main, model: large-up }, { provider: spare, model: large-up }]
tasks:
  judged:
    budget: { max_cost_usd: 0.05, max_output_tokens: 900, max_model_calls: 14, max_latency_ms: 20000 }
    retries: { max_attempts: 14 }
    signals: { confidence: { from: judge, model: mini } }
    route: { default: mini, escalate_if: [{ condition: "confidence < 0.7", model: huge }], premium: { max_share: 0.3 } }
  sampled:
    degrade: [smaller_model, cached_answer, partial_result]
    cache: { exact: { ttl_seconds: 1 } }
    budget: { max_cost_usd: 0.004, max_latency_ms: 9000 }
    retries: { max_attempts: 7 }
    signals: { confidence: { from: self_consistency, samples: 2 } }
    route: { default: medium, escalate_if: [{ condition: "confidence < 0.9", model: huge }], premium: { max_usd_per_day: 0.02 } }
  cached:
    degrade: [cached_answer, refine]
    budget: { max_latency_ms: 15000, max_cost_usd: 0.004 }
    cache: { exact: { ttl_seconds: 30 } }
    route: { default: medium }
tenants:
  ann: { keys: [key-ann], limits: { usd_per_day: 0.08 } }
  bob: { keys: [key-bob], attributes: { vip: true } }
limits: { usd_per_day: 0.1 }
`

const UNPRICED = `
models:
  free:
    tier: small
    deployments: [{ provider: spare, model: nobody-knows }, { provider: third, model: nobody-knows }]
  dear:
    tier: mid
    price: { input: 10, output: 20 }
    deployments: [{ provider: claude, model: dear-up }]
tasks:
  ask: { degrade: [], budget: { max_cost_usd: 0.03, max_latency_ms: 12000 }, route: { default: free } }
  long: { degrade: [partial_result, refine], budget: { max_output_tokens: 120, max_latency_ms: 40000 }, route: { default: dear } }
tenants:
  ann: { keys: [key-ann], limits: { usd_per_month: 0.05 } }
  eve: { keys: [key-eve], limits: { rpm: 30 } }
`

const WRITTEN: Readonly<Record<string, Written>> = {
  plain: { providers: ['main'], yaml: PLAIN, reload: [[/max_attempts: 12/, 'max_attempts: 4']] },
  replicas: {
    providers: ['main', 'spare', 'third'],
    yaml: REPLICAS,
    reload: [
      [/.*provider: third.*\n/, ''],
      [/concurrency: 3/g, 'concurrency: 1'],
    ],
  },
  limited: {
    providers: ['main', 'spare', 'claude'],
    yaml: LIMITED,
    reload: [
      [/rpm: 90, tpm: 6000/, 'rpm: 30'],
      [/usd_per_day: 0.05, concurrency: 40/, 'usd_per_day: 0.02, concurrency: 9'],
    ],
  },
  ladder: {
    providers: ['main', 'spare', 'claude'],
    yaml: LADDER,
    reload: [[/max_share: 0.3/, 'max_share: 0.05']],
  },
  unpriced: {
    providers: ['spare', 'third', 'claude'],
    yaml: UNPRICED,
    reload: [[/max_output_tokens: 120/, 'max_output_tokens: 30']],
  },
}

export const SHAPE_NAMES: readonly string[] = Object.keys(WRITTEN)

const shapes = new Map<string, Shape>()

export function shapeNamed(name: string): Shape {
  const known = shapes.get(name) ?? readShape(name)
  shapes.set(name, known)
  return known
}

function readShape(name: string): Shape {
  const written = WRITTEN[name]
  if (written === undefined) throw new Error(`no shape is named ${name}: ${SHAPE_NAMES.join(', ')}`)
  const lines = written.providers.map((provider) => `  ${provider}: ${PROVIDERS[provider]}\n`)
  const yaml = `providers:\n${lines.join('')}${written.yaml}`
  const changed = written.reload.reduce((text, [from, to]) => text.replace(from, to), yaml)
  const releases = [readRelease(yaml), readRelease(changed)] as const
  const [first] = releases
  const isClaude = (provider: string) => provider === 'claude'
  return {
    name,
    releases,
    tenants: [...first.tenants.keys()],
    contracts: [...first.contracts.keys()].filter((contract) => contract !== 'default'),
    models: [...first.models.keys()],
    providers: Object.fromEntries(
      written.providers.map((provider) => [
        provider,
        isClaude(provider) ? 'anthropic-messages' : 'openai-chat',
      ]),
    ),
  }
}

function readRelease(text: string): Release {
  const prices = createGenaiPrices(Date.UTC(2026, 10, 24))
  const loaded = parseConfig({ text, file: 'simulation.yaml', env: {}, prices, sha256: cheapHash })
  if (loaded.kind === 'ok') return loaded.value
  throw new Error(loaded.problems.map(({ at, message }) => `${at} ${message}`).join('\n'))
}
