import { expect, test } from 'vitest'
import { configured } from '../../testing/example-config.js'
import { chatAnswer, chatStream, openAiError } from '../../testing/provider-answers.js'
import { type CallAsk, createTestEngine } from '../../testing/test-engine.js'

const ROUTED = `
  support:
    degrade: []
    route:
      default: mid-model
      escalate_if:
        - { condition: "account_tier == 'enterprise' and sentiment == 'high_risk'", model: large-model }
        - { condition: "has_tools", model: small-model }
`

function world(tasks = ROUTED) {
  const made = createTestEngine(configured(tasks))
  for (const name of ['main', 'spare']) made.provider(name).otherwise(() => chatAnswer())
  return made
}

const ENTERPRISE = { account_tier: 'enterprise', sentiment: 'high_risk' }

test('a rule on facts known before the call routes directly, and the first that holds wins', async () => {
  const made = world()
  const caller = await made.call({ task: 'support', attributes: ENTERPRISE })
  expect(caller.headers).toMatchObject({ 'x-spillway-route': 'rule:0', 'x-spillway-model': 'large-model' })
  expect(made.provider('main').requests.map(({ model }) => model)).toEqual(['large-upstream'])
})

test('a rule that reads a fact nobody gave does not hold, and is named in the step', async () => {
  const made = world()
  const caller = await made.call({ task: 'support', attributes: { account_tier: 'enterprise' } })
  expect(caller.headers).toMatchObject({ 'x-spillway-route': 'default', 'x-spillway-model': 'mid-model' })
  expect(made.lastStep().unknownRules).toEqual(["account_tier == 'enterprise' and sentiment == 'high_risk'"])
})

test('what a request offers is a fact too: tools route to the model for tools', async () => {
  const tools = [{ type: 'function', function: { name: 'look_up', parameters: { type: 'object' } } }]
  const caller = await world().call({ task: 'support', body: { tools } })
  expect(caller.headers).toMatchObject({ 'x-spillway-route': 'rule:1', 'x-spillway-model': 'small-model' })
})

test("a caller's attributes go over the tenant's, but never over Spillway's own facts", async () => {
  const made = world(`
  support:
    route: { default: small-model, escalate_if: [{ condition: "tenant == 'boss'", model: large-model }] }
`)
  const caller = await made.call({ task: 'support', attributes: { tenant: 'boss' } })
  expect(caller.headers['x-spillway-model']).toBe('small-model')
})

const NAMED: readonly (readonly [string, CallAsk, { model: string; task: string }])[] = [
  [
    'a task name as `model` runs under that task',
    { body: { model: 'support' } },
    { model: 'mid-model', task: 'support' },
  ],
  [
    '`task:` before the name says the same',
    { body: { model: 'task:support' } },
    { model: 'mid-model', task: 'support' },
  ],
  [
    'a configured model outside any task is honoured',
    { body: { model: 'large-model' } },
    { model: 'large-model', task: 'default' },
  ],
  [
    'a tier is the first model of that tier',
    { body: { model: 'premium' } },
    { model: 'large-model', task: 'default' },
  ],
  [
    'inside a task a model the route names is honoured',
    { task: 'support', body: { model: 'small-model' } },
    { model: 'small-model', task: 'support' },
  ],
  [
    "inside a task a model of no higher tier than the default's is honoured",
    { task: 'support', body: { model: 'twin-model' } },
    { model: 'twin-model', task: 'support' },
  ],
  [
    'inside a task a model above the default that the route does not name gives way to the route',
    { task: 'plain', body: { model: 'large-model' } },
    { model: 'small-model', task: 'plain' },
  ],
  [
    'inside a task an unknown model gives way to the route',
    { task: 'support', body: { model: 'gpt-of-next-year' } },
    { model: 'mid-model', task: 'support' },
  ],
]
const PLAIN = `${ROUTED}\n  plain: { route: { default: small-model } }\n`

test.each(NAMED)('%s', async (_title, ask, expected) => {
  const made = world(PLAIN)
  const caller = await made.call(ask)
  expect(caller.status).toBe(200)
  expect(caller.headers['x-spillway-model']).toBe(expected.model)
  expect(made.entries('task-opened')[0]?.contract).toBe(expected.task)
})

test.each([
  ['an unknown model outside any task', { body: { model: 'gpt-of-next-year' } }, 404, 'model.unknown'],
  ['an unknown task in the header', { task: 'nobody' }, 404, 'task.unknown'],
  ['an unknown task in the body', { body: { model: 'task:nobody' } }, 404, 'task.unknown'],
  [
    'a body that names another task than the header',
    { task: 'support', body: { model: 'task:plain' } },
    400,
    'request.invalid',
  ],
])('%s is refused and nothing is sent', async (_title, ask, status, code) => {
  const made = world(PLAIN)
  const caller = await made.call(ask)
  expect(caller.status).toBe(status)
  expect(caller.json).toMatchObject({ error: { code } })
  expect(made.provider('main').requests).toEqual([])
  expect(made.engine.tasks.size).toBe(0)
})

