// B1, B3: limits hold whatever arrives at once. A thousand parallel calls meet room for k: k are served, the others
// are told not to come again, and afterwards the books add up and nothing is held.

import type { TaskTraceView } from '@spillway/protocol'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { CHAT, DIALECTS, type Dialect, MESSAGES, endOf } from './support/dialects.js'
import { type Answered, request } from './support/http.js'
import { Journey, nanoSum, providersOf } from './support/journey.js'
import { openStream } from './support/stream.js'
import { waitFor } from './support/wait-for.js'

const CALLS = 1_000
const K = 37
/** Every answer has exactly these many tokens, so the worst case that is held is what is spent. */
const TOKENS = 16
const USD_PER_CALL = TOKENS * 1e-6
const keyOf = (tenant: string) => `${tenant}-key-0001`
const as = (tenant: string) => ({ authorization: `Bearer ${keyOf(tenant)}` })

const config = (simUrl: string) => `${providersOf(simUrl)}
models:
  gpt-4o-mini:
    tier: small
    deployments: [{ provider: openai, model: gpt-4o-mini, price: { input: 0, output: 1 } }]
  claude-3-5-haiku:
    tier: small
    deployments: [{ provider: anthropic, model: claude-3-5-haiku, price: { input: 0, output: 1 } }]
defaults:
  degrade: []
  route: { default: gpt-4o-mini }
  retries: { max_attempts: 5000 }
tasks:
  agent: {}
  few_attempts: { retries: { max_attempts: 10 } }
tenants:
  acme: { keys: ["${keyOf('acme')}"] }
  daily: { keys: ["${keyOf('daily')}"], limits: { usd_per_day: ${(K * USD_PER_CALL).toFixed(9)} } }
  rated: { keys: ["${keyOf('rated')}"], limits: { rpm: 6 } }
  narrow: { keys: ["${keyOf('narrow')}"], limits: { concurrency: 4 } }
`

let journey: Journey
beforeAll(async () => {
  journey = await Journey.start({ config, key: keyOf('acme') })
})
afterAll(() => journey.stop())

const MODELS = { chat: 'gpt-4o-mini', messages: 'claude-3-5-haiku', responses: 'gpt-4o-mini' } as const

/** `count` calls at once, each into the task that `taskOf` gives it. */
function storm(
  count: number,
  {
    dialects,
    headersOf,
  }: { dialects: readonly Dialect[]; headersOf: (index: number) => Record<string, string> },
): Promise<readonly Answered[]> {
  const calls = Array.from({ length: count }, (_, index) => {
    const dialect = dialects[index % dialects.length] ?? CHAT
    const ask = { model: MODELS[dialect.name], text: `Question ${index}: where is it?`, maxTokens: TOKENS }
    return journey.ask(dialect, ask, headersOf(index))
  })
  return Promise.all(calls)
}

const into = (id: string) => ({ dialects: [CHAT], headersOf: () => ({ 'x-spillway-task-id': id }) })

/** How often each end came: `{ '200': 37, '429 budget.exhausted': 963 }`. */
function tally(answers: readonly Answered[]): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const answer of answers) counts[endOf(answer)] = (counts[endOf(answer)] ?? 0) + 1
  return counts
}

function expectKOf(answers: readonly Answered[], code: string): void {
  expect(tally(answers)).toEqual({ 200: K, [`429 ${code}`]: answers.length - K })
  const refused = answers.filter(({ status }) => status !== 200)
  expect(new Set(refused.map(({ headers }) => headers.get('x-should-retry')))).toEqual(new Set(['false']))
}

const chargedNano = ({ charges }: TaskTraceView) => nanoSum(charges.map(({ attempt }) => attempt.charged_usd))

/** Nothing is held any more, and what is spent is the sum of what was charged. */
async function expectSettledBooks(id: string, traces: readonly TaskTraceView[]): Promise<void> {
  const { limits } = (await journey.view(id)).budget
  const { spent, remaining } = await journey.balance(id)
  for (const [name, limit] of Object.entries(limits) as [keyof typeof limits, number | null][]) {
    if (limit === null) continue
    const left = name === 'cost_usd' ? nanoSum([limit, -spent[name]]) : limit - spent[name]
    const shown = name === 'cost_usd' ? nanoSum([remaining[name] ?? -1]) : remaining[name]
    expect([name, shown]).toEqual([name, left])
  }
  const charges = traces.flatMap((trace) => trace.charges)
  const sum = (of: (charge: (typeof charges)[number]) => number) =>
    charges.reduce((total, charge) => total + of(charge), 0)
  expect(nanoSum([spent.cost_usd])).toBe(nanoSum(traces.map((trace) => chargedNano(trace) / 1e9)))
  expect(spent.model_calls).toBe(sum(({ actual }) => actual.model_calls))
  expect(spent.output_tokens).toBe(sum(({ actual }) => actual.output_tokens))
  expect(spent.input_tokens).toBe(sum(({ actual }) => actual.input_tokens))
  expect(await journey.metric('spillway_journal_open_holds')).toBe(0)
}

