import { expect, test } from 'vitest'
import { configured } from '../../testing/example-config.js'
import {
  chatAnswer,
  chatStream,
  failWith,
  html,
  messagesAnswer,
  openAiError,
} from '../../testing/provider-answers.js'
import { LOCAL, createTestEngine } from '../../testing/test-engine.js'

const task = (budget: string, more = '', model = 'small-model') => `
  support:
    degrade: []
    retries: { max_attempts: 1000 }
    budget: ${budget}
    ${more}
    route: { default: ${model} }
`

function world(tasks: string, rest = '') {
  const made = createTestEngine(configured(tasks, rest))
  for (const name of ['main', 'spare'])
    made.provider(name).otherwise(({ stream }) => (stream ? chatStream() : chatAnswer()))
  return made
}

// 1, 11: what is promised to calls under way counts as spent.
test.each([
  ['model calls', '{ max_model_calls: 7 }'],
  ['input tokens', '{ max_input_tokens: 139 }'],
  ['output tokens', '{ max_output_tokens: 115 }'],
  ['money', '{ max_cost_usd: 0.000385 }'],
])('of 50 calls at once on one task with %s for 7, exactly 7 are served', async (_what, budget) => {
  const made = world(task(budget))
  // A call holds 19 tokens in and 18 out, 55,000 nano-dollars, and uses up what it holds.
  const usage = { input: 19, output: budget.includes('output') ? 16 : 18 }
  made.provider('main').otherwise(() => chatAnswer({ delayMs: 100, usage }))
  const opened = await made.open('support')
  const body = { max_tokens: budget.includes('output') ? 16 : 18 }
  const running = Array.from({ length: 50 }, () => made.start({ taskId: opened.id, body }))
  const callers = await Promise.all(running.map((call) => made.finish(call)))
  expect(callers.filter(({ status }) => status === 200)).toHaveLength(7)
  const refusals = callers.filter(({ status }) => status === 429)
  expect(refusals).toHaveLength(43)
  for (const refusal of refusals) {
    expect(refusal.json).toMatchObject({ error: { code: 'budget.exhausted' } })
    expect(refusal.headers['x-should-retry']).toBe('false')
    expect(refusal.headers['retry-after']).toBeUndefined()
  }
  expect(made.provider('main').requests).toHaveLength(7)
  expect(made.ledger.heldTotal().nanoUsd).toBe(0)
})

test('a thousand calls at once with room for ten: ten are served', async () => {
  const made = world(task('{ max_model_calls: 10 }'))
  const opened = await made.open('support')
  const running = Array.from({ length: 1_000 }, () => made.start({ taskId: opened.id }))
  const callers = await Promise.all(running.map((call) => made.finish(call)))
  expect(callers.filter(({ status }) => status === 200)).toHaveLength(10)
  expect(made.provider('main').requests).toHaveLength(10)
})

// 2: nothing is sent that is not promised first.
test('a call that does not fit is refused before anything is sent', async () => {
  const made = world(task('{ max_input_tokens: 10 }'))
  const caller = await made.call({ task: 'support' })
  expect(caller.status).toBe(429)
  expect(caller.json).toMatchObject({ error: { code: 'budget.exhausted', task_id: 'task_000001' } })
  expect(made.provider('main').requests).toEqual([])
  expect(made.attempts()).toEqual([])
  expect(made.entries('call-refused')[0]).toMatchObject({ code: 'budget.exhausted', contract: 'support' })
})

// 9, 10: the size of the hold is the size of the request, and shrinks to what is left before it is refused.
test('the answer is held at its price, and shrunk to what is affordable', async () => {
  const made = world(task('{ max_cost_usd: 0.000119 }'))
  const opened = await made.open('support')
  const running = made.start({ taskId: opened.id, body: { max_tokens: 64_000 } })
  await made.system.advance(0)
  await made.finish(running)
  // 119,000 nano-dollars less 19,000 for the input leave 50 tokens of 2,000 each.
  expect(made.provider('main').requests[0]?.json['max_tokens']).toBe(50)
  expect(made.entries('hold-made')[0]?.amounts).toMatchObject({
    inputTokens: 19,
    outputTokens: 50,
    nanoUsd: 119_000,
  })
})

test('without a limit of its own, a request gets what the budget leaves, under the name the provider knows', async () => {
  const made = world(`${task('{ max_output_tokens: 33 }')}
  compatible:
    budget: { max_output_tokens: 33 }
    route: { default: unpriced-model }
`)
  await made.call({ task: 'support' })
  expect(made.provider('main').requests[0]?.json['max_completion_tokens']).toBe(33)
  await made.call({ task: 'compatible' })
  expect(made.provider('spare').requests[0]?.json['max_tokens']).toBe(33)
})

test('several choices are held for as many answers', async () => {
  const made = world(task('{ max_output_tokens: 100 }'))
  await made.call({ task: 'support', body: { n: 4 } })
  expect(made.entries('hold-made')[0]?.amounts.outputTokens).toBe(100)
  expect(made.provider('main').requests[0]?.json['max_completion_tokens']).toBe(25)
})

// 4: held returns to zero after every end there is.
test.each([
  ['an answer', chatAnswer()],
  ['an error', openAiError(500, 'server_error')],
  ['a refused request', openAiError(400, 'bad')],
  ['a refused key', openAiError(401, 'bad')],
  ['no connection', failWith('connection')],
  ['a broken answer', failWith('broken', 50)],
  ['a page', html()],
])('nothing stays held after %s', async (_what, script) => {
  const made = world(
    task('{ max_cost_usd: 0.1, max_output_tokens: 100 }').replace('1000', '3'),
    'limits: { usd_per_day: 100 }',
  )
  made.provider('main').otherwise(() => script)
  const opened = await made.open('support')
  await made.call({ taskId: opened.id })
  expect(made.ledger.heldTotal()).toMatchObject({
    modelCalls: 0,
    inputTokens: 0,
    outputTokens: 0,
    nanoUsd: 0,
  })
  const holds = made.entries('hold-made').map(({ id }) => id)
  expect(made.entries('hold-settled').map(({ id }) => id)).toEqual(holds)
})