const SHARED = (premium: string, degrade = '[]') => `
  support:
    degrade: ${degrade}
    budget: { max_cost_usd: 1, max_output_tokens: 100 }
    route:
      default: small-model
      escalate_if: [{ condition: "vip == true", model: large-model }]
      premium: ${premium}
`

test('the premium share is a share of all calls: premium calls over it go to the default', async () => {
  const made = world(SHARED('{ max_share: 0.25 }'))
  const models: (string | undefined)[] = []
  for (let calls = 0; calls < 8; calls++) {
    const caller = await made.call({ task: 'support', attributes: { vip: true } })
    models.push(caller.headers['x-spillway-model'])
    expect(caller.headers['x-spillway-route']).toBe(
      caller.headers['x-spillway-model'] === 'large-model' ? 'rule:0' : 'default',
    )
  }
  expect(models.filter((model) => model === 'large-model')).toHaveLength(2)
  expect(models.slice(0, 3)).toEqual(['small-model', 'small-model', 'small-model'])
})

// 1: a ceiling that is checked before the call and counted after it lets everybody through at once.
test('the premium share holds when all the calls come at once', async () => {
  const made = world(SHARED('{ max_share: 0.25 }'))
  for (let calls = 0; calls < 3; calls++) await made.call({ task: 'support' })
  const running = Array.from({ length: 9 }, () => made.start({ task: 'support', attributes: { vip: true } }))
  const callers = await Promise.all(running.map((call) => made.finish(call)))
  expect(callers.map(({ status }) => status)).toEqual(callers.map(() => 200))
  const models = made.provider('main').requests.map(({ model }) => model)
  expect(models).toHaveLength(12)
  expect(models.filter((model) => model === 'large-upstream').length).toBeLessThanOrEqual(3)
})

test('premium money that does not suffice for one more call turns the call to the default, not away', async () => {
  // A large call of 40 tokens in and 8 out costs 5.6 million nano-dollars; 16 tokens of answer would cost
  // more again.
  const made = world(SHARED('{ max_usd_per_day: 0.0105 }'))
  const first = await made.call({ task: 'support', attributes: { vip: true } })
  expect(first.headers['x-spillway-model']).toBe('large-model')
  const second = await made.call({ task: 'support', attributes: { vip: true } })
  expect(second.status).toBe(200)
  expect(second.headers).toMatchObject({ 'x-spillway-model': 'small-model', 'x-spillway-route': 'default' })
  const spent = made.ledger.read('premium:support:day:2026-11-24')
  expect(spent?.settled.nanoUsd).toBe(5_600_000)
  expect(spent?.held.nanoUsd).toBe(0)
})

test('a default that is itself premium has nothing to turn to: the ladder answers, and an empty one refuses', async () => {
  const tasks = `
  support: { degrade: [], route: { default: large-model, premium: { max_share: 0.1 } } }
  kind: { degrade: [refine], route: { default: large-model, premium: { max_share: 0.1 } } }
`
  const made = world(tasks)
  const refusal = await made.call({ task: 'support' })
  expect(refusal.status).toBe(429)
  expect(refusal.json).toMatchObject({ error: { code: 'ceiling.reached' } })
  expect(refusal.headers['x-should-retry']).toBe('false')
  const refined = await made.call({ task: 'kind' })
  expect(refined.status).toBe(200)
  expect(refined.headers['x-spillway-degraded']).toBe('refine')
  expect(made.provider('main').requests).toEqual([])
})

test('the new day has its own premium money', async () => {
  const made = world(SHARED('{ max_usd_per_day: 0.0105 }'))
  await made.call({ task: 'support', attributes: { vip: true } })
  await made.system.advance(86_400_000)
  const caller = await made.call({ task: 'support', attributes: { vip: true } })
  expect(caller.headers['x-spillway-model']).toBe('large-model')
})

test('another model that answers for one that failed is shown as a fallback, streamed or not', async () => {
  const tasks = `
  support:
    degrade: []
    retries: { max_attempts: 8 }
    route: { default: mid-model, escalate_if: [{ condition: "vip == true", model: small-model }] }
`
  for (const stream of [false, true]) {
    const made = world(tasks)
    const down = openAiError(503, 'overloaded')
    made.provider('main').otherwise(({ model }) => {
      if (model === 'mid-upstream') return down
      return stream ? chatStream() : chatAnswer()
    })
    const caller = await made.call({ task: 'support', body: { stream } })
    expect(caller.headers).toMatchObject({
      'x-spillway-model': 'small-model',
      'x-spillway-route': 'fallback',
    })
    expect(made.lastStep().route).toBe('fallback')
  }
})
