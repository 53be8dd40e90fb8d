// X1: the same question of the same tenant is answered once and paid once, while it is fresh; what is an error or a
// makeshift is never given again. And one idempotency key is one request.

import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Ask, BOTH, CHAT, type Dialect, WAYS, endOf, eventsOf, hasEnded } from './support/dialects.js'
import { type Answered, errorOf } from './support/http.js'
import { Journey, providersOf } from './support/journey.js'
import { waitFor } from './support/wait-for.js'

const KEYS = { acme: 'acme-key-0001', other: 'other-key-0001' }
const as = (tenant: keyof typeof KEYS) => ({ authorization: `Bearer ${KEYS[tenant]}` })

const config = (simUrl: string) => `${providersOf(simUrl)}
models:
  gpt-4o-mini:
    tier: small
    deployments: [{ provider: openai, model: gpt-4o-mini, price: { input: 0.15, output: 0.60 } }]
  claude-3-5-haiku:
    tier: small
    deployments: [{ provider: anthropic, model: claude-3-5-haiku, price: { input: 0.80, output: 4.00 } }]
defaults:
  cache: { exact: { ttl_seconds: 3600 } }
  route: { default: gpt-4o-mini }
  retries: { max_attempts: 1 }
tasks:
  cached: { degrade: [] }
  another: { degrade: [] }
  brief: { degrade: [], cache: { exact: { ttl_seconds: 1 } } }
  degrades: { budget: { max_input_tokens: 300 }, degrade: [shorter_context, refine] }
  on_claude: { degrade: [], route: { default: claude-3-5-haiku } }
  uncached: { degrade: [], cache: { exact: null } }
tenants:
  acme: { keys: ["${KEYS.acme}"] }
  other: { keys: ["${KEYS.other}"] }
`

let journey: Journey
beforeAll(async () => {
  journey = await Journey.start({ config, key: KEYS.acme })
})
afterAll(() => journey.stop())

let questions = 0
const question = (more = '') => `Question ${++questions}: where is my parcel? ${more}`
const cacheOf = ({ headers }: Answered) => headers.get('x-spillway-cache')
const ask = (
  dialect: Dialect,
  text: Ask['text'],
  more: Partial<Ask> & { headers?: Record<string, string> } = {},
) => journey.ask(dialect, { model: 'cached', text, ...more }, more.headers)

/** How many requests reach the provider meanwhile. */
async function upstream(run: () => Promise<unknown>): Promise<number> {
  const before = await journey.upstreamRequests()
  await run()
  return (await journey.upstreamRequests()) - before
}

