import { expect, test } from 'vitest'
import { NO_CEILINGS, type Tenant } from '../../core/release/release.js'
import { chatAnswer, failWith, messagesAnswer, openAiError, reply } from '../../testing/provider-answers.js'
import type { ProviderFacts } from '../ports.js'
import { createTestEngine } from '../../testing/test-engine.js'
import { PROBE_CONTRACT, type Probed, probeDeployments } from './probe.js'

const TENANT: Tenant = { name: 'local', keyHashes: [], limits: NO_CEILINGS, attributes: {}, weight: 1 }

const YAML = `
providers:
  main: { kind: openai, api_key: k }
  spare: { kind: openai-compatible, base_url: "http://h/v1" }
  claude: { kind: anthropic, api_key: k }
models:
  little: { tier: small, price: { input: 1, output: 2 }, deployments: [{ provider: main, model: m1 }, { provider: spare, model: m2 }] }
  same:  { tier: small, deployments: [{ provider: main, model: m1 }] }
  big:   { tier: premium, price: { input: 10, output: 20 }, deployments: [{ provider: claude, model: c }] }
  vectors: { price: { input: 1, output: 0 }, deployments: [{ provider: spare, model: e }] }
tasks:
  default: { success: ["false"], budget: { max_cost_usd: 0.000001 } }
`

const EMBEDDING = {
  object: 'list',
  data: [{ object: 'embedding', index: 0, embedding: [0.1] }],
  model: 'e',
  usage: { prompt_tokens: 1, total_tokens: 1 },
}

function world() {
  const made = createTestEngine({
    yaml: YAML,
    providers: { main: {}, spare: {}, claude: { chatWire: 'anthropic-messages' } },
  })
  made.provider('main').otherwise(() => chatAnswer())
  made.provider('claude').otherwise(() => messagesAnswer())
  made
    .provider('spare')
    .otherwise(({ wire }) => (wire === 'openai-embeddings' ? reply(EMBEDDING) : chatAnswer()))
  const probe = async (): Promise<ReadonlyMap<string, Probed>> => {
    const probing = { done: null as readonly Probed[] | null }
    void probeDeployments(made.engine, TENANT).then(({ deployments }) => (probing.done = deployments))
    for (let round = 0; probing.done === null && round < 40; round++) await made.system.advance(500)
    return new Map((probing.done ?? []).map((one) => [one.deployment.id, one]))
  }
  return { ...made, probe }
}

test('every deployment is asked once, in its own format, for next to nothing', async () => {
  const made = world()
  const probed = await made.probe()
  expect([...probed.keys()]).toEqual(['main/m1', 'spare/m2', 'claude/c', 'spare/e'])
  expect([...probed.values()].every(({ usable, reachable }) => usable && reachable)).toBe(true)
  expect(made.provider('main').requests.map(({ json }) => json)).toEqual([
    { model: 'm1', messages: [{ role: 'user', content: 'ping' }], max_completion_tokens: 16 },
  ])
  expect(made.provider('claude').requests[0]).toMatchObject({
    wire: 'anthropic-messages',
    json: { model: 'c', max_tokens: 16 },
  })
  expect(made.provider('spare').requests.map(({ wire }) => wire)).toEqual([
    'openai-chat',
    'openai-embeddings',
  ])
})

test('it is paid and written down as what it is, by whom', async () => {
  const made = world()
  const probed = await made.probe()
  const attempts = made.attempts()
  expect(attempts).toHaveLength(4)
  expect(attempts.every(({ end }) => end === 'ok')).toBe(true)
  const costs = [...probed.values()].map(({ nanoUsd }) => nanoUsd)
  expect(new Set(costs)).toEqual(new Set(attempts.map(({ nanoUsd }) => nanoUsd)))
  const opened = made.books.entries.flatMap((entry) => (entry.kind === 'task-opened' ? [entry] : []))
  expect(opened.map(({ contract, tenant }) => [contract, tenant])).toEqual(
    Array.from({ length: 4 }, () => [PROBE_CONTRACT, 'local']),
  )
  expect(made.engine.tasks.size).toBe(0)
})

