import { createHash } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { createGenaiPrices } from '../adapters/prices/genai-prices.js'
import type { ModelEntry, ProviderConfig, Release } from '../core/release/release.js'
import { builtInConfig } from './built-in.js'
import type { Environment } from './environment.js'
import { parseConfig } from './load-config.js'

const prices = createGenaiPrices(Date.UTC(2026, 10, 24))
const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex')

const parse = (text: string, env: Environment = {}) =>
  parseConfig({ text, file: 'f.yaml', env, prices, sha256 })

function load(text: string, env: Environment = {}): Release {
  const result = parse(text, env)
  if (result.kind === 'ok') return result.value
  throw new Error(result.problems.map(({ at, message }) => `${at} ${message}`).join('\n'))
}

function problemsOf(text: string, env: Environment = {}): readonly string[] {
  const result = parse(text, env)
  return result.kind === 'ok' ? [] : result.problems.map(({ at, message }) => `${at} ${message}`)
}

const matching = (pattern: RegExp): string => expect.stringMatching(pattern) as string

/** Something answers for the default task; what is tested comes beside it. */
const withProvider = (yaml: string): string => `providers: { s: { kind: simulated }, p: ${yaml} }\n`

function provider(yaml: string, env: Environment = {}): ProviderConfig | undefined {
  return load(withProvider(yaml), env).providers.get('p')
}

function model(release: Release, name: string): ModelEntry | undefined {
  return release.models.get(name)
}

describe('kinds', () => {
  test('gemini has a key and an address of its own', () => {
    expect(provider('{ kind: gemini, api_key: AIzaKey }')).toMatchObject({
      kind: 'gemini',
      hosting: 'hosted',
      apiKey: 'AIzaKey',
      baseUrl: 'https://generativelanguage.googleapis.com',
    })
    const url = provider('{ kind: gemini, api_key: k, base_url: "http://127.0.0.1:9/v1beta/" }')
    expect(url).toMatchObject({ baseUrl: 'http://127.0.0.1:9' })
  })

  test('azure takes a key, a client of Entra ID, or its default chain', () => {
    const azure = 'kind: azure, base_url: "https://r.openai.azure.com/", api_version: 2024-10-21'
    expect(provider(`{ ${azure}, api_key: k }`)).toMatchObject({
      kind: 'azure',
      hosting: 'serverless',
      baseUrl: 'https://r.openai.azure.com',
      apiVersion: '2024-10-21',
      access: { from: 'key', apiKey: 'k' },
    })
    expect(
      provider(`{ ${azure}, entra: { tenant_id: t, client_id: c, client_secret: "\${S}" } }`, { S: 'shh' }),
    ).toMatchObject({ access: { from: 'client', tenantId: 't', clientId: 'c', clientSecret: 'shh' } })
    expect(provider(`{ ${azure}, entra: default }`)).toMatchObject({ access: { from: 'chain' } })
  })

  test('bedrock takes keys, or the default chain', () => {
    const keys = 'access_key_id: AKID, secret_access_key: s'
    expect(provider(`{ kind: bedrock, region: us-east-1, ${keys}, session_token: t }`)).toMatchObject({
      kind: 'bedrock',
      hosting: 'serverless',
      region: 'us-east-1',
      baseUrl: null,
      access: { from: 'keys', accessKeyId: 'AKID', secretAccessKey: 's', sessionToken: 't' },
    })
    expect(provider(`{ kind: bedrock, region: us-east-1, ${keys} }`)).toMatchObject({
      access: { sessionToken: null },
    })
    expect(provider('{ kind: bedrock, region: eu-west-1, base_url: "https://vpce.example" }')).toMatchObject({
      baseUrl: 'https://vpce.example',
      access: { from: 'chain' },
    })
  })

  test('vertex takes a token, a file, or the default chain', () => {
    const vertex = 'kind: vertex, project: my-project, region: global'
    expect(provider(`{ ${vertex}, access_token: ya29.x }`)).toMatchObject({
      kind: 'vertex',
      hosting: 'serverless',
      project: 'my-project',
      region: 'global',
      access: { from: 'token', accessToken: 'ya29.x' },
    })
    expect(provider(`{ ${vertex}, service_account_file: /keys/sa.json }`)).toMatchObject({
      access: { from: 'file', path: '/keys/sa.json' },
    })
    expect(provider(`{ ${vertex} }`)).toMatchObject({ access: { from: 'chain' } })
  })
})

