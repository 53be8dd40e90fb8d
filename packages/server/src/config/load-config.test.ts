import { createHash } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { createGenaiPrices } from '../adapters/prices/genai-prices.js'
import { PAID_BY_THE_HOUR } from '../core/money/price.js'
import { FULL_LADDER, type Contract, type ModelEntry, type Release } from '../core/release/release.js'
import { builtInConfig } from './built-in.js'
import type { Environment } from './environment.js'
import { parseConfig } from './load-config.js'
import { REFINE_MESSAGE_DEFAULT } from './read-task.js'
import { UPPER_CASE } from '../testing/upper-case-example.js'

const prices = createGenaiPrices(Date.UTC(2026, 10, 24))
const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex')

function load(text: string, env: Environment = {}): Release {
  const result = parseConfig({ text, file: 'spillway.yaml', env, prices, sha256 })
  if (result.kind === 'ok') return result.value
  throw new Error(result.problems.map(({ at, message }) => `${at} ${message}`).join('\n'))
}

function contract(release: Release, name: string): Contract {
  const found = release.contracts.get(name)
  if (!found) throw new Error(`no contract ${name}`)
  return found
}

function model(release: Release, name: string): ModelEntry {
  const found = release.models.get(name)
  if (!found) throw new Error(`no model ${name}`)
  return found
}

const DOCUMENTED = `providers:                        # who can be called
  openai:    { kind: openai, api_key: "\${OPENAI_API_KEY}" }
  anthropic: { kind: anthropic, api_key: "\${ANTHROPIC_API_KEY}" }
  gpu-a:     { kind: openai-compatible, base_url: "http://10.0.0.4:8000/v1", hosting: self-hosted }
  sim:       { kind: simulated }
models:                           # what a route may name
  gpt-4o-mini:
    tier: small                   # small | mid | premium
    deployments:                  # tried by capacity policy, all interchangeable
      - { provider: openai, model: gpt-4o-mini, limits: { rpm: 500, tpm: 200000, concurrency: 64 } }
      - { provider: gpu-a, model: meta-llama/Llama-3.1-8B-Instruct, usd_per_hour: 2.99 }
      # price: { input: 0.15, output: 0.60, cache_read: 0.075, cache_write: 0 }   USD per million tokens, overrides the catalogue
  gpt-4o:            { tier: premium, deployments: [{ provider: openai, model: gpt-4o }] }
tasks:
  support_reply:
    description: Draft a reply to a customer's message.
    success: ["output.text != ''", "checks.schema_valid"]     # all must hold when the task ends
    harm:    ["checks.leaked_secret"]                           # any of them: harmful, never a success
    slo:     { p95_latency_ms: 6000, success_rate: 0.95 }
    budget:  { max_model_calls: 5, max_input_tokens: 6000, max_output_tokens: 700, max_tool_calls: 8,
               max_tool_ms: 4000, max_latency_ms: 8000, max_cost_usd: 0.05 }
    degrade: [shorter_context, smaller_model, cached_answer, partial_result, refine]
    refine_message: "I need one more detail to answer this well: ..."
    signals: { confidence: { from: logprobs } }  # logprobs | output | judge | self_consistency | attribute
    route:
      default: gpt-4o-mini
      escalate_if:
        - { condition: "confidence < 0.72", model: claude-3-5-sonnet }
        - { condition: "account_tier == 'enterprise' and sentiment == 'high_risk'", model: gpt-4o }
      premium: { max_share: 0.2, max_usd_per_day: 50 }
    cache:   { exact: { ttl_seconds: 3600 }, semantic: { enabled: true, similarity_threshold: 0.92, ttl_seconds: 86400 } }
    retries: { max_attempts: 4 }  # over the whole task, fallbacks and hedges included
    record:  metadata             # metadata (default) | content, kept for retention_days
    price:   { usd_per_success: 0.10 }
tenants:                          # who calls; keys are stored hashed
  acme: { keys: ["\${ACME_KEY}"], limits: { usd_per_day: 20, rpm: 600 }, attributes: { account_tier: enterprise } }
defaults: {}                      # the same keys as a task; every task inherits them
`
const KEYS = { OPENAI_API_KEY: 'sk-o', ANTHROPIC_API_KEY: 'sk-a', ACME_KEY: 'acme-key' }

