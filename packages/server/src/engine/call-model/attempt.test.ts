import { describe, expect, test } from 'vitest'
import { configured } from '../../testing/example-config.js'
import {
  STALL,
  anthropicError,
  chatAnswer,
  failWith,
  html,
  messagesAnswer,
  openAiError,
  reply,
} from '../../testing/provider-answers.js'
import type { Script } from '../../testing/scripted-provider.js'
import { type TestEngine, createTestEngine } from '../../testing/test-engine.js'

const task = (model: string, more = '', attempts = 4) => `
  support:
    degrade: []
    retries: { max_attempts: ${attempts} }
    ${more}
    route: { default: ${model} }
`

function world(tasks: string) {
  const made = createTestEngine(configured(tasks))
  const models = () => made.provider('main').requests.map(({ model }) => model)
  const total = () =>
    ['main', 'spare', 'claude'].reduce((sum, name) => sum + made.provider(name).requests.length, 0)
  return { ...made, models, total }
}

const RETRYABLE: readonly (readonly [string, Script])[] = [
  ['429', openAiError(429, 'rate_limit_exceeded')],
  ['500', openAiError(500, 'server_error')],
  ['503', openAiError(503, 'overloaded')],
  ['529', anthropicError(529, 'overloaded_error')],
  ['a refused connection', failWith('connection')],
  ['an answer that breaks off', failWith('broken')],
  ['a page with 200', html()],
  ['JSON that is no answer', reply({ hello: 'world' })],
  ['garbage with 200', reply('{"choices": [')],
]

// 34, 43
test.each(RETRYABLE)('%s is tried again, and the attempts are counted', async (_what, script) => {
  const made = world(task('small-model'))
  made.provider('main').next(script, chatAnswer())
  const caller = await made.call({ task: 'support' })
  expect(caller.status).toBe(200)
  expect(caller.headers['x-spillway-attempts']).toBe('2')
  expect(made.total()).toBe(2)
  expect(made.attempts().map(({ number }) => number)).toEqual([1, 2])
})

// 34, 35: one cap over retries and fallbacks, whatever the mix of models, deployments and failures.
const MIXES: readonly (readonly [string, number])[] = [
  ['small-model', 1],
  ['small-model', 3],
  ['twin-model', 1],
  ['twin-model', 4],
  ['mid-model', 2],
  ['mid-model', 7],
  ['large-model', 9],
]
describe.each(MIXES)('with everything down, %s and a cap of %i', (model, cap) => {
  test.each(RETRYABLE)('%s is attempted exactly as often as the cap says', async (_what, script) => {
    const rules = ['small-model', 'twin-model', 'mid-model'].map(
      (name) => `{ condition: "vip == true", model: ${name} }`,
    )
    const route = `route: { default: ${model}, escalate_if: [${rules.join(', ')}] }`
    const made = world(`
  support:
    degrade: []
    retries: { max_attempts: ${cap} }
    ${route}
`)
    for (const name of ['main', 'spare']) made.provider(name).otherwise(() => script)
    const caller = await made.call({ task: 'support' })
    expect(made.total()).toBe(cap)
    expect(caller.status).toBe(502)
    expect(caller.json).toMatchObject({ error: { code: 'upstream.failed' } })
    expect((caller.json['error'] as { attempts: unknown[] }).attempts).toHaveLength(cap)
    expect(caller.headers['x-should-retry']).toBe('false')
    expect(made.attempts().map(({ number }) => number)).toEqual(
      Array.from({ length: cap }, (_, index) => index + 1),
    )
  })
})

test('the cap is over the whole task: what one call used is gone for the next', async () => {
  const made = world(task('small-model', '', 3))
  made.provider('main').next(failWith('connection'), chatAnswer(), chatAnswer())
  const opened = await made.open('support')
  expect((await made.call({ taskId: opened.id })).status).toBe(200)
  expect((await made.call({ taskId: opened.id })).status).toBe(200)
  const refusal = await made.call({ taskId: opened.id })
  expect(refusal.status).toBe(429)
  expect(refusal.json).toMatchObject({ error: { code: 'budget.exhausted' } })
  expect(made.total()).toBe(3)
})

test('calls that run at once share the cap too', async () => {
  const made = world(task('small-model', '', 5))
  made.provider('main').otherwise(() => failWith('connection', 10))
  const opened = await made.open('support')
  const running = Array.from({ length: 4 }, () => made.start({ taskId: opened.id }))
  for (const call of running) await made.finish(call)
  expect(made.total()).toBe(5)
  expect(
    made
      .attempts()
      .map(({ number }) => number)
      .sort((a, b) => a - b),
  ).toEqual([1, 2, 3, 4, 5])
})