describe('a thousand parallel calls on one task with room for k', () => {
  test.each([
    ['calls', { max_model_calls: K }],
    ['money', { max_cost_usd: K * USD_PER_CALL }],
    ['output tokens', { max_output_tokens: K * TOKENS }],
  ])('of %s: exactly k are served', async (_, budget) => {
    const task = await journey.open({ contract: 'agent', budget })
    const before = await journey.stats('gpt-4o-mini')
    expectKOf(await storm(CALLS, into(task.id)), 'budget.exhausted')
    expect((await journey.stats('gpt-4o-mini')).requests - before.requests).toBe(K)
    await expectSettledBooks(task.id, [await journey.trace(task.id)])
  })

  test('one ledger serves every dialect: exactly k of all together', async () => {
    const task = await journey.open({ contract: 'agent', budget: { max_model_calls: K } })
    const headersOf = () => ({ 'x-spillway-task-id': task.id })
    const answers: Answered[] = []
    // One of each first: who comes first of a storm is nobody's to say.
    for (const dialect of DIALECTS) answers.push(...(await storm(1, { dialects: [dialect], headersOf })))
    answers.push(...(await storm(CALLS - answers.length, { dialects: DIALECTS, headersOf })))
    expectKOf(answers, 'budget.exhausted')
    const trace = await journey.trace(task.id)
    expect(new Set(trace.steps.map(({ name }) => name)).size).toBe(DIALECTS.length)
    await expectSettledBooks(task.id, [trace])
  })

  test('over sub-tasks: exactly k of all of them together', async () => {
    const parent = await journey.open({ contract: 'agent', budget: { max_model_calls: K } })
    const children = await Promise.all(
      Array.from({ length: 10 }, () => journey.open({ contract: 'agent', parent: parent.id })),
    )
    const ids = [parent.id, ...children.map(({ id }) => id)]
    const headersOf = (index: number) => ({ 'x-spillway-task-id': ids[index % ids.length] ?? parent.id })
    expectKOf(await storm(CALLS, { dialects: [CHAT], headersOf }), 'budget.exhausted')
    const traces = await Promise.all(ids.map((id) => journey.trace(id)))
    await expectSettledBooks(parent.id, traces)
    for (const { id } of children) expect((await journey.balance(id)).remaining.model_calls).toBe(0)
  })

  test('an input budget is never overrun either', async () => {
    const limit = 2_000
    const task = await journey.open({ contract: 'agent', budget: { max_input_tokens: limit } })
    const counts = tally(await storm(200, into(task.id)))
    expect(Object.keys(counts).toSorted()).toEqual(['200', '429 budget.exhausted'])
    const trace = await journey.trace(task.id)
    expect(trace.task.budget.spent.input_tokens).toBeLessThanOrEqual(limit)
    expect(trace.task.budget.spent.input_tokens).toBeGreaterThan(0)
    await expectSettledBooks(task.id, [trace])
  })

  test('retries are calls too: with every second attempt failing, the provider sees no more than k', async () => {
    const task = await journey.open({ contract: 'agent', budget: { max_model_calls: K } })
    await journey.turn({ error_rate: 0.5 })
    const before = await journey.upstreamRequests()
    const answers = await storm(200, into(task.id))
    await journey.turn({ error_rate: 0 })
    expect(await journey.upstreamRequests()).toBe(before + K)
    const trace = await journey.trace(task.id)
    const ok = trace.charges.filter(({ attempt }) => attempt.end === 'ok')
    expect([trace.charges.length, ok.length > 0, ok.length < K]).toEqual([K, true, true])
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(ok.length)
    await expectSettledBooks(task.id, [trace])
  })

  test('attempts are capped over the whole task, however many of its calls run at once', async () => {
    const task = await journey.open({ contract: 'few_attempts' })
    await journey.turn({ error_rate: 1 })
    const before = await journey.upstreamRequests()
    const answers = await storm(100, into(task.id))
    await journey.turn({ error_rate: 0 })
    expect(await journey.upstreamRequests()).toBe(before + 10)
    expect(answers.every(({ status }) => status >= 429)).toBe(true)
    await expectSettledBooks(task.id, [await journey.trace(task.id)])
  })

  test('streams whose callers hang up are paid for and leave no hold', async () => {
    const task = await journey.open({ contract: 'agent', budget: { max_model_calls: 20 } })
    await journey.turn({ tokens_per_second: 20, output_tokens: 400 })
    const streams = await Promise.all(
      Array.from({ length: 20 }, () =>
        openStream(journey.server.url + MESSAGES.path, {
          headers: { ...as('acme'), 'x-spillway-task-id': task.id },
          body: MESSAGES.body({ text: 'A long one', stream: true, maxTokens: 400 }),
        }),
      ),
    )
    await journey.turn({ tokens_per_second: 0, output_tokens: 24 })
    expect(streams.map(({ status }) => status)).toEqual(streams.map(() => 200))
    for (const stream of streams) stream.leave()
    const trace = await waitFor('the settlement of every stream', async () => {
      const seen = await journey.trace(task.id)
      return seen.charges.length === 20 && seen.steps.length === 20 && seen
    })
    expect(new Set(trace.charges.map(({ attempt }) => attempt.end))).toEqual(new Set(['caller_left']))
    expect(trace.charges.every(({ actual }) => actual.input_tokens > 0)).toBe(true)
    await expectSettledBooks(task.id, [trace])
  })
})