describe('the upper-case form', () => {
  test('is accepted as it stands, with no key at all: simulated, at list prices', () => {
    const release = load(UPPER_CASE)
    expect([...release.providers.values()]).toMatchObject([{ name: 'sim', kind: 'simulated' }])
    expect(contract(release, 'support_reply')).toMatchObject({
      budget: {
        limits: { modelCalls: 5, inputTokens: 6000, outputTokens: 700, nanoUsd: Infinity },
        latencyMs: 600_000,
      },
      slo: { p95LatencyMs: 6000, successRate: null },
      degrade: FULL_LADDER,
      route: {
        default: 'gpt-4o-mini',
        rules: [
          { index: 0, model: 'claude-3-5-sonnet', phase: 'after', condition: { reads: ['confidence'] } },
          { index: 1, model: 'gpt-4o', phase: 'before', condition: { reads: ['account_tier', 'sentiment'] } },
        ],
      },
      cache: {
        exactTtlMs: null,
        provider: 'auto',
        semantic: { enabled: true, similarityThreshold: 0.92, ttlMs: 86_400_000 },
      },
    })
    expect(contract(release, 'default')).toMatchObject({ degrade: [], route: { default: 'gpt-4o-mini' } })
    expect(model(release, 'gpt-4o-mini')).toMatchObject({
      tier: 'small',
      deployments: [{ id: 'sim/gpt-4o-mini', price: { rates: { input: 150_000, output: 600_000 } } }],
    })
    expect(model(release, 'claude-3-5-sonnet').tier).toBe('premium')
    expect(release.warnings[0]).toContain('simulated')
  })

  test('with keys, models go to those who sell them', () => {
    const release = load(UPPER_CASE, KEYS)
    const ids = [...release.models.values()].flatMap(({ deployments }) => deployments.map(({ id }) => id))
    expect(ids).toEqual(['openai/gpt-4o-mini', 'anthropic/claude-3-5-sonnet', 'openai/gpt-4o'])
  })

  test('mixes with the lower-case form', () => {
    const release = load(
      `${UPPER_CASE}tasks:\n  support_reply:\n    budget: { max_cost_usd: 0.05 }\n    record: content\n`,
    )
    expect(contract(release, 'support_reply')).toMatchObject({
      budget: { limits: { modelCalls: 5, nanoUsd: 50_000_000 } },
      record: 'content',
    })
  })

  test('says the same as the lower-case form: one release id', () => {
    const lower = `
tasks:
  support_reply:
    budget: { max_model_calls: 5, max_input_tokens: 6000, max_output_tokens: 700 }
    slo: { p95_latency_ms: 6000 }
defaults:
  route:
    default: gpt-4o-mini
    escalate_if:
      - { condition: "confidence < 0.72", model: claude-3-5-sonnet }
      - { condition: "account_tier == 'enterprise' and sentiment == 'high_risk'", model: gpt-4o }
  cache: { semantic: { enabled: true, similarity_threshold: 0.92, ttl_seconds: 86400 } }
`
    expect(load(lower).id).toBe(load(UPPER_CASE).id)
  })
})

