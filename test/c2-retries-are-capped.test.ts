// C2, and what providers do wrong: attempts are counted at the provider itself, and are never more than the contract
// allows; nothing is tried again once the caller has seen a byte; a broken stream does not end as if it were whole.

import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { BOTH, CHAT, MESSAGES, WAYS, endOf } from './support/dialects.js'
import { type Answered, errorOf } from './support/http.js'
import { Journey, providersOf } from './support/journey.js'

/** The same contracts for each dialect, on a model that speaks it: there is no other to fall back to. */
const tasksOn = (name: string, model: string) => `
  one_${name}: { retries: { max_attempts: 1 }, route: { default: ${model} } }
  three_${name}: { retries: { max_attempts: 3 }, route: { default: ${model} } }
  narrow_${name}: { retries: { max_attempts: 9 }, budget: { max_model_calls: 2 }, route: { default: ${model} } }`

// Nobody listens on port 1.
const config = (simUrl: string) => `${providersOf(simUrl)}
  dead: { kind: openai-compatible, base_url: "http://127.0.0.1:1/v1" }
  hasty: { kind: openai-compatible, api_key: provider-key-3, base_url: "${simUrl}/v1", timeout_ms: 250 }
models:
  gpt-4o-mini:
    tier: small
    deployments: [{ provider: openai, model: gpt-4o-mini, price: { input: 0.15, output: 0.60 } }]
  claude-3-5-haiku:
    tier: small
    deployments: [{ provider: anthropic, model: claude-3-5-haiku, price: { input: 0.80, output: 4.00 } }]
  half-dead:
    tier: small
    deployments:
      - { provider: dead, model: m-dead, price: { input: 0.15, output: 0.60 } }
      - { provider: openai, model: m-alive, price: { input: 0.15, output: 0.60 } }
  all-dead: { tier: small, deployments: [{ provider: dead, model: m-dead-2, price: { input: 1, output: 1 } }] }
  fallback-of-dead:
    tier: small
    deployments: [{ provider: openai, model: m-fallback, price: { input: 0.15, output: 0.60 } }]
  quick: { tier: small, deployments: [{ provider: hasty, model: m-quick, price: { input: 1, output: 1 } }] }
  throttled: { tier: small, deployments: [{ provider: openai, model: m-throttled, price: { input: 1, output: 1 } }] }
defaults:
  degrade: []
  route: { default: gpt-4o-mini }
tasks:
  default: { retries: { max_attempts: 3 } }
${tasksOn('chat', 'gpt-4o-mini')}
${tasksOn('messages', 'claude-3-5-haiku')}
${tasksOn('responses', 'gpt-4o-mini')}
  hurried: { retries: { max_attempts: 3 }, budget: { max_latency_ms: 4000 }, route: { default: throttled } }
  two_deployments: { retries: { max_attempts: 3 }, route: { default: half-dead } }
  two_models:
    retries: { max_attempts: 6 }
    route: { default: all-dead, escalate_if: [{ condition: "plan == 'x'", model: fallback-of-dead }] }
  impatient: { retries: { max_attempts: 2 }, route: { default: quick } }
`

let journey: Journey
beforeAll(async () => {
  journey = await Journey.start({ config })
})
afterAll(() => journey.stop())

const MODELS = { chat: 'gpt-4o-mini', messages: 'claude-3-5-haiku', responses: 'gpt-4o-mini' } as const
let questions = 0
const question = (orders: string) => `Question ${++questions}. [[sim:${orders}]]`

/** The answer, and how many requests the provider saw for it. */
async function counted(run: () => Promise<Answered>): Promise<readonly [Answered, number]> {
  const before = await journey.upstreamRequests()
  const answer = await run()
  return [answer, (await journey.upstreamRequests()) - before]
}

