// The official Anthropic client works by changing its base URL: streaming, tools, vision, counting, models,
// errors. Once where bytes pass through, once where the provider speaks OpenAI's format.

import Anthropic, {
  APIError,
  AuthenticationError,
  BadRequestError,
  NotFoundError,
  RateLimitError,
} from '@anthropic-ai/sdk'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Conformance, MODELS, PIXEL, SDK_KEY, startConformance } from './support/conformance.js'
import { countingFetch, request } from './support/http.js'

type Options = NonNullable<ConstructorParameters<typeof Anthropic>[0]>

let gateway: Conformance
beforeAll(async () => {
  gateway = await startConformance()
})
afterAll(() => gateway.stop())

const client = (options: Options = {}) =>
  new Anthropic({ baseURL: gateway.server.url, apiKey: SDK_KEY, ...options })
const ask = (content: string) => [{ role: 'user' as const, content }]
const failureOf = (promise: Promise<unknown>) =>
  promise.then(
    () => null,
    (error: unknown) => error,
  )
const textOf = ({ content }: Anthropic.Message) =>
  content.map((block) => (block.type === 'text' ? block.text : '')).join('')
/** The refusal inside an Anthropic-shaped body, as the client keeps it. */
const detailOf = (error: unknown) =>
  (error as APIError & { error: { error: Record<string, unknown> } }).error.error

const FIND_ORDER = {
  name: 'find_order',
  description: 'Finds an order by its number.',
  input_schema: {
    type: 'object' as const,
    properties: { order_id: { type: 'integer' } },
    required: ['order_id'],
    additionalProperties: false,
  },
}

describe.each([
  ['bytes that pass through', MODELS.anthropic],
  ['a translation to another wire', MODELS.openai],
])('over %s (%s)', (_, model) => {
  test('a message has text, stop reason and usage', async () => {
    const { data, response } = await client()
      .messages.create({ model, max_tokens: 100, system: 'Be brief.', messages: ask('Where is my order?') })
      .withResponse()
    expect(data).toMatchObject({ type: 'message', role: 'assistant', stop_reason: 'end_turn' })
    expect(textOf(data)).toMatch(/\w/)
    expect(data.usage.input_tokens).toBeGreaterThan(0)
    expect(data.usage.output_tokens).toBeGreaterThan(0)
    expect(response.headers.get('x-spillway-model')).toBe(model)
    expect(data).toMatchObject({ spillway: { cost_usd: expect.any(Number), task: expect.any(Object) } })
  })

  test('a limit on output ends the answer with stop reason max_tokens', async () => {
    const { stop_reason: reason, usage } = await client().messages.create({
      model,
      max_tokens: 5,
      messages: ask('Tell me everything.'),
    })
    expect(reason).toBe('max_tokens')
    expect(usage.output_tokens).toBeLessThanOrEqual(5)
  })

  test('a stream has the events of the format in their order', async () => {
    const stream = await client().messages.create({
      model,
      max_tokens: 100,
      messages: ask('Where is my order?'),
      stream: true,
    })
    const types: string[] = []
    for await (const event of stream) if (types.at(-1) !== event.type) types.push(event.type)
    expect(types).toEqual([
      'message_start',
      'content_block_start',
      'content_block_delta',
      'content_block_stop',
      'message_delta',
      'message_stop',
    ])
  })

  test("the client's own collector puts a streamed message together", async () => {
    const stream = client().messages.stream({ model, max_tokens: 100, messages: ask('Where is my order?') })
    const message = await stream.finalMessage()
    expect(textOf(message)).toMatch(/\w/)
    expect(message.stop_reason).toBe('end_turn')
    expect(message.usage.input_tokens).toBeGreaterThan(0)
    expect(message.usage.output_tokens).toBeGreaterThan(0)
  })

  test.each([false, true])(
    'a forced tool is called, and its result answered in text (stream: %s)',
    async (streamed) => {
      const messages: Anthropic.MessageParam[] = ask('Where is order 4711?')
      const body = {
        model,
        max_tokens: 200,
        tools: [FIND_ORDER],
        tool_choice: { type: 'tool' as const, name: 'find_order' },
      }
      const api = client().messages
      const called = streamed
        ? await api.stream({ ...body, messages }).finalMessage()
        : await api.create({ ...body, messages })
      const call = called.content.find((block) => block.type === 'tool_use')
      if (call === undefined) throw new Error('no tool was called')
      expect(called.stop_reason).toBe('tool_use')
      expect(call).toMatchObject({ name: 'find_order', input: { order_id: expect.any(Number) } })
      const result = { type: 'tool_result' as const, tool_use_id: call.id, content: '{"status":"sent"}' }
      const answered = await api.create({
        ...body,
        tool_choice: { type: 'auto' },
        messages: [
          ...messages,
          { role: 'assistant', content: called.content },
          { role: 'user', content: [result] },
        ],
      })
      expect(textOf(answered)).toMatch(/\w/)
    },
  )

  test('a picture may be part of the question', async () => {
    const source = { type: 'base64' as const, media_type: 'image/png' as const, data: PIXEL }
    const content = [
      { type: 'image' as const, source },
      { type: 'text' as const, text: 'What is wrong here?' },
    ]
    const message = await client().messages.create({
      model,
      max_tokens: 100,
      messages: [{ role: 'user', content }],
    })
    expect(textOf(message)).toMatch(/\w/)
  })

  test('a stop sequence ends the answer and is named', async () => {
    const message = await client().messages.create({
      model,
      max_tokens: 100,
      stop_sequences: ['STOP'],
      messages: ask('Go on. [[sim:text=One two three STOP four five]]'),
    })
    expect(textOf(message)).toBe('One two three ')
  })

  test('a provider that breaks off is an error in the stream, never a short answer', async () => {
    const messages = ask('Where is it? [[sim:broken_after=3]]')
    const stream = await client().messages.create({ model, max_tokens: 100, messages, stream: true })
    const seen: string[] = []
    const reading = (async () => {
      for await (const event of stream) seen.push(event.type)
    })()
    const error = await failureOf(reading)
    expect(error).toBeInstanceOf(APIError)
    expect(detailOf(error)).toMatchObject({ code: 'upstream.failed' })
    expect(seen).not.toContain('message_stop')
  })

  test('tokens can be counted before a call', async () => {
    const count = (content: string) => client().messages.countTokens({ model, messages: ask(content) })
    const short = await count('Where is my order?')
    const long = await count('Where is my order? '.repeat(50))
    expect(short.input_tokens).toBeGreaterThan(0)
    expect(long.input_tokens).toBeGreaterThan(short.input_tokens)
  })
})