describe('the documented configuration', () => {
  const release = load(DOCUMENTED, KEYS)

  test('gives providers with their addresses and keys', () => {
    expect([...release.providers.values()]).toMatchObject([
      {
        kind: 'openai',
        apiKey: 'sk-o',
        baseUrl: 'https://api.openai.com/v1',
        hosting: 'hosted',
        timeoutMs: 60_000,
      },
      { kind: 'anthropic', apiKey: 'sk-a', baseUrl: 'https://api.anthropic.com' },
      { kind: 'openai-compatible', apiKey: null, baseUrl: 'http://10.0.0.4:8000/v1', hosting: 'self-hosted' },
      { kind: 'simulated', simulation: { seed: 1, confidence: 0.9, outputTokens: 48, models: {} } },
    ])
  })

  test('gives models on the device, which cost nothing per token unless they are given a price', () => {
    const text = `
providers:
  device: { kind: on-device, model_path: models/a.gguf }
  other: { kind: on-device, model_path: /b.gguf, threads: 3, context_tokens: 2048, sequences: 1, gpu: true }
models:
  local: { deployments: [{ provider: device, usd_per_hour: 0.1 }] }
  sold: { deployments: [{ provider: other, price: { input: 1, output: 9 } }] }
`
    const { providers, ...onDevice } = load(text)
    expect([...providers.values()]).toMatchObject([
      {
        kind: 'on-device',
        hosting: 'on-device',
        modelPath: 'models/a.gguf',
        threads: null,
        contextTokens: null,
        sequences: 2,
        gpu: false,
      },
      { modelPath: '/b.gguf', threads: 3, contextTokens: 2048, sequences: 1, gpu: true },
    ])
    expect(onDevice.models.get('local')).toMatchObject({
      tier: 'small',
      deployments: [{ usdPerHour: 0.1, price: { rates: { input: 0, output: 0 }, book: 'on-device' } }],
    })
    expect(onDevice.models.get('sold')).toMatchObject({
      tier: 'premium',
      deployments: [{ price: { book: 'override' } }],
    })
  })

  test('gives models with deployments; a GPU by the hour costs nothing by the token, which is known', () => {
    expect(model(release, 'gpt-4o-mini')).toMatchObject({
      tier: 'small',
      deployments: [
        {
          id: 'openai/gpt-4o-mini',
          limits: {
            requestsPerMinute: 500,
            tokensPerMinute: 200_000,
            inputTokensPerMinute: null,
            outputTokensPerMinute: null,
            concurrency: 64,
          },
          price: { book: 'genai-prices-0.1.8' },
          maxOutputTokens: 4096,
        },
        { id: 'gpu-a/meta-llama/Llama-3.1-8B-Instruct', price: PAID_BY_THE_HOUR, usdPerHour: 2.99 },
      ],
    })
    expect(release.warnings.join('\n')).not.toContain('no price is known')
  })

  test('gives the contract in the units of the books', () => {
    expect(contract(release, 'support_reply')).toMatchObject({
      success: [{ source: "output.text != ''" }, { source: 'checks.schema_valid' }],
      harm: [{ source: 'checks.leaked_secret' }],
      slo: { p95LatencyMs: 6000, successRate: 0.95 },
      budget: {
        limits: {
          modelCalls: 5,
          inputTokens: 6000,
          outputTokens: 700,
          toolCalls: 8,
          toolMs: 4000,
          nanoUsd: 50_000_000,
        },
        latencyMs: 8000,
      },
      refineMessage: 'I need one more detail to answer this well: ...',
      signals: { confidence: { from: 'logprobs' } },
      route: { premium: { maxShare: 0.2, maxNanoUsdPerDay: 50_000_000_000 } },
      cache: { exactTtlMs: 3_600_000 },
      maxAttempts: 4,
      hedge: true,
      record: 'metadata',
      retentionDays: 30,
      price: { nanoUsdPerSuccess: 100_000_000 },
    })
  })

  test('keeps only the hash of a tenant key', () => {
    expect(release.tenants.get('acme')).toEqual({
      name: 'acme',
      keyHashes: [sha256('acme-key')],
      limits: {
        nanoUsdPerDay: 20_000_000_000,
        nanoUsdPerMonth: null,
        requestsPerMinute: 600,
        tokensPerMinute: null,
        concurrency: null,
      },
      attributes: { account_tier: 'enterprise' },
      weight: 1,
    })
  })

  test('an operator is one who is called so', () => {
    const loaded = load('tenants: { a: { keys: [k], operator: true }, b: { keys: [l] } }')
    expect([...loaded.tenants.values()].map(({ operator }) => operator)).toEqual([true, undefined])
  })

  test('the dearest price is that of the dearest output', () => {
    expect(release.dearestPrice?.rates.output).toBe(15_000_000)
  })
})