// 41: the earliest that is ready is waited for, within the deadline.
test('Retry-After is honoured: the only deployment is not asked again before its time', async () => {
  const made = world(task('small-model'))
  made.provider('main').next(openAiError(429, 'rate_limit_exceeded', { 'retry-after': '7' }), chatAnswer())
  const caller = await made.call({ task: 'support' })
  expect(caller.status).toBe(200)
  const [first, second] = made.provider('main').requests
  expect((second?.atMs ?? 0) - (first?.atMs ?? 0)).toBeGreaterThanOrEqual(7_000)
})

test('while one deployment cools, the other serves at once, also the calls that come after', async () => {
  const made = world(task('twin-model', '', 8))
  made.provider('main').next(openAiError(429, 'rate_limit_exceeded', { 'retry-after': '30' }))
  made.provider('spare').otherwise(() => chatAnswer())
  const startedMs = made.system.nowMs()
  expect((await made.call({ task: 'support' })).headers['x-spillway-deployment']).toBe('spare/twin-upstream')
  expect((await made.call({ task: 'support' })).headers['x-spillway-deployment']).toBe('spare/twin-upstream')
  expect(made.system.nowMs() - startedMs).toBeLessThan(1_000)
  expect(made.provider('main').requests).toHaveLength(1)
})

// 40: a second hit never shortens the pause.
test('a shorter Retry-After does not shorten the pause', async () => {
  const made = world(task('small-model', '', 8))
  const throttled = (seconds: string) => openAiError(429, 'rate_limit_exceeded', { 'retry-after': seconds })
  made
    .provider('main')
    .next([{ kind: 'wait', ms: 5 }, ...throttled('20')], [{ kind: 'wait', ms: 6 }, ...throttled('1')])
  made.provider('main').otherwise(() => chatAnswer())
  const running = [made.start({ task: 'support' }), made.start({ task: 'support' })]
  for (const call of running) await made.finish(call)
  const [first, , third] = made.provider('main').requests
  expect((third?.atMs ?? 0) - (first?.atMs ?? 0)).toBeGreaterThanOrEqual(20_000)
})

test('a pause of a second stays one when the clock is set back by an hour', async () => {
  const made = world(task('small-model', '', 8))
  made.provider('main').next(openAiError(429, 'rate_limit_exceeded', { 'retry-after': '1' }), chatAnswer())
  made.system.after(10, () => made.system.jump(-3_600_000))
  const startedMs = made.system.nowMs()
  expect((await made.call({ task: 'support' })).status).toBe(200)
  expect(made.system.nowMs() - startedMs + 3_600_000).toBeLessThan(2_000)
})

test('a pause that reaches beyond the deadline is not waited for', async () => {
  const made = world(task('small-model', 'budget: { max_latency_ms: 5000 }'))
  made.provider('main').next(openAiError(429, 'rate_limit_exceeded', { 'retry-after': '60' }))
  const startedMs = made.system.nowMs()
  const caller = await made.call({ task: 'support' })
  expect(caller.status).toBe(502)
  expect(caller.json).toMatchObject({
    error: { code: 'upstream.failed', attempts: [{ end: 'http_429', status: 429 }] },
  })
  expect(made.system.nowMs() - startedMs).toBeLessThan(1_000)
})

test.each([401, 402, 403, 404])('%i from one deployment goes to another, and never back', async (status) => {
  const made = world(task('twin-model'))
  made.provider('main').otherwise(() => openAiError(status, 'not_for_you'))
  made.provider('spare').next(failWith('connection'), chatAnswer())
  const caller = await made.call({ task: 'support' })
  expect(caller.status).toBe(200)
  expect(made.provider('main').requests).toHaveLength(1)
  expect(made.provider('spare').requests).toHaveLength(2)
})

test("a key that is not ours to mend is our failure, not the caller's: the provider's 401 is not handed on", async () => {
  const made = world(task('small-model'))
  made.provider('main').next(openAiError(401, 'invalid_api_key'))
  const caller = await made.call({ task: 'support' })
  expect(caller.status).toBe(502)
  expect(caller.json).toMatchObject({ error: { code: 'upstream.failed', attempts: [{ end: 'http_401' }] } })
  expect(caller.json).toMatchObject({
    error: { message: expect.stringContaining('refused: invalid_api_key') as string },
  })
})