describe('mistakes', () => {
  const AZURE = 'kind: azure, base_url: "https://r.openai.azure.com", api_version: 2024-10-21'
  test.each<[string, string, readonly (string | RegExp)[]]>([
    [
      'azure without any credential',
      `{ ${AZURE} }`,
      ['f.yaml:1:41 `api_key` or `entra` is missing; `entra: default` uses the default chain'],
    ],
    [
      'azure with both',
      `{ ${AZURE}, api_key: k, entra: default }`,
      ['f.yaml:1:133 `entra` and `api_key` exclude each other'],
    ],
    [
      'a word for entra that is none',
      `{ ${AZURE}, entra: auto }`,
      [/^f\.yaml:1:\d+ must be `default`, or a map of `tenant_id`, `client_id` and `client_secret`$/],
    ],
    [
      'a client without its secret, and with a key nobody knows',
      `{ ${AZURE}, entra: { tenant_id: t, client_ids: c } }`,
      [
        /`client_id` is missing/,
        /`client_secret` is missing/,
        /unknown key `client_ids`; did you mean `client_id`\?/,
      ],
    ],
    [
      'an api-version that is none',
      '{ kind: azure, base_url: "https://h", api_version: latest, api_key: k }',
      [/must be a version such as `2024-10-21`/],
    ],
    ['bedrock without a region', '{ kind: bedrock }', ['f.yaml:1:41 `region` is missing']],
    [
      'a region that would be another host',
      '{ kind: bedrock, region: "evil.example/x" }',
      ['f.yaml:1:66 must be as in `us-east-1`'],
    ],
    [
      'half a pair of keys',
      '{ kind: bedrock, region: us-east-1, access_key_id: AKID }',
      ['f.yaml:1:77 `secret_access_key` is missing beside `access_key_id`'],
    ],
    [
      'a session without keys',
      '{ kind: bedrock, region: us-east-1, session_token: t }',
      [/`access_key_id` is missing beside/, /`secret_access_key` is missing beside/],
    ],
    [
      'vertex without a project',
      '{ kind: vertex, region: us-central1 }',
      ['f.yaml:1:41 `project` is missing'],
    ],
    [
      'a project with a path in it',
      '{ kind: vertex, project: "a/b", region: us-central1 }',
      ['f.yaml:1:66 must be as in `my-project-123`'],
    ],
    [
      'two tokens',
      '{ kind: vertex, project: a, region: r, access_token: t, service_account_file: f }',
      [/`service_account_file` and `access_token` exclude each other/],
    ],
    ['a key of another cloud', '{ kind: gemini, api_key: k, project: x }', [/unknown key `project`/]],
  ])('%s', (_, yaml, expected) => {
    const wanted = expected.map((one) => (typeof one === 'string' ? one : matching(one)))
    expect(problemsOf(withProvider(yaml))).toEqual(wanted)
  })

  test('no message shows a secret', () => {
    const env = { K: 'very-secret-value' }
    const problems = [
      ...problemsOf(withProvider('{ kind: bedrock, region: "${K}", secret_access_key: "${K}" }'), env),
      ...problemsOf(
        withProvider('{ kind: azure, api_key: "${K}", entra: "${K}", api_version: "${K}" }'),
        env,
      ),
      ...problemsOf(
        withProvider('{ kind: vertex, access_token: ["${K}"], service_account_file: "${K}" }'),
        env,
      ),
    ]
    expect(problems.length).toBeGreaterThan(5)
    expect(problems.join('\n')).not.toContain('very-secret-value')
  })
})

describe('the release id', () => {
  const idOf = (keys: string): string =>
    load(withProvider(`{ kind: bedrock, region: us-east-1, ${keys} }`)).id

  test('changes with the credentials and says nothing about them', () => {
    const one = idOf('access_key_id: A, secret_access_key: one')
    expect(idOf('access_key_id: A, secret_access_key: one')).toBe(one)
    expect(idOf('access_key_id: A, secret_access_key: two')).not.toBe(one)
    expect(idOf('access_key_id: A, secret_access_key: one, session_token: t')).not.toBe(one)
  })
})