describe('defaults', () => {
  test('an empty configuration answers: one contract, simulated, nothing limited but time', () => {
    const release = load('')
    expect([...release.contracts.keys()]).toEqual(['default'])
    expect(contract(release, 'default')).toMatchObject({
      budget: { limits: { modelCalls: Infinity, nanoUsd: Infinity }, latencyMs: 600_000 },
      degrade: [],
      refineMessage: REFINE_MESSAGE_DEFAULT,
      maxAttempts: null,
      hedge: true,
      record: 'metadata',
      retentionDays: 30,
      signals: { confidence: { from: 'logprobs' } },
    })
    expect(release.server).toEqual({ maxBodyBytes: 8 * 1024 * 1024, allowedOrigins: [] })
    expect(release.product.nanoUsdPerDay).toBeNull()
  })

  test('maps merge deeply, lists replace, null takes back', () => {
    const release = load(`
defaults:
  budget: { max_model_calls: 3, max_output_tokens: 100 }
  degrade: [refine]
  success: ["output.text != ''"]
  cache: { exact: { ttl_seconds: 60 } }
tasks:
  a: { budget: { max_output_tokens: 200 }, degrade: [cached_answer, refine], success: [] }
  b: { cache: { exact: null } }
  c:
`)
    expect(contract(release, 'a')).toMatchObject({
      budget: { limits: { modelCalls: 3, outputTokens: 200 } },
      degrade: ['cached_answer', 'refine'],
      success: [],
      cache: { exactTtlMs: 60_000 },
    })
    expect(contract(release, 'b').cache.exactTtlMs).toBeNull()
    expect(contract(release, 'b').degrade).toEqual(['refine'])
    expect(contract(release, 'c').budget.limits.outputTokens).toBe(100)
    expect(contract(release, 'default').budget.limits.modelCalls).toBe(3)
  })

  test('hedges are on unless a task, or all of them, do without', () => {
    const release = load(`
defaults: { retries: { hedge: off } }
tasks: { a: { retries: { max_attempts: 2 } }, b: { retries: { hedge: on } }, c: { retries: { hedge: false } } }
`)
    expect(['a', 'b', 'c'].map((name) => contract(release, name).hedge)).toEqual([false, true, false])
    expect(contract(load('tasks: { a: {} }'), 'a').hedge).toBe(true)
  })

  test('an empty ladder means refuse, and the order of rungs is kept as written', () => {
    const release = load('tasks: { a: { degrade: [] }, b: { degrade: [refine, shorter_context] } }')
    expect(contract(release, 'a').degrade).toEqual([])
    expect(contract(release, 'b').degrade).toEqual(['refine', 'shorter_context'])
  })

  test('a task without a route goes to the cheapest model of the smallest tier, whatever the order', () => {
    const release = load(`
providers: { sim: { kind: simulated } }
models:
  gpt-4o: { deployments: [{ provider: sim }] }
  gpt-4o-mini: { deployments: [{ provider: sim }] }
  gpt-4.1-nano: { deployments: [{ provider: sim }] }
`)
    expect(contract(release, 'default').route.default).toBe('gpt-4.1-nano')
    expect(model(release, 'gpt-4o').tier).toBe('premium')
  })

  test('a task without a route never goes to a model that only embeds', () => {
    const models = 'models: { text-embedding-3-small: { deployments: [{ provider: sim }] } }\n'
    const release = load(`providers: { sim: { kind: simulated } }\n${models}`)
    expect(model(release, 'text-embedding-3-small').deployments[0]?.price?.rates.input).toBe(20_000)
    expect(contract(release, 'default').route.default).toBe('gpt-4o-mini')
  })

  test('every source of a signal, and the split of rules by it', () => {
    const release = load(`
providers: { sim: { kind: simulated } }
tasks:
  a:
    signals:
      confidence: { from: attribute }
      score: { from: output, path: result.score }
      grade: { from: judge, model: gpt-4o }
      agreement: { from: self_consistency }
    route:
      default: gpt-4o-mini
      escalate_if:
        - { condition: confidence < 0.5, model: gpt-4o }
        - { condition: score < 3 or grade < 0.5, model: gpt-4o }
`)
    const { signals, route } = contract(release, 'a')
    expect(signals).toEqual({
      confidence: { from: 'attribute', name: 'confidence' },
      score: { from: 'output', path: 'result.score' },
      grade: { from: 'judge', model: 'gpt-4o' },
      agreement: { from: 'self_consistency', samples: 3 },
    })
    expect(route.rules.map(({ phase }) => phase)).toEqual(['before', 'after'])
  })
})

