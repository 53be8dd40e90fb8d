import { expect, test } from 'vitest'
import { configured } from '../testing/example-config.js'
import {
  STALL,
  anthropicError,
  chatAnswer,
  chatStream,
  failWith,
  messagesAnswer,
  openAiError,
  reply,
} from '../testing/provider-answers.js'
import { createTestEngine } from '../testing/test-engine.js'

const RULE = 'escalate_if: [{ condition: "vip == true", model: small-model }]'
const task = (degrade: string, budget: string, more = '') => `
  support:
    degrade: ${degrade}
    refine_message: Which order is it about?
    budget: ${budget}
    retries: { max_attempts: 3 }
    ${more || 'route: { default: small-model }'}
`

const turn = (text: string) => [
  { role: 'user', content: `Question: ${text}` },
  { role: 'assistant', content: `Answer: ${text}` },
]
const LONG = [
  { role: 'system', content: 'You are terse.' },
  ...turn('first '.repeat(60)),
  ...turn('second '.repeat(60)),
  ...turn('third '.repeat(60)),
  { role: 'user', content: 'And now?' },
]

function world(tasks: string) {
  const made = createTestEngine(configured(tasks))
  const sent = () =>
    (made.provider('main').requests.at(-1)?.json['messages'] ?? []) as { role: string; content: string }[]
  return { ...made, sent }
}

const FULL = '[shorter_context, smaller_model, cached_answer, partial_result, refine]'

test('shorter_context drops the oldest whole turns, keeps system and question, and says what was dropped', async () => {
  const made = world(task(FULL, '{ max_input_tokens: 700 }'))
  made.provider('main').next(chatAnswer())
  const caller = await made.call({ task: 'support', body: { messages: LONG } })
  expect(caller.status).toBe(200)
  expect(caller.headers).toMatchObject({
    'x-spillway-degraded': 'shorter_context',
    'x-spillway-route': 'degraded',
  })
  const sent = made.sent()
  expect(sent[0]).toEqual(LONG[0])
  expect(sent.at(-1)).toEqual(LONG.at(-1))
  expect(JSON.stringify(sent)).not.toContain('first')
  expect(sent[1]?.role).toBe('user')
  const said = made.lastStep().decisions.find(({ choice }) => choice === 'shortened')
  expect(said).toMatchObject({ inputs: { droppedTurns: 2, droppedMessages: 4 } })
  expect(caller.json).toMatchObject({
    spillway: {
      decisions: expect.arrayContaining([expect.objectContaining({ choice: 'shortened' })]) as unknown,
    },
  })
})

test('a prompt that is too long for the model is shortened and sent again', async () => {
  const made = world(task('[shorter_context]', '{}'))
  made.provider('main').next(openAiError(400, 'context_length_exceeded'), chatAnswer())
  const caller = await made.call({ task: 'support', body: { messages: LONG } })
  expect(caller.status).toBe(200)
  expect(caller.headers['x-spillway-degraded']).toBe('shorter_context')
  expect(made.sent().length).toBeLessThan(LONG.length)
})

test.each([
  [
    'Anthropic',
    anthropicError(400, 'invalid_request_error', 'prompt is too long: 210000 tokens > 200000 maximum'),
  ],
  [
    'a server that imitates OpenAI',
    reply({ message: "This model's maximum context length is 4096 tokens.", code: 400 }, { status: 400 }),
  ],
])('%s has no code for a prompt that is too long, and is understood', async (_who, script) => {
  const made = world(task('[shorter_context]', '{}'))
  made.provider('main').next(script, chatAnswer())
  const caller = await made.call({ task: 'support', body: { messages: LONG } })
  expect(caller.headers['x-spillway-degraded']).toBe('shorter_context')
})

test('what was not shortened is not said to have been', async () => {
  const made = world(task('[shorter_context]', '{ max_model_calls: 1 }'))
  made.provider('main').next(chatAnswer())
  const opened = await made.open('support')
  await made.call({ taskId: opened.id, body: { messages: LONG } })
  const caller = await made.call({ taskId: opened.id, body: { messages: LONG } })
  expect(caller.json).toMatchObject({ error: { code: 'budget.exhausted' } })
  expect(made.lastStep().decisions.map(({ choice }) => choice)).not.toContain('shortened')
})

