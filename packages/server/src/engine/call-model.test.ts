import { expect, test } from 'vitest'
import { configured } from '../testing/example-config.js'
import {
  anthropicError,
  chatAnswer,
  chatStream,
  messagesAnswer,
  messagesStream,
  reply,
} from '../testing/provider-answers.js'
import { createTestEngine } from '../testing/test-engine.js'

const TASKS = `
  support:
    degrade: []
    budget: { max_cost_usd: 0.1, max_output_tokens: 500 }
    route: { default: small-model }
  claude:
    degrade: []
    budget: { max_cost_usd: 1, max_output_tokens: 500 }
    route: { default: claude-model }
`
const world = () => createTestEngine(configured(TASKS))

test('an answer carries who answered, on what route, at what cost, in headers and in the body', async () => {
  const made = world()
  made.provider('main').next(chatAnswer())
  const caller = await made.call({ task: 'support' })
  expect(caller.status).toBe(200)
  expect(caller.headers).toMatchObject({
    'x-spillway-task-id': 'task_000001',
    'x-spillway-step-id': 'step_000001',
    'x-spillway-release': made.release.id,
    'x-spillway-model': 'small-model',
    'x-spillway-deployment': 'main/small-upstream',
    'x-spillway-tier': 'small',
    'x-spillway-route': 'default',
    'x-spillway-cache': 'off',
    'x-spillway-attempts': '1',
    'x-spillway-cost-usd': '0.000056',
    'x-request-id': 'request-1',
    'content-length': String(Buffer.byteLength(caller.text)),
  })
  expect(caller.headers).not.toHaveProperty('x-spillway-degraded')
  expect(caller.headers).not.toHaveProperty('x-spillway-simulated')
  expect(caller.json['spillway']).toMatchObject({
    cost_usd: 0.000056,
    task: { id: 'task_000001', spent: { cost_usd: 0.000056 }, remaining: { cost_usd: 0.099944 } },
  })
})

test('the rest of the body is untouched, byte for byte', async () => {
  const made = world()
  const body =
    '{ "id":"x", "object":"chat.completion",  "n\\u00e9w":1.50, "choices":[{"index":0,"message":{"role":"assistant","content":"é"},"finish_reason":"stop"}] }'
  made.provider('main').next(reply(body))
  const caller = await made.call({ task: 'support' })
  expect(caller.text.startsWith(body.slice(0, -2))).toBe(true)
})

test('unknown fields of the request reach a provider of the same format exactly', async () => {
  const made = world()
  made.provider('main').next(chatAnswer())
  await made.call({
    task: 'support',
    body: { max_tokens: 9, a_new_field: { deep: [1.5, 'é'] }, temperature: 0.1 },
  })
  const sent = Buffer.from(made.provider('main').requests[0]?.body ?? []).toString('utf8')
  expect(sent).toContain('"a_new_field":{"deep":[1.5,"é"]},"temperature":0.1')
  expect(sent).toContain('"model":"small-upstream"')
})

test('format headers reach a provider of the same format, and no other', async () => {
  const made = world()
  const upstreamHeaders = { 'anthropic-version': '2023-06-01', 'anthropic-beta': 'context-1m' }
  made.provider('claude').next(messagesAnswer())
  await made.call({ task: 'claude', wire: 'anthropic-messages', upstreamHeaders })
  expect(made.provider('claude').requests[0]?.headers).toEqual(upstreamHeaders)
  made.provider('main').next(chatAnswer())
  await made.call({ task: 'support', wire: 'anthropic-messages', upstreamHeaders })
  expect(made.provider('main').requests[0]?.headers).toEqual({})
})

test('across formats an answer keeps text, finish and usage, both ways', async () => {
  const made = world()
  made.provider('claude').next(messagesAnswer({ text: 'Bonjour.', finish: 'max_tokens' }))
  const openAi = await made.call({ task: 'claude', body: { max_tokens: 77 } })
  expect(openAi.json).toMatchObject({
    object: 'chat.completion',
    choices: [{ message: { role: 'assistant', content: 'Bonjour.' }, finish_reason: 'length' }],
    usage: { prompt_tokens: 40, completion_tokens: 8 },
  })
  expect(made.provider('claude').requests[0]?.json).toMatchObject({
    model: 'claude-upstream',
    max_tokens: 77,
  })
  made.provider('main').next(chatAnswer({ text: 'Hello.' }))
  const anthropic = await made.call({
    task: 'support',
    wire: 'anthropic-messages',
    body: { system: 'Be kind.' },
  })
  expect(anthropic.json).toMatchObject({
    type: 'message',
    content: [{ type: 'text', text: 'Hello.' }],
    stop_reason: 'end_turn',
    usage: { input_tokens: 40, output_tokens: 8 },
  })
  expect(made.provider('main').requests[0]?.json['messages']).toMatchObject([
    { role: 'system' },
    { role: 'user' },
  ])
})

