// The official OpenAI client works by changing its base URL: streaming, tools, structured output, vision,
// embeddings, models, errors. Once where bytes pass through, once where the provider speaks Anthropic's
// format.

import OpenAI, { APIError, AuthenticationError, BadRequestError, NotFoundError, RateLimitError } from 'openai'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Conformance, MODELS, PIXEL, SDK_KEY, startConformance } from './support/conformance.js'
import { countingFetch } from './support/http.js'

type Options = NonNullable<ConstructorParameters<typeof OpenAI>[0]>

let gateway: Conformance
beforeAll(async () => {
  gateway = await startConformance()
})
afterAll(() => gateway.stop())

const client = (options: Options = {}) =>
  new OpenAI({ baseURL: `${gateway.server.url}/v1`, apiKey: SDK_KEY, ...options })
const ask = (content: string) => [{ role: 'user' as const, content }]
const failureOf = (promise: Promise<unknown>) =>
  promise.then(
    () => null,
    (error: unknown) => error,
  )

const FIND_ORDER = {
  type: 'function' as const,
  function: {
    name: 'find_order',
    description: 'Finds an order by its number.',
    parameters: {
      type: 'object',
      properties: { order_id: { type: 'integer' } },
      required: ['order_id'],
      additionalProperties: false,
    },
  },
}
const REPLY_SCHEMA = {
  type: 'object',
  properties: {
    reply: { type: 'string' },
    sentiment: { type: 'string', enum: ['calm', 'high_risk'] },
    tags: { type: 'array', items: { type: 'string' }, minItems: 1 },
  },
  required: ['reply', 'sentiment', 'tags'],
  additionalProperties: false,
}