test('what is wrong is told apart: key, model, connection, credentials, nonsense', async () => {
  const cases = [
    [
      openAiError(401, 'invalid_api_key'),
      { reachable: true, authorised: false, modelKnown: null, end: 'http_401' },
    ],
    [
      openAiError(404, 'model_not_found'),
      { reachable: true, authorised: true, modelKnown: false, end: 'http_404' },
    ],
    [
      failWith('connection'),
      { reachable: false, authorised: null, modelKnown: null, reason: 'connection: as scripted' },
    ],
    [failWith('credentials'), { reachable: false, authorised: false, reason: 'credentials: as scripted' }],
    [
      reply({ hello: 1 }),
      { reachable: true, authorised: true, reason: 'what came with 200 is no answer (invalid_body)' },
    ],
  ] as const
  for (const [script, shown] of cases) {
    const made = world()
    made.provider('main').otherwise(() => script)
    const probed = await made.probe()
    expect(probed.get('main/m1')).toMatchObject({ usable: false, ...shown })
    // The others are shown all the same.
    expect(probed.get('claude/c')).toMatchObject({ usable: true })
    expect(made.provider('main').requests).toHaveLength(1)
  }
})

test('the provider is quoted without its secrets, and its limits are read', async () => {
  const made = world()
  const headers = { 'x-ratelimit-limit-requests': '500', 'x-ratelimit-remaining-requests': '499' }
  made
    .provider('main')
    .otherwise(() =>
      reply(
        { error: { message: 'Incorrect API key provided: sk-proj-abcdefgh12345678.' } },
        { status: 401, headers },
      ),
    )
  const one = (await made.probe()).get('main/m1')
  expect(one?.reason).toBe('HTTP 401: Incorrect API key provided: [redacted]')
  expect(one?.limits).toEqual({
    requests: { limit: 500, left: 499 },
    tokens: { limit: null, left: null },
  })
})

test('one that never answers is given up, and the wait is told', async () => {
  const made = world()
  made.provider('main').otherwise(() => [])
  expect((await made.probe()).get('main/m1')).toMatchObject({
    usable: false,
    reachable: false,
    reason: expect.stringContaining('time') as string,
  })
})

test('a ceiling that is used up refuses the probe like any other call, and nothing is sent', async () => {
  const made = world()
  const poor = { ...TENANT, name: 'poor', limits: { ...NO_CEILINGS, requestsPerMinute: 1 } }
  const probed = await Promise.all([probeDeployments(made.engine, poor), made.system.advance(1_000)])
  const refused = probed[0].deployments.filter(({ usable }) => !usable)
  expect(refused).toHaveLength(3)
  expect(refused[0]).toMatchObject({ end: null, status: null, nanoUsd: null })
  expect(refused[0]?.reason).toContain('request rate')
})

test('providers are asked about themselves once each, before they are called', async () => {
  const made = world()
  const order: string[] = []
  const facts: ProviderFacts = {
    models: { ids: ['m2'], isComplete: true, namesCalls: true },
    health: 'ok',
    load: null,
    untold: { load: 'HTTP 404' },
  }
  const inspect = () => {
    order.push(`asked after ${made.provider('spare').requests.length} calls`)
    return Promise.resolve(facts)
  }
  Object.assign(made.provider('spare'), { inspect })
  const probes = probeDeployments(made.engine, TENANT)
  await made.system.advance(1_000)
  const { providers, deployments } = await probes
  expect(order).toEqual(['asked after 0 calls'])
  expect([...providers]).toEqual([['spare', facts]])
  expect(deployments.map(({ deployment, listed, usable }) => [deployment.id, listed, usable])).toEqual([
    ['main/m1', null, true],
    ['spare/m2', true, true],
    ['claude/c', null, true],
    ['spare/e', false, true],
  ])
})

test.each([
  ['rejects', () => Promise.reject(new Error('a bug'))],
  [
    'throws',
    () => {
      throw new Error('a bug')
    },
  ],
])('a provider whose inspection %s hides nothing of what the calls show', async (_, inspect) => {
  const made = world()
  Object.assign(made.provider('main'), { inspect })
  const probes = probeDeployments(made.engine, TENANT)
  await made.system.advance(1_000)
  const { providers, deployments } = await probes
  expect(deployments.every(({ usable }) => usable)).toBe(true)
  expect(providers.get('main')).toMatchObject({
    models: null,
    untold: { models: 'a fault of Spillway itself' },
  })
})