describe('a hit', () => {
  test.each(WAYS)(
    '%s: is the same answer, for nothing, and says how old it is',
    async (_, { dialect, stream }) => {
      const text = question()
      const first = await ask(dialect, text, { stream })
      expect([endOf(first), cacheOf(first)]).toEqual(['200', 'miss'])
      const calls = await upstream(async () => {
        const again = await ask(dialect, text, { stream })
        expect([endOf(again), cacheOf(again)]).toEqual(['200', 'exact'])
        expect(dialect.textOf(again)).toBe(dialect.textOf(first))
        expect(dialect.finishOf(again)).toBe(dialect.finish.complete)
        expect(again.headers.get('x-spillway-cache-age')).toMatch(/^\d+$/)
        expect(again.headers.get('x-spillway-attempts')).toBe('0')
        expect(again.headers.get('x-spillway-degraded')).toBeNull()
        expect(hasEnded(dialect, again)).toBe(true)
        // A stream's head comes before its cost is known.
        expect(Number(again.headers.get('x-spillway-cost-usd') ?? 0)).toBe(0)
        const { task, steps } = await journey.traceOf(again)
        expect(task).toMatchObject({ cost_usd: 0, attempts: 0, status: 'succeeded' })
        expect(steps[0]).toMatchObject({ cache: 'exact', attempts: [] })
      })
      expect(calls).toBe(0)
    },
  )

  test.each(BOTH)(
    '%s: whole answers serve streams and the other way round, both well-formed',
    async (_, dialect) => {
      for (const stream of [false, true]) {
        const text = question()
        const first = await ask(dialect, text, { stream })
        const again = await ask(dialect, text, { stream: !stream })
        expect([endOf(again), cacheOf(again)]).toEqual(['200', 'exact'])
        expect(dialect.textOf(again)).toBe(dialect.textOf(first))
        expect(dialect.finishOf(again)).toBe(dialect.finishOf(first))
        const type = stream ? 'application/json' : 'text/event-stream'
        expect(again.headers.get('content-type')).toContain(type)
        expect(hasEnded(dialect, again)).toBe(true)
      }
    },
  )

  test('a stream from the cache has the usage chunk exactly when it was asked for', async () => {
    const text = question()
    await ask(CHAT, text)
    const usageOf = (answer: Answered) =>
      eventsOf(String(answer.body)).filter(({ usage }) => usage !== undefined && usage !== null)
    const plain = await ask(CHAT, text, { stream: true })
    expect([cacheOf(plain), usageOf(plain)]).toEqual(['exact', []])
    const asked = await ask(CHAT, text, { stream: true, more: { stream_options: { include_usage: true } } })
    expect(cacheOf(asked)).toBe('exact')
    expect(usageOf(asked)).toHaveLength(1)
    expect(usageOf(asked)[0]).toMatchObject({ choices: [], usage: { completion_tokens: expect.any(Number) } })
  })

  test('the answer of a provider on the other wire is remembered as the caller saw it', async () => {
    const text = question()
    const first = await ask(CHAT, text, { model: 'on_claude' })
    const again = await ask(CHAT, text, { model: 'on_claude' })
    expect([cacheOf(again), CHAT.textOf(again)]).toEqual(['exact', CHAT.textOf(first)])
    expect(again.body).toMatchObject({ object: 'chat.completion' })
  })

  test('neither the order of keys nor what does not change the answer makes it another question', async () => {
    const text = question()
    const message = { role: 'user', content: text }
    const sent = (body: object) => journey.send(CHAT.path, { body })
    await sent({ model: 'cached', temperature: 0.5, messages: [message], max_tokens: 64 })
    const turned = await sent({
      max_tokens: 64,
      messages: [{ content: text, role: 'user' }],
      user: 'u-1',
      metadata: { a: '1' },
      temperature: 0.5,
      model: 'cached',
    })
    expect([endOf(turned), cacheOf(turned)]).toEqual(['200', 'exact'])
  })
})

describe('a miss', () => {
  const again = async (text: string, more: Parameters<typeof ask>[2]) => cacheOf(await ask(CHAT, text, more))

  test('is the same question of another tenant, under another contract, or asked otherwise', async () => {
    const text = question()
    await ask(CHAT, text)
    expect(await again(text, { headers: as('other') })).toBe('miss')
    expect(await again(text, { model: 'another' })).toBe('miss')
    expect(await again(text, { more: { temperature: 0.1 } })).toBe('miss')
    expect(await again(text, { maxTokens: 32 })).toBe('miss')
    expect(await again(`${text} `, {})).toBe('miss')
    expect(await again(text, {})).toBe('exact')
  })

  test('is what is older than its time to live', async () => {
    const text = question()
    await ask(CHAT, text, { model: 'brief' })
    expect(await again(text, { model: 'brief' })).toBe('exact')
    await waitFor('the end of its life', async () => (await again(text, { model: 'brief' })) === 'miss')
  })

  test.each(WAYS)('%s: is an error, a broken stream and a refusal', async (_, { dialect, stream }) => {
    for (const orders of ['error=500', 'broken_after=3', 'html']) {
      const text = question(`[[sim:${orders}]]`)
      const calls = await upstream(async () => {
        for (let time = 0; time < 2; time++) {
          const answer = await ask(dialect, text, { stream })
          expect([orders, cacheOf(answer)]).toEqual([orders, 'miss'])
          expect([orders, answer.status === 200 && hasEnded(dialect, answer)]).toEqual([orders, false])
        }
      })
      expect([orders, calls]).toEqual([orders, 2])
    }
  })

  test('is a degraded answer', async () => {
    const turns = Array.from(
      { length: 21 },
      (_, index) => `Turn ${index} of a long talk. ${'blah '.repeat(20)}`,
    )
    for (let time = 0; time < 2; time++) {
      const answer = await ask(CHAT, turns, { model: 'degrades' })
      expect([answer.headers.get('x-spillway-degraded'), cacheOf(answer)]).toEqual([
        'shorter_context',
        'miss',
      ])
    }
  })

  test('is an answer whose caller left before its end', async () => {
    const text = question('[[sim:tokens=40;tokens_per_second=100]]')
    const leave = new AbortController()
    const response = await fetch(journey.server.url + CHAT.path, {
      method: 'POST',
      signal: leave.signal,
      headers: { ...as('acme'), 'content-type': 'application/json', connection: 'close' },
      body: JSON.stringify(CHAT.body({ model: 'cached', text, stream: true })),
    })
    leave.abort()
    const id = response.headers.get('x-spillway-task-id') ?? ''
    await waitFor('the end of the call', async () => (await journey.view(id)).status !== 'open')
    expect(cacheOf(await ask(CHAT, text, { stream: true }))).toBe('miss')
  })
})