test('smaller_model answers when the money does not suffice for the larger', async () => {
  const made = world(
    task('[smaller_model]', '{ max_cost_usd: 0.0005 }', `route: { default: mid-model, ${RULE} }`),
  )
  made.provider('main').next(chatAnswer())
  const caller = await made.call({ task: 'support' })
  expect(caller.status).toBe(200)
  expect(caller.headers).toMatchObject({
    'x-spillway-model': 'small-model',
    'x-spillway-degraded': 'smaller_model',
  })
  expect(made.provider('main').requests.map(({ model }) => model)).toEqual(['small-upstream'])
})

test('a smaller model that does not fit either is passed over for the next', async () => {
  const rules =
    '{ condition: "vip == true", model: mid-model }, { condition: "vip == true", model: small-model }'
  const made = world(
    task(
      '[smaller_model]',
      '{ max_cost_usd: 0.0001 }',
      `route: { default: large-model, escalate_if: [${rules}] }`,
    ),
  )
  made.provider('main').next(chatAnswer())
  const caller = await made.call({ task: 'support' })
  expect(caller.headers).toMatchObject({
    'x-spillway-model': 'small-model',
    'x-spillway-degraded': 'smaller_model',
  })
})

test('cached_answer gives an earlier answer, however old, with its age, when upstream is down', async () => {
  const made = world(task('[cached_answer, refine]', '{}'))
  made.provider('main').next(chatAnswer({ text: 'Paris.' }))
  made.provider('main').otherwise(() => failWith('connection'))
  await made.call({ task: 'support' })
  await made.system.advance(7_200_000)
  const caller = await made.call({ task: 'support' })
  expect(caller.status).toBe(200)
  expect(caller.json).toMatchObject({ choices: [{ message: { content: 'Paris.' } }] })
  expect(caller.headers).toMatchObject({
    'x-spillway-degraded': 'cached_answer',
    'x-spillway-cache': 'exact',
  })
  expect(Number(caller.headers['x-spillway-cache-age'])).toBeGreaterThanOrEqual(7_200)
})

test('a degraded answer is not remembered as if it were a full one', async () => {
  const made = world(task('[shorter_context, cached_answer]', '{ max_input_tokens: 700 }'))
  made.provider('main').next(chatAnswer({ text: 'Short.' }))
  made.provider('main').otherwise(() => failWith('connection'))
  await made.call({ task: 'support', body: { messages: LONG } })
  const caller = await made.call({ task: 'support', body: { messages: LONG } })
  expect(caller.status).toBe(502)
})

const CONFIDENCE =
  'route: { default: small-model, escalate_if: [{ condition: "confidence < 0.5", model: mid-model }] }'

test.each([
  ['at the deadline', '{ max_latency_ms: 1000 }', { gapMs: 300 }],
  ['at its output limit', '{ max_output_tokens: 20 }', {}],
])(
  'partial_result gives what a held-back stream had generated %s, properly ended',
  async (_when, budget, how) => {
    const tokens = Array.from({ length: 40 }, (_, index) => ` w${index}`)
    const made = world(task('[partial_result, refine]', budget, CONFIDENCE))
    made.provider('main').next(chatStream({ tokens, ...how }))
    const caller = await made.call({ task: 'support', body: { stream: true } })
    expect(caller.outcome).toBe('stream')
    expect(caller.text).toContain(' w1')
    expect(caller.text).toContain('"finish_reason":"length"')
    expect(caller.headers).toMatchObject({
      'x-spillway-degraded': 'partial_result',
      'x-spillway-route': 'degraded',
    })
    expect(made.lastStep()).toMatchObject({
      degraded: ['partial_result'],
      finishReason: 'length',
      error: null,
    })
    expect(made.attempts()[0]?.end).toBe('cut')
  },
)

test.each([
  ['at the deadline', '{ max_latency_ms: 1000 }', { gapMs: 300 }, 504, 'deadline.exceeded'],
  ['at its output limit', '{ max_output_tokens: 20 }', {}, 429, 'budget.exhausted'],
])(
  'without that rung a held-back stream that is cut %s is a refusal, not a torn answer',
  async (_when, budget, how, status, code) => {
    const tokens = Array.from({ length: 40 }, (_, index) => ` w${index}`)
    const made = world(task('[]', budget, CONFIDENCE))
    made.provider('main').next(chatStream({ tokens, ...how }))
    const caller = await made.call({ task: 'support', body: { stream: true } })
    expect(caller.status).toBe(status)
    expect(caller.json).toMatchObject({ error: { code } })
  },
)