test("the model list has Anthropic's shape for Anthropic's client", async () => {
  const ids: string[] = []
  for await (const model of client().models.list()) {
    expect(model.type).toBe('model')
    ids.push(model.id)
  }
  expect(ids).toEqual(expect.arrayContaining([MODELS.anthropic, MODELS.openai]))
})

test('the key may also come as a bearer token', async () => {
  const bearer = client({ apiKey: null, authToken: SDK_KEY })
  const message = await bearer.messages.create({
    model: MODELS.anthropic,
    max_tokens: 20,
    messages: ask('Hello?'),
  })
  expect(message.type).toBe('message')
})

describe('errors', () => {
  const call = (model: string, options: Options = {}) =>
    failureOf(client(options).messages.create({ model, max_tokens: 20, messages: ask('Hello?') }))

  test('a key that belongs to nobody', async () => {
    const error = await call(MODELS.anthropic, { apiKey: 'wrong-key' })
    expect(error).toBeInstanceOf(AuthenticationError)
    expect(detailOf(error)).toMatchObject({ type: 'authentication_error', code: 'auth.unknown' })
  })

  test('a model that is not configured', async () => {
    const error = await call('claude-99')
    expect(error).toBeInstanceOf(NotFoundError)
    expect(detailOf(error)).toMatchObject({ type: 'not_found_error', code: 'model.unknown' })
  })

  test('a body that cannot be used', async () => {
    const messages = 'Hello?' as unknown as []
    const error = await failureOf(
      client().messages.create({ model: MODELS.anthropic, max_tokens: 20, messages }),
    )
    expect(error).toBeInstanceOf(BadRequestError)
    expect(detailOf(error)).toMatchObject({ type: 'invalid_request_error', code: 'request.invalid' })
  })

  test('a budget that is used up: told once, with a hint, and the client does not try again', async () => {
    const headers = { authorization: `Bearer ${SDK_KEY}` }
    const opened = await request(`${gateway.server.url}/v1/tasks`, {
      headers,
      body: { contract: 'one_call' },
    })
    const { id } = opened.body as { id: string }
    const counting = countingFetch()
    const options = { fetch: counting.fetch, defaultHeaders: { 'x-spillway-task-id': id } }
    expect(await call('one_call', options)).toBeNull()
    const error = await call('one_call', options)
    expect(error).toBeInstanceOf(RateLimitError)
    expect(detailOf(error)).toMatchObject({
      type: 'rate_limit_error',
      code: 'budget.exhausted',
      hint: expect.stringMatching(/\w/),
      task_id: id,
    })
    expect((error as APIError).headers?.get('x-should-retry')).toBe('false')
    expect(counting.calls()).toBe(2)
  })

  test('a provider that fails every attempt: told once', async () => {
    const counting = countingFetch()
    const messages = ask('Hello? [[sim:error=500]]')
    const failing = client({ fetch: counting.fetch }).messages.create({
      model: MODELS.anthropic,
      max_tokens: 20,
      messages,
    })
    const error = await failureOf(failing)
    expect(error).toMatchObject({ status: 502 })
    expect(detailOf(error)).toMatchObject({ code: 'upstream.failed' })
    expect(counting.calls()).toBe(1)
  })
})