describe('models', () => {
  const priceOf = (yaml: string, upstream: string): unknown => {
    const models = `models: { m: { deployments: [{ provider: p, model: "${upstream}" }] } }\n`
    return model(load(withProvider(yaml) + models), 'm')?.deployments[0]?.price?.rates.input ?? null
  }
  const BEDROCK = '{ kind: bedrock, region: us-east-1 }'
  const VERTEX = '{ kind: vertex, project: p, region: global }'
  const AZURE = '{ kind: azure, base_url: "https://h", api_version: v1, api_key: k }'

  test.each([
    [BEDROCK, 'eu.amazon.nova-lite-v1:0', 60_000],
    [BEDROCK, 'arn:aws:bedrock:us-east-1:1:inference-profile/eu.amazon.nova-lite-v1:0', 60_000],
    [BEDROCK, 'nobodys.model-v1:0', null],
    ['{ kind: gemini, api_key: k }', 'gemini-2.5-flash', 300_000],
    [VERTEX, 'claude-sonnet-4@20250514', 3_000_000],
    [AZURE, 'gpt-4o-mini', 150_000],
    [AZURE, 'our-chat', null],
  ])('%s sells %s at %s pico-dollars per token, or at a price nobody knows', (yaml, upstream, price) => {
    expect(priceOf(yaml, upstream)).toBe(price)
  })

  const routed = (name: string, providers: string): Release =>
    load(`providers: ${providers}\ndefaults: { route: { default: "${name}" } }\n`)

  test.each([
    [
      'gemini-2.5-flash',
      '{ v: { kind: vertex, project: p, region: global }, g: { kind: gemini, api_key: k } }',
      'g',
    ],
    ['gemini-2.5-flash', '{ v: { kind: vertex, project: p, region: global } }', 'v'],
    ['claude-sonnet-4@20250514', '{ v: { kind: vertex, project: p, region: global } }', 'v'],
    ['us.anthropic.claude-sonnet-4-20250514-v1:0', '{ b: { kind: bedrock, region: us-east-1 } }', 'b'],
  ])('a route to %s is served by who sells it in %s', (name, providers, seller) => {
    expect(model(routed(name, providers), name)?.deployments[0]?.provider).toBe(seller)
  })

  test('who has no key is told which one to set', () => {
    const text =
      'providers: { b: { kind: bedrock, region: us-east-1 } }\ndefaults: { route: { default: gemini-2.5-flash } }\n'
    expect(problemsOf(text)).toEqual([expect.stringContaining('set `GEMINI_API_KEY`')])
    // Bedrock has names of its own: a maker's name is not one of them.
    expect(problemsOf(text.replace('gemini-2.5-flash', 'claude-sonnet-4-5'))).toHaveLength(1)
  })
})

test('a rule on log probabilities that Bedrock never gives is warned of', () => {
  const text = `providers: { b: { kind: bedrock, region: us-east-1 }, s: { kind: simulated } }
models: { nova: { deployments: [{ provider: b, model: "amazon.nova-lite-v1:0" }] }, sim: { deployments: [{ provider: s }] } }
tasks: { t: { route: { default: nova, escalate_if: [{ condition: "confidence < 0.7", model: sim }] } } }
`
  expect(load(text).warnings.join('\n')).toContain('which `nova` does not give')
})

describe('the environment', () => {
  test('a key for Gemini implies it, and its small model where nobody else is there', () => {
    const env = { GEMINI_API_KEY: 'AIzaKey', GEMINI_BASE_URL: 'http://127.0.0.1:9/v1beta' }
    const release = load(builtInConfig(env), env)
    expect([...release.providers.values()]).toMatchObject([
      { name: 'gemini', kind: 'gemini', apiKey: 'AIzaKey', baseUrl: 'http://127.0.0.1:9' },
    ])
    expect(release.contracts.get('default')?.route.default).toBe('gemini-2.5-flash-lite')
    expect(model(release, 'gemini-2.5-flash-lite')).toMatchObject({ tier: 'small' })
    expect(load('', env).contracts.get('default')?.route.default).toBe('gemini-2.5-flash-lite')
  })

  test('beside OpenAI it changes nothing of the default', () => {
    const env = { GEMINI_API_KEY: 'g', OPENAI_API_KEY: 'o' }
    const release = load(builtInConfig(env), env)
    expect([...release.providers.keys()]).toEqual(['openai', 'gemini'])
    expect(release.contracts.get('default')?.route.default).toBe('gpt-4o-mini')
  })
})
