// C1: the limits of providers are known, from configuration and from their own headers, and are kept to: what
// can be known to be refused is not sent, and no answer of theirs, however absurd, stops a deployment for good.

import type { CapacityJson } from '@spillway/protocol'
import { describe, expect, test } from 'vitest'
import { rateHeaders, takeOne } from '../packages/server/src/adapters/providers/simulated/rate-bucket.js'
import type { RateBucket } from '../packages/server/src/adapters/providers/simulated/rate-bucket.js'
import {
  anthropicError,
  chatAnswer,
  messagesAnswer,
  openAiError,
} from '../packages/server/src/testing/provider-answers.js'
import type { Act, Script } from '../packages/server/src/testing/scripted-provider.js'
import { type TestEngine, createTestEngine } from '../packages/server/src/testing/test-engine.js'
import { request } from './support/http.js'
import { Journey, providersOf } from './support/journey.js'

type Headers = Readonly<Record<string, string>>

const config = (limits = '') => `
providers:
  main:  { kind: openai, api_key: key-of-main }
  spare: { kind: openai-compatible, base_url: "http://spare.test/v1" }
  azure: { kind: azure, api_key: key-of-azure, base_url: "https://a.openai.azure.com", api_version: "2024-10-21" }
  claude: { kind: anthropic, api_key: key-of-claude }
models:
  m-alone: { tier: small, price: { input: 1, output: 2 }, deployments: [{ provider: main, model: m${limits} }] }
  m-azures: { tier: small, price: { input: 1, output: 2 }, deployments: [{ provider: azure, model: m }] }
  m-claudes: { tier: small, price: { input: 1, output: 2 }, deployments: [{ provider: claude, model: c${limits} }] }
  m-twins:
    tier: small
    price: { input: 1, output: 2 }
    deployments: [{ provider: main, model: twin }, { provider: spare, model: twin }]
  m-clouds:
    tier: small
    price: { input: 1, output: 2 }
    deployments: [{ provider: claude, model: c${limits} }, { provider: spare, model: other }]
defaults: { degrade: [], budget: { max_latency_ms: 300000 } }
tasks:
  alone: { route: { default: m-alone } }
  hasty: { route: { default: m-alone }, budget: { max_latency_ms: 5000 } }
  azures: { route: { default: m-azures } }
  claudes: { route: { default: m-claudes } }
  twins: { route: { default: m-twins } }
  clouds: { route: { default: m-clouds } }
`

function world(limits?: string): TestEngine {
  const providers = { main: {}, spare: {}, azure: {}, claude: { chatWire: 'anthropic-messages' } } as const
  const made = createTestEngine({ yaml: config(limits), providers })
  for (const name of ['main', 'spare', 'azure'] as const) made.provider(name).otherwise(() => chatAnswer())
  made.provider('claude').otherwise(() => messagesAnswer())
  return made
}

const withHeaders = (script: Script, headers: Headers): Script =>
  script.map((act): Act => (act.kind === 'head' ? { ...act, headers: { ...act.headers, ...headers } } : act))

/** Throttles as the real ones do, and counts whom it turned away. Others may use the same key. */
class Limited {
  refused = 0
  served = 0
  #bucket: RateBucket | undefined