test('a provider that says a repetition is useless is believed: the next deployment is asked', async () => {
  const made = world(task('twin-model'))
  made.provider('main').otherwise(() => openAiError(500, 'server_error', { 'x-should-retry': 'false' }))
  made.provider('spare').next(failWith('connection'), chatAnswer())
  expect((await made.call({ task: 'support' })).status).toBe(200)
  expect(made.provider('main').requests).toHaveLength(1)
})

// 39: the provider's own words are what the caller has to see.
test.each([400, 413, 422])('%i is passed through unmodified, and nothing is tried again', async (status) => {
  const body = '{"error":{"message":"Unknown parameter: \'foo\'.","type":"invalid_request_error","x":  1}}'
  const made = world(task('twin-model'))
  made.provider('main').next(reply(body, { status }))
  const caller = await made.call({ task: 'support' })
  expect(caller.status).toBe(status)
  expect(caller.text).toBe(body)
  expect(made.total()).toBe(1)
  expect(made.attempts()[0]).toMatchObject({ end: `http_${status}`, chargedNanoUsd: 0, basis: 'none' })
})

test("another format's error is not handed on: it is said in the caller's own", async () => {
  const made = world(task('claude-model'))
  made.provider('claude').next(anthropicError(400, 'invalid_request_error', 'temperature: too high'))
  const caller = await made.call({ task: 'support' })
  expect(caller.status).toBe(400)
  expect(caller.json).toMatchObject({
    error: { code: 'upstream.rejected', message: 'temperature: too high' },
  })
  expect(caller.json).not.toHaveProperty('type')
})

test('the prompt that is too long for the model comes back as the provider said it when nothing can be dropped', async () => {
  const made = world(task('small-model'))
  made.provider('main').next(openAiError(400, 'context_length_exceeded'))
  const caller = await made.call({ task: 'support' })
  expect(caller.status).toBe(400)
  expect(caller.json).toMatchObject({ error: { code: 'context_length_exceeded' } })
})

test('fallback goes along the deployments first and then down the route, never to a higher tier', async () => {
  const made = world(`
  support:
    degrade: []
    retries: { max_attempts: 20 }
    route:
      default: twin-model
      escalate_if:
        - { condition: "vip == true", model: large-model }
        - { condition: "vip == true", model: mid-model }
        - { condition: "vip == true", model: small-model }
`)
  for (const name of ['main', 'spare']) made.provider(name).otherwise(() => failWith('connection'))
  await made.call({ task: 'support' })
  const asked = made.attempts().map(({ deployment }) => deployment)
  expect(asked.slice(0, 2)).toEqual(['main/twin-upstream', 'spare/twin-upstream'])
  expect(asked).toContain('main/small-upstream')
  expect(asked).not.toContain('main/mid-upstream')
  expect(asked).not.toContain('main/large-upstream')
})

// 31, 33: an attempt is priced at the model that made it, and the price book is named.
test('each attempt is held and priced at its own model', async () => {
  const made = world(`
  support:
    degrade: []
    retries: { max_attempts: 20 }
    route: { default: mid-model, escalate_if: [{ condition: "vip == true", model: small-model }] }
`)
  made.provider('main').otherwise(({ model }) => (model === 'mid-upstream' ? html() : chatAnswer()))
  await made.call({ task: 'support' })
  expect(made.attempts().at(-1)).toMatchObject({
    model: 'small-model',
    nanoUsd: 56_000,
    priceBook: 'override',
  })
  expect(made.attempts()[0]).toMatchObject({ model: 'mid-model', nanoUsd: 0, basis: 'none' })
})

test('a retry that the budget has no room for is a failure of the provider, told as one', async () => {
  const made = world(task('small-model', 'budget: { max_model_calls: 1 }'))
  made.provider('main').next(openAiError(500, 'server_error'))
  const caller = await made.call({ task: 'support' })
  expect(caller.status).toBe(502)
  expect(caller.json).toMatchObject({ error: { code: 'upstream.failed', attempts: [{ end: 'http_500' }] } })
})

test('a retry that is too dear gives way to the fallback that is not', async () => {
  // What timed out may have been read: its 19 tokens are paid, and 410,000 nano-dollars are too little for a
  // second try.
  const made = world(`
  support:
    degrade: []
    retries: { max_attempts: 9 }
    budget: { max_cost_usd: 0.0006, max_output_tokens: 20 }
    route: { default: mid-model, escalate_if: [{ condition: "vip == true", model: small-model }] }
`)
  made.provider('main').next(failWith('timeout', 10), chatAnswer())
  const caller = await made.call({ task: 'support' })
  expect(caller.headers).toMatchObject({ 'x-spillway-model': 'small-model', 'x-spillway-route': 'fallback' })
  expect(made.attempts()[0]).toMatchObject({ model: 'mid-model', end: 'timeout', chargedNanoUsd: 190_000 })
})

