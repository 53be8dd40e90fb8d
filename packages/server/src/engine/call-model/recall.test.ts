import { expect, test } from 'vitest'
import { configured } from '../../testing/example-config.js'
import {
  BREAK,
  brokenAfter,
  chatAnswer,
  chatFrames,
  chatStream,
  html,
  messagesAnswer,
  openAiError,
} from '../../testing/provider-answers.js'
import { LOCAL, createTestEngine } from '../../testing/test-engine.js'

const TASKS = `
  support:
    degrade: []
    cache: { exact: { ttl_seconds: 60 } }
    retries: { max_attempts: 2 }
    route: { default: small-model }
  other:
    degrade: []
    cache: { exact: { ttl_seconds: 60 } }
    route: { default: small-model }
  uncached: { degrade: [], route: { default: small-model } }
  held:
    degrade: []
    cache: { exact: { ttl_seconds: 60 } }
    route: { default: small-model, escalate_if: [{ condition: "confidence < 0.1", model: large-model }] }
`

function world() {
  const made = createTestEngine(configured(TASKS))
  const total = () => made.provider('main').requests.length
  return { ...made, total }
}

// 57
test('the same question is answered from the cache, whatever the order of its keys, at no cost', async () => {
  const made = world()
  made.provider('main').next(chatAnswer({ text: 'Paris.' }))
  const first = await made.call({ task: 'support', body: { temperature: 0, max_tokens: 9 } })
  expect(first.headers['x-spillway-cache']).toBe('miss')
  await made.system.advance(30_000)
  const second = await made.call({ task: 'support', body: { max_tokens: 9, temperature: 0 } })
  expect(made.total()).toBe(1)
  expect(second.headers).toMatchObject({
    'x-spillway-cache': 'exact',
    'x-spillway-cache-age': '30',
    'x-spillway-attempts': '0',
  })
  expect(second.json).toMatchObject({
    choices: [{ message: { content: 'Paris.' } }],
    spillway: { cost_usd: 0 },
  })
  expect(made.lastOutcome()).toMatchObject({ success: true, nanoUsd: 0 })
})

// 55: hits for streams, and between the shapes.
test.each([
  ['a stream', true, 'a stream', true],
  ['a stream', true, 'a whole answer', false],
  ['a whole answer', false, 'a stream', true],
  ['a whole answer', false, 'a whole answer', false],
])('what came as %s is given again as %s...', async (_from, streamed, _to, asStream) => {
  for (const task of ['support', 'held']) {
    const made = world()
    made
      .provider('main')
      .next(streamed ? chatStream({ tokens: ['Par', 'is.'] }) : chatAnswer({ text: 'Paris.' }))
    await made.call({ task, body: { stream: streamed } })
    const caller = await made.call({ task, body: { stream: asStream } })
    expect(made.total()).toBe(1)
    expect(caller.headers['x-spillway-cache']).toBe('exact')
    expect(caller.outcome).toBe(asStream ? 'stream' : 'whole')
    expect(caller.text).toContain('Par')
    expect(caller.text).toContain('"finish_reason":"stop"')
    expect(made.lastStep().degraded).toEqual([])
  }
})

test('an answer older than its time is asked for again', async () => {
  const made = world()
  made.provider('main').otherwise(() => chatAnswer())
  await made.call({ task: 'support' })
  await made.system.advance(60_001)
  const caller = await made.call({ task: 'support' })
  expect(caller.headers['x-spillway-cache']).toBe('miss')
  expect(made.total()).toBe(2)
})

// 53: tenant, task, system prompt and tools are part of the question.
test.each([
  ['another tenant', { task: 'support', tenant: { ...LOCAL, name: 'acme' } }],
  ['another task', { task: 'other' }],
  [
    'another system prompt',
    {
      task: 'support',
      body: {
        messages: [
          { role: 'system', content: 'Be rude.' },
          { role: 'user', content: 'Hi' },
        ],
      },
    },
  ],
  [
    'other tools',
    { task: 'support', body: { tools: [{ type: 'function', function: { name: 'f', parameters: {} } }] } },
  ],
  ['another format', { task: 'support', wire: 'anthropic-messages' as const }],
])('%s is another question', async (_what, ask) => {
  const made = world()
  made.provider('main').otherwise(() => chatAnswer())
  await made.call({ task: 'support' })
  expect((await made.call(ask)).headers['x-spillway-cache']).toBe('miss')
  expect(made.total()).toBe(2)
})

// 54: what failed is never remembered.
test.each([
  ['a refused request', openAiError(400, 'bad'), false],
  ['a failure', html(), false],
  ['a broken stream', brokenAfter(chatFrames().slice(0, 3), BREAK), true],
])('%s is not remembered', async (_what, script, stream) => {
  const made = world()
  made.provider('main').next(script, script, chatAnswer(), chatStream())
  await made.call({ task: 'support', body: { stream } })
  const before = made.total()
  const caller = await made.call({ task: 'support', body: { stream } })
  expect(caller.headers['x-spillway-cache']).toBe('miss')
  expect(made.total()).toBeGreaterThan(before)
})

test('a task without a cache neither looks nor keeps', async () => {
  const made = world()
  made.provider('main').otherwise(() => chatAnswer())
  await made.call({ task: 'uncached' })
  expect((await made.call({ task: 'uncached' })).headers['x-spillway-cache']).toBe('off')
  expect(made.total()).toBe(2)
})

test('answers that crossed formats are remembered in the format of the caller', async () => {
  const made = createTestEngine(configured(TASKS.replaceAll('default: small-model', 'default: claude-model')))
  made.provider('claude').next(messagesAnswer({ text: 'Paris.' }))
  await made.call({ task: 'support' })
  const caller = await made.call({ task: 'support', body: { stream: true } })
  expect(caller.outcome).toBe('stream')
  expect(caller.text).toContain('Paris.')
})