  constructor(
    readonly made: TestEngine,
    readonly about: { readonly name: 'main' | 'claude'; readonly perMinute: number },
  ) {
    made.provider(about.name).otherwise(() => this.#answer())
  }

  takeOne() {
    const nowMs = this.made.system.nowMs()
    const taken = takeOne(this.#bucket, this.about.perMinute, nowMs)
    this.#bucket = taken.bucket
    return taken
  }

  #answer(): Script {
    const { granted, state } = this.takeOne()
    const isOpenAi = this.about.name === 'main'
    const headers = rateHeaders(isOpenAi ? 'openai' : 'anthropic', state, this.made.system.nowMs())
    if (granted) {
      this.served += 1
      return withHeaders(isOpenAi ? chatAnswer({ delayMs: 40 }) : messagesAnswer({ delayMs: 40 }), headers)
    }
    this.refused += 1
    const told = { ...headers, 'retry-after': String(Math.ceil(state.nextInMs / 1_000)) }
    return withHeaders(
      isOpenAi ? openAiError(429, 'rate_limit') : anthropicError(429, 'rate_limit_error'),
      told,
    )
  }
}

/** So many calls at the same time; the statuses of the answers, in order. */
async function calls(made: TestEngine, task: string, count: number): Promise<readonly number[]> {
  const running = Array.from({ length: count }, () => made.start({ task }))
  const statuses: number[] = []
  for (const each of running) statuses.push((await made.finish(each)).status)
  return statuses
}

function seen(made: TestEngine, model: string, at = 0) {
  const deployment = made.release.models.get(`m-${model}`)?.deployments[at]
  if (deployment === undefined) throw new Error(`no model ${model}`)
  return made.engine.capacity.look(deployment, made.system.nowMs()).rates
}
const buckets = (made: TestEngine, model: string) => seen(made, model).view(made.system.nowMs())

const all = (status: number, count: number) => Array.from({ length: count }, () => status)

describe('a limit that nobody configured', () => {
  test.each([
    ['main', 'alone'],
    ['claude', 'claudes'],
  ] as const)('is learned of %s from one answer, and not a single call is refused', async (name, task) => {
    const made = world()
    const provider = new Limited(made, { name, perMinute: 60 })
    expect(await calls(made, task, 1)).toEqual([200])
    expect(await calls(made, task, 150)).toEqual(all(200, 150))
    expect([provider.served, provider.refused]).toEqual([151, 0])
  })

  test('lower than the configured one counts instead', async () => {
    const made = world(', limits: { rpm: 6000 }')
    const provider = new Limited(made, { name: 'main', perMinute: 30 })
    await calls(made, 'alone', 1)
    expect(buckets(made, 'alone')).toMatchObject([{ limit: 30, source: 'headers' }])
    expect(await calls(made, 'alone', 60)).toEqual(all(200, 60))
    expect(provider.refused).toBe(0)
  })

  test('is shared with others whom nobody sees: few calls are refused, and all are answered', async () => {
    const made = world()
    const provider = new Limited(made, { name: 'main', perMinute: 60 })
    await calls(made, 'alone', 1)
    const running = Array.from({ length: 120 }, () => made.start({ task: 'alone' }))
    for (let second = 0; second < 240; second += 1) {
      if (second % 2 === 0) provider.takeOne()
      await made.system.advance(1_000)
    }
    const statuses = await Promise.all(running.map(async (call) => (await made.finish(call)).status))
    expect(statuses).toEqual(all(200, 120))
    expect(provider.refused).toBeLessThanOrEqual(20)
  })

  test('is learned when it refuses, and the refused call is the first to fit', async () => {
    const made = world()
    const provider = new Limited(made, { name: 'main', perMinute: 60 })
    for (let taken = 0; taken < 60; taken += 1) provider.takeOne()
    expect(await calls(made, 'alone', 10)).toEqual(all(200, 10))
    // Those that were on their way at the same time could not know.
    expect(provider.refused).toBe(10)
    expect(made.attempts().filter(({ end }) => end === 'ok')).toHaveLength(10)
    expect(await calls(made, 'alone', 10)).toEqual(all(200, 10))
    expect(provider.refused).toBe(10)
  })
})

describe('a configured limit', () => {
  test.each([
    ['concurrency: 1', 0, 0],
    ['rpm: 2', 15_000, 70_000],
    ['tpm: 96', 15_000, 70_000],
    ['itpm: 80', 15_000, 70_000],
    ['otpm: 16', 15_000, 70_000],
  ])(
    'of %s for calls of 40 tokens in and 8 out: the third is done after %d to %d ms',
    async (limit, ...within) => {
      const made = world(`, max_output_tokens: 8, limits: { ${limit} }`)
      const startMs = made.system.nowMs()
      const body = { max_tokens: 8, messages: [{ role: 'user', content: 'x'.repeat(160) }] }
      const wire = 'anthropic-messages'
      for (let call = 0; call < 3; call += 1)
        expect((await made.call({ task: 'claudes', wire, body })).status).toBe(200)
      const waitedMs = made.system.nowMs() - startMs
      expect(waitedMs).toBeGreaterThanOrEqual(within[0])
      expect(waitedMs).toBeLessThanOrEqual(within[1])
    },
  )
})

describe('a provider that refuses for an hour', () => {
  test('is asked seldom, and serves again within half a minute of being well', async () => {
    const made = world()
    const wellAtMs = made.system.nowMs() + 3_600_000
    made
      .provider('main')
      .otherwise(() => (made.system.nowMs() < wellAtMs ? openAiError(429, 'rate_limit') : chatAnswer()))
    while (made.system.nowMs() < wellAtMs - 10_000) {
      expect((await made.call({ task: 'hasty' })).status).not.toBe(200)
      await made.system.advance(1_000)
    }
    expect(made.provider('main').requests.length).toBeLessThan(200)
    await made.system.advance(41_000)
    expect(await calls(made, 'hasty', 20)).toEqual(all(200, 20))
  })

  test('costs nobody an answer where another deployment serves, and is asked once a minute', async () => {
    const made = world()
    const told = { 'retry-after': '60' }
    made.provider('main').otherwise(() => withHeaders(openAiError(429, 'rate_limit'), told))
    for (let minute = 0; minute < 60; minute += 1) {
      expect(await calls(made, 'twins', 5)).toEqual(all(200, 5))
      await made.system.advance(60_000)
    }
    expect(made.provider('main').requests.length).toBeLessThanOrEqual(61 * 3)
    expect(made.provider('spare').requests).toHaveLength(300)
  })

  test('says in milliseconds how long, and is left alone exactly so long', async () => {
    const made = world()
    const refusal = withHeaders(openAiError(429, 'rate_limit'), {
      'retry-after-ms': '43',
      'retry-after': '1',
    })
    made.provider('azure').next(refusal)
    await calls(made, 'azures', 1)
    const [first, second] = made.provider('azure').requests.map(({ atMs }) => atMs)
    expect(Number(second) - Number(first)).toBeGreaterThanOrEqual(43)
    expect(Number(second) - Number(first)).toBeLessThan(1_000)
  })
})

describe('a provider that is full', () => {
  test('is left alone for another, and its quota stays as it was', async () => {
    const made = world(', limits: { rpm: 50, itpm: 100000 }')
    made.provider('claude').next(anthropicError(529, 'overloaded_error'))
    expect(await calls(made, 'clouds', 1)).toEqual([200])
    expect(made.provider('spare').requests).toHaveLength(1)
    expect(seen(made, 'clouds').restMs(made.system.nowMs())).toBeGreaterThan(1_000)
    expect(buckets(made, 'clouds')).toMatchObject([
      { dimension: 'requests', limit: 50, source: 'configured' },
      { dimension: 'input_tokens', remaining: 100_000 },
    ])
    expect(seen(made, 'clouds').speed).toBe(1)
    await made.system.advance(2_000)
    expect(await calls(made, 'clouds', 2)).toEqual([200, 200])
    expect(made.provider('claude').requests).toHaveLength(2)
  })
})

describe('headers that cannot be meant', () => {
  const told = (limit: string, remaining: string, reset: string): Headers => ({
    'x-ratelimit-limit-requests': limit,
    'x-ratelimit-remaining-requests': remaining,
    'x-ratelimit-reset-requests': reset,
    'x-ratelimit-limit-tokens': limit,
    'x-ratelimit-remaining-tokens': remaining,
    'x-ratelimit-reset-tokens': reset,
  })

  test.each([
    ['-1', '-1', '-1s'],
    ['NaN', 'NaN', 'NaN'],
    ['1e30', '1e30', '1e30s'],
    ['0', '5', '0s'],
    ['0', '0', '9999-12-31T23:59:59Z'],
    ['', '', ''],
    ['99999999999999999999', '0', '6m0s'],
  ])('limit %j, left %j, again in %j: every call is served at once', async (limit, remaining, reset) => {
    const made = world()
    made.provider('main').otherwise(() => withHeaders(chatAnswer(), told(limit, remaining, reset)))
    const startMs = made.system.nowMs()
    for (let call = 0; call < 5; call += 1) expect(await calls(made, 'alone', 20)).toEqual(all(200, 20))
    expect(made.system.nowMs()).toBe(startMs)
    expect(buckets(made, 'alone')).toEqual([])
  })

  test('a pause of a year is none, and one of a day is an hour', async () => {
    const made = world()
    const pause = (seconds: string) => withHeaders(openAiError(429, 'rate_limit'), { 'retry-after': seconds })
    made.provider('main').next(pause('31536000'))
    expect(await calls(made, 'alone', 1)).toEqual([200])
    made.provider('main').next(pause('86400'))
    await calls(made, 'hasty', 1)
    expect(seen(made, 'alone').restMs(made.system.nowMs())).toBeLessThanOrEqual(3_600_000)
  })
})

test('between processes: the limit is shown, kept to, and says where it is from', async () => {
  const models = `
models:
  m: { tier: small, price: { input: 1, output: 1 }, deployments: [{ provider: openai, model: m }] }
tasks:
  default: { degrade: [], route: { default: m }, budget: { max_latency_ms: 20000 } }`
  const journey = await Journey.start({
    sim: ['--requests-per-minute', '120', '--output-tokens', '4'],
    config: (simUrl) => `${providersOf(simUrl)}${models}`,
  })
  try {
    const ask = () =>
      request(`${journey.server.url}/v1/chat/completions`, {
        body: { model: 'm', messages: [{ role: 'user', content: `Hello.` }] },
      })
    expect((await ask()).status).toBe(200)
    const answers = await Promise.all(Array.from({ length: 122 }, ask))
    expect(answers.map(({ status }) => status)).toEqual(all(200, 122))
    expect(answers.map(({ headers }) => headers.get('x-spillway-attempts'))).toEqual(
      Array.from({ length: 122 }, () => '1'),
    )
    const { body } = await request(`${journey.server.url}/v1/capacity`)
    const [one] = (body as CapacityJson).deployments
    expect(one?.rate.buckets).toMatchObject([
      { dimension: 'requests', per: 'minute', limit: 120, source: 'headers' },
    ])
    expect(one?.rate.requests_left).toBeLessThan(10)
    expect(one?.failures).toEqual({})
  } finally {
    await journey.stop()
  }
})