test('a contract without a cache says off', async () => {
  const text = question()
  for (let time = 0; time < 2; time++) {
    expect(cacheOf(await ask(CHAT, text, { model: 'uncached' }))).toBe('off')
  }
})

describe('idempotency-key', () => {
  const keyed = (key: string, more: Record<string, string> = {}) => ({ 'idempotency-key': key, ...more })

  test.each(BOTH)(
    '%s: a repeated request gets the first answer and is not paid again',
    async (_, dialect) => {
      const sent = { model: 'uncached', text: question() }
      const headers = keyed(`once-${dialect.name}`)
      const first = await journey.ask(dialect, sent, headers)
      const calls = await upstream(async () => {
        const again = await journey.ask(dialect, sent, headers)
        expect(again.body).toEqual(first.body)
        expect(again.headers.get('idempotent-replayed')).toBe('true')
        expect(again.headers.get('x-spillway-task-id')).toBe(first.headers.get('x-spillway-task-id'))
      })
      expect(calls).toBe(0)
    },
  )

  test('for another request it is a conflict, for another tenant it is another key', async () => {
    const headers = keyed('reused')
    const text = question()
    await ask(CHAT, text, { model: 'uncached', headers })
    const other = await ask(CHAT, question(), { model: 'uncached', headers })
    expect(endOf(other)).toBe('409 request.conflict')
    expect(other.headers.get('x-should-retry')).toBe('false')
    const tenant = await ask(CHAT, text, { model: 'uncached', headers: keyed('reused', as('other')) })
    expect([endOf(tenant), tenant.headers.get('idempotent-replayed')]).toEqual(['200', null])
  })

  test('an answer that failed is not kept: the next try is served anew', async () => {
    const text = question('[[sim:error=500]]')
    const calls = await upstream(async () => {
      for (let time = 0; time < 2; time++) {
        const answer = await ask(CHAT, text, { model: 'uncached', headers: keyed('failed') })
        expect(endOf(answer)).toBe('502 upstream.failed')
      }
    })
    expect(calls).toBe(2)
  })

  test('many at once under one key: one is served, the others hear that it runs', async () => {
    const text = question('[[sim:latency_ms=400]]')
    const calls = await upstream(async () => {
      const answers = await Promise.all(
        Array.from({ length: 20 }, () => ask(CHAT, text, { model: 'uncached', headers: keyed('at-once') })),
      )
      const served = answers.filter(({ status }) => status === 200)
      expect(served.length).toBeGreaterThanOrEqual(1)
      for (const answer of answers.filter(({ status }) => status !== 200)) {
        expect(endOf(answer)).toBe('409 request.conflict')
      }
    })
    expect(calls).toBe(1)
  })

  test('opens one task, and a conflict is told on the control API too', async () => {
    const open = (externalId: string) =>
      journey.send('/v1/tasks', {
        body: { contract: 'cached', external_id: externalId },
        headers: keyed('open'),
      })
    const [first, again, other] = [await open('a'), await open('a'), await open('b')]
    expect([first?.status, again?.status]).toEqual([201, 201])
    expect(again?.body).toEqual(first?.body)
    expect([other?.status, other && errorOf(other)['code']]).toEqual([409, 'request.conflict'])
    const { body } = await journey.send('/v1/tasks?external_id=a')
    expect((body as { tasks: unknown[] }).tasks).toHaveLength(1)
  })
})