describe('providers', () => {
  test('are implied by the keys and addresses of the environment', () => {
    const env = {
      OPENAI_API_KEY: 'a',
      OPENAI_BASE_URL: 'http://127.0.0.1:9/v1/',
      ANTHROPIC_API_KEY: 'b',
      ANTHROPIC_BASE_URL: 'http://127.0.0.1:9/v1',
    }
    expect([...load('', env).providers.values()]).toMatchObject([
      { name: 'openai', baseUrl: 'http://127.0.0.1:9/v1' },
      { name: 'anthropic', baseUrl: 'http://127.0.0.1:9' },
    ])
  })

  test('an empty key is no key', () => {
    expect([...load('', { OPENAI_API_KEY: '' }).providers.keys()]).toEqual(['sim'])
  })

  test('the simulated provider takes all its knobs, per model too, and numbers from the environment', () => {
    const release = load(
      `
providers:
  sim:
    kind: simulated
    seed: 7
    latency_ms: "\${LATENCY:-250}"
    outage: "\${OUTAGE}"
    throttle_rate: 0.1
    requests_per_minute: 60
    models: { gpt-4o: { error_rate: 0.5, output_tokens: 10 } }
`,
      { OUTAGE: 'true' },
    )
    expect(release.providers.get('sim')).toMatchObject({
      simulation: {
        seed: 7,
        latencyMs: 250,
        outage: true,
        throttleRate: 0.1,
        requestsPerMinute: 60,
        usageFactor: 1,
        models: { 'gpt-4o': { errorRate: 0.5, outputTokens: 10 } },
      },
    })
  })

  test('a model the catalogue does not know is simulated at an unknown price, never a cheap tier', () => {
    const release = load('tasks: { a: { route: { default: my-model } } }')
    expect(model(release, 'my-model')).toMatchObject({ tier: 'premium', deployments: [{ price: null }] })
  })
})

test('a route starts on the device only where it says so', () => {
  const release = load(`
tasks:
  a: { route: { on_device: { min_confidence: 0.8 } } }
  b: { route: { on_device: { min_confidence: 0, timeout_ms: 900 } } }
  c: {}
`)
  expect(['a', 'b', 'c'].map((name) => release.contracts.get(name)?.route.onDevice)).toEqual([
    { minConfidence: 0.8, timeoutMs: null },
    { minConfidence: 0, timeoutMs: 900 },
    undefined,
  ])
})

describe('prices', () => {
  test('paid hours are a known price of zero, no cheap tier, and no price to hold others at', () => {
    const release = load(`
providers: { gpu: { kind: openai-compatible, base_url: "http://127.0.0.1:8000/v1" } }
models:
  a: { deployments: [{ provider: gpu, model: llama, usd_per_hour: 2.5 }] }
  b: { deployments: [{ provider: gpu, model: other }] }
  c: { deployments: [{ provider: gpu, model: priced, usd_per_hour: 2.5, price: { input: 1, output: 2 } }] }
`)
    expect(model(release, 'a')).toMatchObject({ tier: 'premium', deployments: [{ price: PAID_BY_THE_HOUR }] })
    expect(model(release, 'b').deployments).toMatchObject([{ price: null }])
    expect(model(release, 'c').deployments).toMatchObject([{ price: { book: 'override' }, usdPerHour: 2.5 }])
    expect(release.dearestPrice).toMatchObject({ rates: { output: 2_000_000 } })
    const owned = 'models: { a: { deployments: [{ provider: sim, model: unlisted, usd_per_hour: 1 }] } }'
    expect(load(`providers: { sim: { kind: simulated } }\n${owned}`).dearestPrice).toBeNull()
  })

  test('an override replaces the catalogue, on a model or a deployment', () => {
    const release = load(`
providers: { sim: { kind: simulated } }
models:
  a:
    tier: mid
    price: { input: 0.15, output: 0.6, cache_read: 0.0375, reasoning: 1 }
    max_output_tokens: 100
    deployments: [{ provider: sim, model: x }, { provider: sim, model: y, price: { input: 1, output: 2 } }]
`)
    expect(model(release, 'a').deployments).toMatchObject([
      {
        price: {
          rates: { input: 150_000, output: 600_000, cacheRead: 37_500, reasoning: 1_000_000 },
          book: 'override',
        },
        maxOutputTokens: 100,
      },
      { price: { rates: { input: 1_000_000, output: 2_000_000 } } },
    ])
  })
})