describe('ceilings of a tenant', () => {
  const one = (tenant: string) => ({ dialects: DIALECTS, headersOf: () => as(tenant) })

  test('money per day holds over many tasks at once, and still after a restart', async () => {
    expectKOf(await storm(300, one('daily')), 'ceiling.reached')
    expect(tally(await storm(3, one('acme')))).toEqual({ 200: 3 })
    expect(await journey.server.stop()).toBe(0)
    await journey.startAgain()
    expect(tally(await storm(5, one('daily')))).toEqual({ '429 ceiling.reached': 5 })
    expect(tally(await storm(3, one('acme')))).toEqual({ 200: 3 })
  })

  test('and after a crash', async () => {
    await journey.server.kill()
    await journey.startAgain()
    expect(tally(await storm(5, one('daily')))).toEqual({ '429 ceiling.reached': 5 })
  })

  test('requests per minute: a burst gets a minute of them, the others are told when to come again', async () => {
    const startedMs = Date.now()
    const answers = await storm(60, one('rated'))
    // The bucket refills by one in ten seconds.
    const refilled = Math.floor((Date.now() - startedMs) / 10_000)
    const served = answers.filter(({ status }) => status === 200).length
    expect(served).toBeGreaterThanOrEqual(6)
    expect(served).toBeLessThanOrEqual(6 + refilled)
    for (const answer of answers.filter(({ status }) => status !== 200)) {
      expect(endOf(answer)).toBe('429 ceiling.reached')
      expect(answer.headers.get('retry-after')).toMatch(/^[1-9]\d*$/)
    }
  })

  test('concurrency: the fifth of four is refused while they run, and served when they are gone', async () => {
    await journey.turn({ tokens_per_second: 5, output_tokens: 400 })
    const running = await Promise.all(
      Array.from({ length: 4 }, () =>
        openStream(journey.server.url + CHAT.path, {
          headers: as('narrow'),
          body: CHAT.body({ text: 'A long one', stream: true, maxTokens: 400 }),
        }),
      ),
    )
    await journey.turn({ tokens_per_second: 0, output_tokens: 24 })
    expect(running.map(({ status }) => status)).toEqual([200, 200, 200, 200])
    expect(tally(await storm(10, one('narrow')))).toEqual({ '429 ceiling.reached': 10 })
    expect(tally(await storm(1, one('acme')))).toEqual({ 200: 1 })
    for (const stream of running) stream.leave()
    await waitFor('a free place', async () => (await storm(1, one('narrow')))[0]?.status === 200)
    expect(await request(`${journey.server.url}/healthz`)).toMatchObject({ status: 200 })
  })
})

test('the ceiling of the product holds over all tenants together', async () => {
  const limits = `limits: { usd_per_day: ${(K * USD_PER_CALL).toFixed(9)} }\n`
  const product = await Journey.start({ config: (simUrl) => config(simUrl) + limits, key: keyOf('acme') })
  try {
    const asked = Array.from({ length: 200 }, (_, index) => {
      const tenant = as(index % 2 === 0 ? 'acme' : 'daily')
      return product.ask(CHAT, { text: `Question ${index}`, maxTokens: TOKENS }, tenant)
    })
    expectKOf(await Promise.all(asked), 'ceiling.reached')
  } finally {
    await product.stop()
  }
})