describe.each([
  ['bytes that pass through', MODELS.openai],
  ['a translation to another wire', MODELS.anthropic],
])('over %s (%s)', (_, model) => {
  test('a chat completion has text, finish reason and usage', async () => {
    const { data, response } = await client()
      .chat.completions.create({ model, messages: ask('Where is my order?') })
      .withResponse()
    expect(data).toMatchObject({ object: 'chat.completion', choices: [{ finish_reason: 'stop', index: 0 }] })
    expect(data.choices[0]?.message.content).toMatch(/\w/)
    const { prompt_tokens: input = 0, completion_tokens: output = 0, total_tokens: total } = data.usage ?? {}
    expect([input > 0, output > 0, total]).toEqual([true, true, input + output])
    expect(response.headers.get('x-spillway-model')).toBe(model)
    expect(response.headers.get('x-spillway-attempts')).toBe('1')
  })

  test('a limit on output ends the answer with finish reason length', async () => {
    const { choices, usage } = await client().chat.completions.create({
      model,
      messages: ask('Tell me everything.'),
      max_tokens: 5,
    })
    expect(choices[0]?.finish_reason).toBe('length')
    expect(usage?.completion_tokens).toBeLessThanOrEqual(5)
  })

  test('a stream gives the same text as the whole answer would, and no usage unless asked', async () => {
    const body = { model, messages: ask('Where is my order?'), temperature: 0 }
    const stream = await client().chat.completions.create({ ...body, stream: true })
    const ids = new Set<string>()
    let text = ''
    let finish: string | null | undefined = null
    for await (const chunk of stream) {
      ids.add(chunk.id)
      expect(chunk.choices).toHaveLength(1)
      expect(chunk.usage ?? null).toBeNull()
      text += chunk.choices[0]?.delta.content ?? ''
      finish = chunk.choices[0]?.finish_reason ?? finish
    }
    expect(text).toMatch(/\w/)
    expect([ids.size, finish]).toEqual([1, 'stop'])
  })

  test('a stream that asks for usage gets it once, in a last chunk without choices', async () => {
    const stream = await client().chat.completions.create({
      model,
      messages: ask('Where is my order?'),
      stream: true,
      stream_options: { include_usage: true },
    })
    const chunks: OpenAI.ChatCompletionChunk[] = []
    for await (const chunk of stream) chunks.push(chunk)
    const withUsage = chunks.filter(({ usage }) => usage !== null && usage !== undefined)
    expect(withUsage).toHaveLength(1)
    expect(withUsage[0]).toBe(chunks.at(-1))
    expect(withUsage[0]?.choices).toEqual([])
    expect(withUsage[0]?.usage?.completion_tokens).toBeGreaterThan(0)
    expect(withUsage[0]).toMatchObject({
      spillway: { cost_usd: expect.any(Number), task: expect.any(Object) },
    })
  })

  test('a forced tool is called with arguments that fit, and its result is answered in text', async () => {
    const messages: OpenAI.ChatCompletionMessageParam[] = ask('Where is order 4711?')
    const tools = [FIND_ORDER]
    const choice = { type: 'function' as const, function: { name: 'find_order' } }
    const called = await client().chat.completions.create({ model, messages, tools, tool_choice: choice })
    const message = called.choices[0]?.message
    const call = message?.tool_calls?.[0]
    if (message === undefined || call?.type !== 'function') throw new Error('no tool was called')
    expect(call.function.name).toBe('find_order')
    expect(JSON.parse(call.function.arguments)).toEqual({ order_id: expect.any(Number) })
    const result = { role: 'tool' as const, tool_call_id: call.id, content: '{"status":"sent"}' }
    const answered = await client().chat.completions.create({
      model,
      tools,
      messages: [...messages, message, result],
    })
    expect(answered.choices[0]?.message.content).toMatch(/\w/)
  })

  test("the client's own collector puts a streamed tool call together", async () => {
    const stream = client().chat.completions.stream({
      model,
      messages: ask('Where is order 4711?'),
      tools: [FIND_ORDER],
      tool_choice: 'required',
    })
    const { choices } = await stream.finalChatCompletion()
    expect(choices[0]?.finish_reason).toBe('tool_calls')
    const call = choices[0]?.message.tool_calls?.[0]
    if (call?.type !== 'function') throw new Error('no tool was called')
    expect(JSON.parse(call.function.arguments)).toEqual({ order_id: expect.any(Number) })
  })

  test.each([false, true])('structured output follows its schema (stream: %s)', async (streamed) => {
    const body = {
      model,
      messages: ask('I am furious, my card was charged twice.'),
      response_format: {
        type: 'json_schema' as const,
        json_schema: { name: 'reply', strict: true, schema: REPLY_SCHEMA },
      },
    }
    const chat = client().chat.completions
    const { choices } = streamed ? await chat.stream(body).finalChatCompletion() : await chat.create(body)
    const reply = JSON.parse(choices[0]?.message.content ?? '') as Record<string, unknown>
    expect(Object.keys(reply).sort()).toEqual(['reply', 'sentiment', 'tags'])
    expect(['calm', 'high_risk']).toContain(reply['sentiment'])
    expect(Array.isArray(reply['tags'])).toBe(true)
  })

  test('a picture may be part of the question', async () => {
    const content = [
      { type: 'text' as const, text: 'What is wrong with this parcel?' },
      { type: 'image_url' as const, image_url: { url: `data:image/png;base64,${PIXEL}` } },
    ]
    const { choices } = await client().chat.completions.create({
      model,
      messages: [{ role: 'user', content }],
    })
    expect(choices[0]?.message.content).toMatch(/\w/)
  })

  test('a provider that breaks off is an error in the stream, never a short answer', async () => {
    const content = 'Where is it? [[sim:broken_after=3]]'
    const stream = await client().chat.completions.create({ model, messages: ask(content), stream: true })
    const reading = (async () => {
      for await (const chunk of stream) expect(chunk.choices[0]?.finish_reason ?? null).toBeNull()
    })()
    expect(await failureOf(reading)).toMatchObject({ code: 'upstream.failed' })
  })

  test('a caller that leaves a stream early does not disturb the next one', async () => {
    const content = 'Tell me everything. [[sim:tokens=400; tokens_per_second=200]]'
    const stream = await client().chat.completions.create({ model, messages: ask(content), stream: true })
    for await (const chunk of stream) {
      expect(chunk.choices).toHaveLength(1)
      break
    }
    const { choices } = await client().chat.completions.create({ model, messages: ask('And now?') })
    expect(choices[0]?.finish_reason).toBe('stop')
  })
})

test('several answers may be asked for at once', async () => {
  const { choices } = await client().chat.completions.create({
    model: MODELS.openai,
    messages: ask('Hello?'),
    n: 2,
  })
  expect(choices.map(({ index }) => index)).toEqual([0, 1])
})

test('members that Spillway does not know reach the provider and come back', async () => {
  const body = { model: MODELS.openai, messages: ask('Hello?'), logprobs: true, x_future_member: { a: 1 } }
  const { choices } = await client().chat.completions.create(body)
  expect(choices[0]?.logprobs?.content?.length).toBeGreaterThan(0)
})