test.each([
  ['openai-chat', false],
  ['openai-chat', true],
  ['anthropic-messages', false],
  ['anthropic-messages', true],
] as const)('refine is a 200 in the words of the contract: %s, stream %s', async (wire, stream) => {
  const made = world(task('[refine]', '{ max_input_tokens: 5 }'))
  const caller = await made.call({ task: 'support', wire, body: { stream } })
  expect(caller.status).toBe(200)
  expect(caller.outcome).toBe(stream ? 'stream' : 'whole')
  expect(caller.text).toContain('Which order is it about?')
  expect(caller.headers['x-spillway-degraded']).toBe('refine')
  expect(made.provider('main').requests).toEqual([])
  expect(made.lastOutcome()).toMatchObject({ success: false, reasons: ['the caller was asked to refine'] })
})

test('the rungs are taken in the order of the contract, and the same state takes the same rung', async () => {
  for (const [degrade, taken] of [
    ['[shorter_context, refine]', 'shorter_context'],
    ['[refine, shorter_context]', 'refine'],
  ]) {
    for (let again = 0; again < 2; again++) {
      const made = world(task(degrade ?? '', '{ max_input_tokens: 700 }'))
      made.provider('main').otherwise(() => chatAnswer())
      const caller = await made.call({ task: 'support', body: { messages: LONG } })
      expect(caller.headers['x-spillway-degraded']).toBe(taken)
    }
  }
})

test('a rung that was not enough is followed by the next', async () => {
  const made = world(task('[shorter_context, refine]', '{ max_input_tokens: 700 }'))
  made.provider('main').otherwise(() => openAiError(503, 'overloaded'))
  const caller = await made.call({ task: 'support', body: { messages: LONG } })
  expect(caller.status).toBe(200)
  expect(caller.headers['x-spillway-degraded']).toBe('shorter_context,refine')
})

test.each([
  ['budget.exhausted', 429, '{ max_input_tokens: 5 }', chatAnswer()],
  ['upstream.failed', 502, '{}', failWith('connection')],
  ['upstream.timeout', 504, '{}', STALL],
  ['deadline.exceeded', 504, '{ max_latency_ms: 500 }', STALL],
])(
  'an empty ladder refuses with %s, and with x-should-retry where a repetition cannot help',
  async (code, status, budget, script) => {
    const made = world(task('[]', budget))
    made.provider('main').otherwise(() => script)
    for (const wire of ['openai-chat', 'anthropic-messages'] as const) {
      const caller = await made.call({ task: 'support', wire })
      expect(caller.status).toBe(status)
      expect(caller.headers['x-should-retry']).toBe('false')
      const error = caller.json['error'] as Record<string, unknown>
      expect(error).toMatchObject({ code, task_id: made.lastOutcome().task })
      expect(typeof error['hint']).toBe('string')
      expect(caller.json['type']).toBe(wire === 'anthropic-messages' ? 'error' : undefined)
    }
  },
)

test('the ladder also answers for a provider that is down: refine instead of an error', async () => {
  const made = world(task('[refine]', '{}'))
  made.provider('main').otherwise(() => failWith('connection'))
  const caller = await made.call({ task: 'support' })
  expect(caller.status).toBe(200)
  expect(caller.headers).toMatchObject({ 'x-spillway-degraded': 'refine', 'x-spillway-attempts': '3' })
})

test('shortening works in the Messages format too, and keeps its system prompt', async () => {
  const made = createTestEngine(
    configured(task('[shorter_context]', '{ max_input_tokens: 700 }', 'route: { default: claude-model }')),
  )
  made.provider('claude').next(messagesAnswer())
  const body = { system: 'You are terse.', messages: LONG.slice(1) }
  const caller = await made.call({ task: 'support', wire: 'anthropic-messages', body })
  expect(caller.headers['x-spillway-degraded']).toBe('shorter_context')
  expect(made.provider('claude').requests[0]?.json['system']).toBe('You are terse.')
})