test('targets of a model are those of its deployments, except of one that has its own', () => {
  const release = load(`providers: { s: { kind: simulated } }
models:
  m:
    targets: { first_token_ms: 3000, per_token_ms: 150 }
    deployments: [{ provider: s }, { provider: s, model: other, targets: { per_token_ms: 80 } }]
  n: { deployments: [{ provider: s }] }
`)
  expect(model(release, 'm').deployments.map(({ targets }) => targets)).toEqual([
    { firstTokenMs: 3000, perTokenMs: 150 },
    { firstTokenMs: null, perTokenMs: 80 },
  ])
  expect(model(release, 'n').deployments[0]?.targets).toEqual({ firstTokenMs: null, perTokenMs: null })
})

describe('warnings', () => {
  test('rules on log probabilities that the default model never gives are named', () => {
    const text = `
defaults:
  route: { default: claude-haiku-4-5, escalate_if: [{ condition: confidence < 0.5, model: claude-opus-4-5 }] }
`
    expect(load(text, { ANTHROPIC_API_KEY: 'k' }).warnings.join('\n')).toContain('never fire')
    expect(load(text, {}).warnings.join('\n')).not.toContain('never fire')
  })
})

describe('the built-in configuration', () => {
  test.each<[Environment, string]>([
    [{}, 'sim/gpt-4o-mini'],
    [{ OPENAI_API_KEY: 'k' }, 'openai/gpt-4o-mini'],
    [{ ANTHROPIC_API_KEY: 'k' }, 'anthropic/claude-haiku-4-5'],
    [{ OPENAI_API_KEY: 'k', ANTHROPIC_API_KEY: 'k' }, 'openai/gpt-4o-mini'],
  ])('with %j answers by %s at a known price', (env, deployment) => {
    const release = load(builtInConfig(env), env)
    expect([...release.contracts.keys()].toSorted()).toEqual(['default', 'support_reply'])
    const [only] = [...release.models.values()]
    expect(only?.deployments).toMatchObject([{ id: deployment, price: { book: 'genai-prices-0.1.8' } }])
    expect(contract(release, 'default').degrade).toEqual([])
    expect(contract(release, 'support_reply').degrade).toEqual(FULL_LADDER)
  })
})

describe('models on this machine', () => {
  const problemsOf = (text: string, env: Environment = {}) => {
    const deviceProblem = (path: string, shown = path) => {
      if (path.endsWith('.gone')) return { key: 'model_path', message: `no file ${shown}` } as const
      return path.endsWith('.here') ? null : ({ key: 'kind', message: 'no package' } as const)
    }
    const result = parseConfig({ text, file: 'f.yaml', env, prices, sha256, deviceProblem })
    return result.kind === 'ok' ? [] : result.problems.map(({ at, message }) => `${at} ${message}`)
  }
  const models = 'models: { m: { deployments: [{ provider: a }] } }\n'
  const device = (path: string) => `providers:\n  a: { kind: on-device, model_path: "${path}" }\n${models}`

  test('are looked at, and the problem stands where the key does', () => {
    expect(problemsOf(device('x.here'))).toEqual([])
    expect(problemsOf(device('x.gone'))).toEqual(['f.yaml:2:37 no file x.gone'])
    expect(problemsOf(device('x'))).toEqual(['f.yaml:2:14 no package'])
    expect(problemsOf(`providers:\n  a: { kind: on-device }\n${models}`)).toEqual([
      'f.yaml:2:6 `model_path` is missing',
    ])
  })

  test('whose path came from the environment are not shown', () => {
    const problems = problemsOf(device('${MODEL}'), { MODEL: '/secret/x.gone' })
    expect(problems).toEqual(['f.yaml:2:37 no file that the environment names'])
  })
})