describe.each(WAYS)('%s', (_, { dialect, stream }) => {
  const ask = (task: string, orders: string) =>
    counted(() => journey.ask(dialect, { model: `${task}_${dialect.name}`, text: question(orders), stream }))

  test('every attempt fails: as many as the contract allows, all of them listed', async () => {
    const [answer, attempts] = await ask('three', 'error=500')
    expect([endOf(answer), attempts]).toEqual(['502 upstream.failed', 3])
    expect(answer.headers.get('x-spillway-attempts')).toBe('3')
    expect(answer.headers.get('x-should-retry')).toBe('false')
    const listed = errorOf(answer)['attempts'] as readonly { status: number; end: string }[]
    expect(listed.map(({ status, end }) => [status, end])).toEqual(
      Array.from({ length: 3 }, () => [500, 'http_500']),
    )
    expect(JSON.stringify(answer.body)).not.toMatch(/provider-key/)
    const { task } = await journey.traceOf(answer)
    expect(task.cost_usd).toBe(0)
  })

  test('one attempt means one', async () => {
    const [answer, attempts] = await ask('one', 'error=500')
    expect([endOf(answer), attempts]).toEqual(['502 upstream.failed', 1])
  })

  test('the budget of calls caps them too', async () => {
    const [answer, attempts] = await ask('narrow', 'error=500')
    expect([answer.status, attempts]).toEqual([answer.status, 2])
    expect(endOf(answer)).toMatch(/^(429 budget\.exhausted|502 upstream\.failed)$/)
    expect((await journey.traceOf(answer)).task.budget.spent.model_calls).toBeLessThanOrEqual(2)
  })

  test('a refusal of the request itself is not tried again, and its words are kept', async () => {
    const [answer, attempts] = await ask('three', 'error=422')
    expect([answer.status, attempts]).toEqual([422, 1])
  })

  test('a page instead of an answer is tried again and never passed on', async () => {
    const [answer, attempts] = await ask('three', 'html')
    expect([endOf(answer), attempts]).toEqual(['502 upstream.failed', 3])
    expect(JSON.stringify(answer.body)).not.toContain('<html')
    expect((await journey.traceOf(answer)).task.status).toBe('failed')
  })

  test('half an answer that is no JSON is no answer', async () => {
    const [answer, attempts] = await ask('three', 'garbage')
    expect([endOf(answer), attempts]).toEqual(['502 upstream.failed', 3])
  })

  test('throttled: what the provider asks for is waited for, and then tried again', async () => {
    const startedMs = Date.now()
    const [answer, attempts] = await ask('three', 'error=429;retry_after=1')
    expect([answer.status, attempts]).toEqual([502, 3])
    expect(errorOf(answer)['code']).toBe('upstream.failed')
    expect(Date.now() - startedMs).toBeGreaterThanOrEqual(1_900)
  })
})

test('a pause that is longer than the task lives is not begun, and who comes next is told how long it is', async () => {
  const ask = () =>
    counted(() => journey.ask(CHAT, { model: 'hurried', text: question('error=429;retry_after=30') }))
  const [first, attempts] = await ask()
  expect([endOf(first), attempts]).toEqual(['502 upstream.failed', 1])
  const [next, none] = await ask()
  expect([endOf(next), none]).toEqual(['503 capacity.queue_timeout', 0])
  expect(Number(next.headers.get('retry-after'))).toBeGreaterThan(15)
  expect(Number(next.headers.get('retry-after'))).toBeLessThanOrEqual(38)
  expect(next.headers.get('x-should-retry')).toBe('false')
})

describe('a stream that breaks in the middle', () => {
  test.each([
    ['cut off', 'broken_after=5;tokens_per_second=50'],
    ['ended with an error in band', 'in_band_error=5;tokens_per_second=50'],
  ])('%s: the caller gets an error in band, no end marker, no second attempt', async (_, orders) => {
    for (const [name, dialect] of BOTH) {
      const [answer, attempts] = await counted(() =>
        journey.ask(dialect, { model: `three_${name}`, text: question(orders), stream: true }),
      )
      const text = String(answer.body)
      expect([name, answer.status, attempts]).toEqual([name, 200, 1])
      expect(dialect.textOf(answer)).toMatch(/\w/)
      expect([dialect.isEnded(text), dialect.inBandError(text)?.['code']]).toEqual([false, 'upstream.failed'])
      const { steps, task } = await journey.traceOf(answer)
      expect(steps[0]?.error).toMatch(/broken_stream|stream_error|throttled/)
      // What came through is paid for, and nothing else.
      expect(task.budget.spent.output_tokens).toBeGreaterThan(0)
      expect(task.budget.spent.output_tokens).toBeLessThanOrEqual(8)
      expect(task.status).toBe('failed')
    }
  })

  test('on the way through a translation too', async () => {
    for (const [dialect, model] of [
      [CHAT, 'claude-3-5-haiku'],
      [MESSAGES, 'gpt-4o-mini'],
    ] as const) {
      const [answer, attempts] = await counted(() =>
        journey.ask(dialect, { model, text: question('broken_after=5'), stream: true }),
      )
      const text = String(answer.body)
      expect([answer.status, attempts, dialect.isEnded(text)]).toEqual([200, 1, false])
      expect(dialect.inBandError(text)).toMatchObject({ code: 'upstream.failed' })
    }
  })

  test('a whole answer that breaks off has reached nobody, so it is tried again', async () => {
    const [answer, attempts] = await counted(() =>
      journey.ask(CHAT, { model: 'three_chat', text: question('broken_after=5') }),
    )
    expect([endOf(answer), attempts]).toEqual(['502 upstream.failed', 3])
  })
})