test('a provider that asks for a repetition gets it, also for a status that is final otherwise', async () => {
  const made = world(task('small-model'))
  made.provider('main').next(openAiError(400, 'try_me', { 'x-should-retry': 'true' }), chatAnswer())
  expect((await made.call({ task: 'support' })).status).toBe(200)
})

// 50
test('a provider that never answers is given up after its timeout, and the code says so', async () => {
  const made = world(task('small-model', '', 2))
  made.provider('main').otherwise(() => STALL)
  const caller = await made.call({ task: 'support' })
  expect(caller.status).toBe(504)
  expect(caller.json).toMatchObject({
    error: { code: 'upstream.timeout', attempts: [{ end: 'timeout' }, { end: 'timeout' }] },
  })
})

test('at the deadline the call is over, however much the provider is still working', async () => {
  const made = world(task('small-model', 'budget: { max_latency_ms: 2000 }'))
  made.provider('main').otherwise(() => chatAnswer({ delayMs: 10_000 }))
  const startedMs = made.system.nowMs()
  const caller = await made.call({ task: 'support' })
  expect(caller.status).toBe(504)
  expect(caller.json).toMatchObject({ error: { code: 'deadline.exceeded' } })
  expect(made.system.nowMs() - startedMs).toBe(2_000)
  expect(made.provider('main').openCalls).toBe(0)
  expect(made.ledger.heldTotal().nanoUsd).toBe(0)
})

test('nothing is sent when the wait for its hold has used up the time', async () => {
  const made: TestEngine = createTestEngine({
    ...configured(task('small-model', 'budget: { max_latency_ms: 2000 }')),
    atPort: (port) =>
      port === 'ledger.hold' ? new Promise((resolve) => void made.system.after(2_000, resolve)) : undefined,
  })
  made.provider('main').otherwise(() => chatAnswer())
  const caller = await made.call({ task: 'support' })
  expect(caller.json).toMatchObject({ error: { code: 'deadline.exceeded' } })
  expect(made.provider('main').requests).toHaveLength(0)
  expect(made.ledger.heldTotal().nanoUsd).toBe(0)
})

test('a full deployment is waited for, and refused with Retry-After when it stays full', async () => {
  const yaml = configured(task('narrow-model', 'budget: { max_latency_ms: 3000 }')).yaml.replace(
    'models:\n',
    'models:\n  narrow-model:\n    tier: small\n    deployments: [{ provider: main, model: narrow, limits: { concurrency: 1 } }]\n',
  )
  const made = createTestEngine({ yaml, providers: { main: {} } })
  made.provider('main').next(chatAnswer({ delayMs: 1_000 }), chatAnswer({ delayMs: 2_500 }))
  const running = Array.from({ length: 3 }, () => made.start({ task: 'support' }))
  const callers = await Promise.all(running.map((call) => made.finish(call)))
  expect(callers.map(({ status }) => status).sort((a, b) => a - b)).toEqual([200, 503, 504])
  const refusal = callers.find(({ status }) => status === 503)
  expect(refusal?.json).toMatchObject({ error: { code: 'capacity.queue_timeout' } })
  expect(refusal?.headers['retry-after']).toMatch(/^\d+$/)
  expect(made.ledger.heldTotal().nanoUsd).toBe(0)
})

test('a request that no deployment can express is refused by the name of the field', async () => {
  const made = world(task('claude-model'))
  const caller = await made.call({ task: 'support', body: { n: 3 } })
  expect(caller.status).toBe(400)
  expect(caller.json).toMatchObject({ error: { code: 'request.invalid', param: 'n' } })
  expect(made.total()).toBe(0)
  expect(made.ledger.heldTotal().nanoUsd).toBe(0)
})

test('a fallback may speak another format', async () => {
  const made = world(`
  support:
    degrade: []
    retries: { max_attempts: 6 }
    route: { default: mid-model, escalate_if: [{ condition: "vip == true", model: claude-model }] }
`)
  made.provider('main').otherwise(() => failWith('connection'))
  made.provider('claude').next(messagesAnswer({ text: 'From the other side.' }))
  const caller = await made.call({ task: 'support' })
  expect(caller.json).toMatchObject({ choices: [{ message: { content: 'From the other side.' } }] })
  expect(caller.headers['x-spillway-route']).toBe('fallback')
})