test('log probabilities that nobody asked for are not there', async () => {
  const { choices } = await client().chat.completions.create({
    model: MODELS.openai,
    messages: ask('Hello?'),
  })
  expect(choices[0]?.logprobs ?? null).toBeNull()
})

test.each(['float', 'base64'] as const)('embeddings come as %s', async (encoding_format) => {
  const input = ['Where is my order?', 'I want my money back.']
  const { data, usage } = await client().embeddings.create({
    model: 'text-embedding-3-small',
    input,
    encoding_format,
  })
  expect(data.map(({ index }) => index)).toEqual([0, 1])
  expect(typeof data[0]?.embedding).toBe(encoding_format === 'float' ? 'object' : 'string')
  expect(usage.prompt_tokens).toBeGreaterThan(0)
})

test('the model list names models, tiers and tasks that a call can name', async () => {
  const ids: string[] = []
  for await (const model of client().models.list()) ids.push(model.id)
  expect(ids).toEqual(expect.arrayContaining([MODELS.openai, MODELS.anthropic, 'one_call']))
})

describe('errors', () => {
  test('a key that belongs to nobody', async () => {
    const error = await failureOf(client({ apiKey: 'wrong-key' }).models.list())
    expect(error).toBeInstanceOf(AuthenticationError)
    expect(error).toMatchObject({ status: 401, code: 'auth.unknown' })
  })

  test('a model that is not configured', async () => {
    const error = await failureOf(
      client().chat.completions.create({ model: 'gpt-9', messages: ask('Hello?') }),
    )
    expect(error).toBeInstanceOf(NotFoundError)
    expect(error).toMatchObject({ status: 404, code: 'model.unknown' })
  })

  test('a body that cannot be used', async () => {
    const body = { model: MODELS.openai, messages: 'Hello?' as unknown as [] }
    const error = await failureOf(client().chat.completions.create(body))
    expect(error).toBeInstanceOf(BadRequestError)
    expect(error).toMatchObject({ code: 'request.invalid', param: expect.stringContaining('messages') })
  })

  test('a budget that is used up: told once, with a hint, and the client does not try again', async () => {
    const counting = countingFetch()
    const defaultHeaders = { 'x-spillway-task': 'one_call' }
    const opened = await fetch(`${gateway.server.url}/v1/tasks`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${SDK_KEY}` },
      body: JSON.stringify({ contract: 'one_call' }),
    })
    const { id } = (await opened.json()) as { id: string }
    const inTask = client({
      fetch: counting.fetch,
      defaultHeaders: { ...defaultHeaders, 'x-spillway-task-id': id },
    })
    await inTask.chat.completions.create({ model: 'one_call', messages: ask('First') })
    const error = await failureOf(
      inTask.chat.completions.create({ model: 'one_call', messages: ask('Second') }),
    )
    expect(error).toBeInstanceOf(RateLimitError)
    expect(error).toMatchObject({
      status: 429,
      code: 'budget.exhausted',
      error: { hint: expect.stringMatching(/\w/), task_id: id },
    })
    expect((error as APIError).headers?.get('x-should-retry')).toBe('false')
    expect(counting.calls()).toBe(2)
  })

  test('a provider that fails every attempt: told once, with the attempts and without secrets', async () => {
    const counting = countingFetch()
    const messages = ask('Hello? [[sim:error=500]]')
    const call = client({ fetch: counting.fetch }).chat.completions.create({ model: MODELS.openai, messages })
    const error = await failureOf(call)
    expect(error).toMatchObject({ status: 502, code: 'upstream.failed' })
    expect((error as APIError).error).toMatchObject({
      attempts: [{ status: 500 }, expect.anything(), {}, {}],
    })
    expect(JSON.stringify((error as APIError).error)).not.toContain('provider-key')
    expect((error as APIError).headers?.get('x-should-retry')).toBe('false')
    expect(counting.calls()).toBe(1)
  })

  test('what is not there yet is refused clearly', async () => {
    const error = await failureOf(client().responses.create({ model: MODELS.openai, input: 'Hello?' }))
    expect(error).toBeInstanceOf(APIError)
    expect(error).toMatchObject({ code: expect.stringMatching(/^(request\.unsupported|route\.unknown)$/) })
  })
})