describe('fallback', () => {
  test.each(WAYS)(
    '%s: of two deployments one is dead, and every call is served',
    async (_, { dialect, stream }) => {
      for (let call = 0; call < 4; call++) {
        const [answer, attempts] = await counted(() =>
          journey.ask(dialect, { model: 'two_deployments', text: question('tokens=9'), stream }),
        )
        expect([endOf(answer), attempts]).toEqual(['200', 1])
        expect(answer.headers.get('x-spillway-deployment')).toBe('openai/m-alive')
        expect(Number(answer.headers.get('x-spillway-attempts'))).toBeLessThanOrEqual(2)
      }
    },
  )

  test('of two models one is dead: the other answers, and the way is called a fallback', async () => {
    const answer = await journey.ask(MESSAGES, { model: 'two_models', text: question('tokens=9') })
    expect([endOf(answer), answer.headers.get('x-spillway-route')]).toEqual(['200', 'fallback'])
    expect(answer.headers.get('x-spillway-model')).toBe('fallback-of-dead')
    const { steps, task } = await journey.traceOf(answer)
    const ends = steps[0]?.attempts.map(({ end }) => end) ?? []
    expect([new Set(ends.slice(0, -1)), ends.at(-1)]).toEqual([new Set(['connection']), 'ok'])
    // A connection that was never made is no call of a model.
    expect(task.budget.spent.model_calls).toBe(1)
  })

  test('a model that was named outside any task has no stand-in', async () => {
    const answer = await journey.ask(CHAT, { model: 'all-dead', text: 'Hello' })
    expect(endOf(answer)).toBe('502 upstream.failed')
    const listed = errorOf(answer)['attempts'] as readonly { end: string }[]
    expect(listed.map(({ end }) => end)).toEqual(Array(3).fill('connection'))
  })
})

describe('silence', () => {
  test.each(WAYS)(
    '%s: a provider that says nothing is left at timeout_ms',
    async (_, { dialect, stream }) => {
      const [answer, attempts] = await counted(() =>
        journey.ask(dialect, { model: 'impatient', text: question('stall'), stream }),
      )
      expect([endOf(answer), attempts]).toEqual(['504 upstream.timeout', 2])
      const { steps, task } = await journey.traceOf(answer)
      expect(steps[0]?.attempts.map(({ end, basis }) => [end, basis])).toEqual(
        Array.from({ length: 2 }, () => ['timeout', 'estimated']),
      )
      // It may have read the prompt; what it never sent is not charged.
      expect(task.budget.spent).toMatchObject({ model_calls: 2, output_tokens: 0 })
    },
  )

  test.each(BOTH)('%s: a stream that falls silent ends in band at the deadline', async (_, dialect) => {
    const { id } = await journey.open({
      contract: `three_${dialect.name}`,
      budget: { max_latency_ms: 1_000 },
    })
    const answer = await journey.ask(
      dialect,
      { model: MODELS[dialect.name], text: question('stall=4'), stream: true },
      { 'x-spillway-task-id': id },
    )
    const text = String(answer.body)
    expect([answer.status, dialect.isEnded(text)]).toEqual([200, false])
    expect(dialect.inBandError(text)).toMatchObject({ code: 'deadline.exceeded' })
  })
})

describe('lies about usage', () => {
  test.each(WAYS)(
    '%s: a claim that cannot be true is kept and not believed',
    async (_, { dialect, stream }) => {
      const model = MODELS[dialect.name]
      for (const factor of [1000, 0]) {
        const answer = await journey.ask(dialect, {
          model,
          text: question(`tokens=30;usage_factor=${factor}`),
          stream,
        })
        expect(endOf(answer)).toBe('200')
        const { charges } = await journey.traceOf(answer)
        const [charge] = charges
        expect(charge?.attempt).toMatchObject({ basis: 'estimated', end: 'ok' })
        // Anthropic's streams say one token of output at their start, whatever follows.
        const claimed = charge?.attempt.disputed?.output
        expect(claimed === 1 ? 0 : claimed).toBe(factor * 30)
        expect(charge?.actual.output_tokens).toBeGreaterThanOrEqual(15)
        expect(charge?.actual.output_tokens).toBeLessThanOrEqual(64)
        expect(charge?.actual.input_tokens).toBeLessThanOrEqual(200)
        expect(charge?.actual.input_tokens).toBeGreaterThan(0)
      }
    },
  )

  test.each(WAYS)('%s: no usage at all is estimated from what passed by', async (_, { dialect, stream }) => {
    const model = MODELS[dialect.name]
    const answer = await journey.ask(dialect, { model, text: question('tokens=30;no_usage'), stream })
    expect(endOf(answer)).toBe('200')
    const [charge] = (await journey.traceOf(answer)).charges
    expect(charge?.attempt).toMatchObject({ basis: 'estimated', disputed: null })
    expect(charge?.actual.output_tokens).toBeGreaterThanOrEqual(15)
    expect(charge?.actual.output_tokens).toBeLessThanOrEqual(64)
  })
})