// 7, 8: one ledger for all formats, equal to the sum over the attempts.
test('the ledger is the sum over the attempts, whatever format they came in', async () => {
  const made = world(task('{ max_cost_usd: 0.1, max_output_tokens: 1000 }', '', 'mid-model'))
  made.provider('claude').otherwise(() => messagesAnswer())
  const opened = await made.open('support')
  for (const ask of [{}, { wire: 'anthropic-messages' as const }, { body: { stream: true } }]) {
    await made.call({ taskId: opened.id, ...ask })
  }
  const charged = made.attempts().reduce((sum, { chargedNanoUsd }) => sum + chargedNanoUsd, 0)
  expect(charged).toBe(3 * 560_000)
  expect(made.ledger.read(`task:${opened.id}`)?.settled).toMatchObject({ modelCalls: 3, nanoUsd: charged })
})

test('a sub-task spends from its parent, and is refused when the parent has nothing left', async () => {
  const made = world(`${task('{ max_model_calls: 2, max_cost_usd: 0.1 }')}
  child: { degrade: [], budget: { max_model_calls: 50 }, route: { default: small-model } }
`)
  const parent = await made.open('support')
  const child = await made.open('child', { parent })
  expect((await made.call({ taskId: child.id })).status).toBe(200)
  expect((await made.call({ taskId: parent.id })).status).toBe(200)
  const refusal = await made.call({ taskId: child.id })
  expect(refusal.json).toMatchObject({ error: { code: 'budget.exhausted' } })
  expect(made.ledger.read(`task:${parent.id}`)?.settled).toMatchObject({ modelCalls: 2, nanoUsd: 112_000 })
  expect(made.ledger.read(`task:${child.id}`)?.settled).toMatchObject({ modelCalls: 1, nanoUsd: 56_000 })
})

test('a ceiling of the tenant holds over all its tasks, and is no fault of the task', async () => {
  const tenant = { ...LOCAL, name: 'acme', limits: { ...LOCAL.limits, nanoUsdPerDay: 130_000 } }
  const made = world(task('{ max_model_calls: 50 }'))
  const statuses: number[] = []
  for (let calls = 0; calls < 4; calls++) statuses.push((await made.call({ task: 'support', tenant })).status)
  expect(statuses).toEqual([200, 200, 429, 429])
  expect(made.entries('call-refused').map(({ code }) => code)).toEqual(['ceiling.reached', 'ceiling.reached'])
  expect((await made.call({ task: 'support' })).status).toBe(200)
})

test('a ceiling of the product holds over all tenants', async () => {
  const made = world(task('{ max_model_calls: 50 }'), 'limits: { usd_per_month: 0.00012 }')
  const acme = { ...LOCAL, name: 'acme' }
  expect((await made.call({ task: 'support' })).status).toBe(200)
  expect((await made.call({ task: 'support', tenant: acme })).status).toBe(200)
  const refusal = await made.call({ task: 'support', tenant: acme })
  expect(refusal.json).toMatchObject({ error: { code: 'ceiling.reached' } })
})

// 32: an unknown price is unknown, never nothing.
test('a model without a price is held and charged at the dearest configured, and shown as unpriced', async () => {
  const made = world(task('{ max_cost_usd: 0.05, max_output_tokens: 100 }', '', 'unpriced-model'))
  const caller = await made.call({ task: 'support' })
  const held = made.entries('hold-made')[0]
  expect(held).toMatchObject({
    priceBook: null,
    amounts: { outputTokens: 100, nanoUsd: 19 * 100_000 + 100 * 200_000 },
  })
  expect(made.attempts()[0]).toMatchObject({ nanoUsd: null, chargedNanoUsd: 21_900_000, priceBook: null })
  expect(caller.json).toMatchObject({ spillway: { cost_usd: null, task: { spent: { cost_usd: 0.0219 } } } })
  expect(caller.headers).not.toHaveProperty('x-spillway-cost-usd')
  expect(made.lastOutcome()).toMatchObject({ unpricedCalls: 1, nanoUsd: 21_900_000 })
})

test('what was learned of a model sizes its next hold', async () => {
  const made = world(task('{ max_model_calls: 50 }'))
  const messages = [{ role: 'user', content: 'x'.repeat(400) }]
  made.provider('main').otherwise(() => chatAnswer({ usage: { input: 100, output: 5 } }))
  for (let calls = 0; calls < 40; calls++) await made.call({ task: 'support', body: { messages } })
  const held = made.entries('hold-made').map(({ amounts }) => amounts.inputTokens)
  const [before, after] = [held[0], held.at(-1)]
  expect(before).toBeGreaterThan(200)
  expect(after).toBeGreaterThanOrEqual(100)
  expect(after).toBeLessThan(150)
})

test('attempts that were turned away at the door use up no model call', async () => {
  const made = world(task('{ max_model_calls: 1 }'))
  made.provider('main').next(openAiError(429, 'rate_limit_exceeded'), failWith('connection'), chatAnswer())
  const opened = await made.open('support')
  expect((await made.call({ taskId: opened.id })).status).toBe(200)
  expect(made.ledger.read(`task:${opened.id}`)?.settled.modelCalls).toBe(1)
})