// 48
test('tools and their calls cross formats', async () => {
  const made = world()
  const call = { type: 'tool_use', id: 'toolu_1', name: 'look_up', input: { order: 7 } }
  made.provider('claude').next(
    reply({
      id: 'm',
      type: 'message',
      role: 'assistant',
      model: 'm',
      content: [call],
      stop_reason: 'tool_use',
      usage: { input_tokens: 40, output_tokens: 8 },
    }),
  )
  const parameters = { type: 'object', properties: { order: { type: 'number' } } }
  const tools = [{ type: 'function', function: { name: 'look_up', parameters } }]
  const caller = await made.call({ task: 'claude', body: { tools } })
  expect(made.provider('claude').requests[0]?.json['tools']).toMatchObject([
    { name: 'look_up', input_schema: parameters },
  ])
  expect(caller.json).toMatchObject({
    choices: [
      {
        message: { tool_calls: [{ id: 'toolu_1', function: { name: 'look_up', arguments: '{"order":7}' } }] },
        finish_reason: 'tool_calls',
      },
    ],
  })
})

test('the head of a stream names who answers, without a cost that nobody knows yet', async () => {
  const made = world()
  made.provider('claude').next(messagesStream())
  const caller = await made.call({ task: 'claude', wire: 'anthropic-messages', body: { stream: true } })
  expect(caller.headers).toMatchObject({
    'content-type': 'text/event-stream; charset=utf-8',
    'x-accel-buffering': 'no',
    'x-spillway-model': 'claude-model',
    'x-spillway-attempts': '1',
  })
  expect(caller.headers).not.toHaveProperty('x-spillway-cost-usd')
  expect(caller.text).toContain('"spillway":{"cost_usd":0.00056')
})

// 15
test('embeddings are metered like every other call', async () => {
  const made = world()
  const vectors = {
    object: 'list',
    model: 'm',
    data: [{ object: 'embedding', index: 0, embedding: [0.5] }],
    usage: { prompt_tokens: 5, total_tokens: 5 },
  }
  made.provider('main').next(reply(vectors))
  const caller = await made.call({
    wire: 'openai-embeddings',
    body: { model: 'small-model', input: 'hello world', messages: undefined },
  })
  expect(caller.status).toBe(200)
  expect(caller.json).toMatchObject({ data: vectors.data, spillway: { cost_usd: 0.000005 } })
  expect(made.attempts()[0]).toMatchObject({ tokens: { input: 5, output: 0 }, chargedNanoUsd: 5_000 })
})

test('a provider error in the Messages format reaches a caller of that format unmodified', async () => {
  const made = world()
  const script = anthropicError(400, 'invalid_request_error', 'max_tokens: required')
  made.provider('claude').next(script)
  const caller = await made.call({ task: 'claude', wire: 'anthropic-messages' })
  const data = script.find((act) => act.kind === 'data')
  expect(caller.text).toBe(data?.kind === 'data' ? Buffer.from(data.chunk).toString('utf8') : '')
})

test('a simulated provider is named as such on every answer', async () => {
  const made = createTestEngine({
    yaml: 'providers: { sim: { kind: simulated } }\nmodels: { fake: { tier: small, deployments: [{ provider: sim }] } }\n',
    providers: { sim: { simulated: true } },
  })
  made.provider('sim').next(chatAnswer(), chatStream())
  for (const stream of [false, true]) {
    const caller = await made.call({ body: { model: 'fake', stream } })
    expect(caller.headers['x-spillway-simulated']).toBe('true')
  }
  expect(made.attempts().every(({ simulated }) => simulated)).toBe(true)
})

test('too much at once is refused before it is paid for', async () => {
  const made = world()
  const caller = await made.call({ task: 'support', body: { n: 17 } })
  expect(caller.status).toBe(400)
  expect(caller.json).toMatchObject({ error: { code: 'request.invalid', param: 'n' } })
  expect(made.provider('main').requests).toEqual([])
})
