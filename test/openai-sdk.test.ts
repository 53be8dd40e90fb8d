// The official OpenAI client works by changing its base URL: streaming, tools, structured output, vision,
// embeddings, models, errors. Once where bytes pass through, once where the provider speaks Anthropic's
// format.

import OpenAI, { APIError, AuthenticationError, BadRequestError, NotFoundError, RateLimitError } from 'openai'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { chatSuite } from './support/chat-suite.js'
import { type Conformance, MODELS, SDK_KEY, startConformance } from './support/conformance.js'
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

describe.each([
  ['bytes that pass through', MODELS.openai],
  ['a translation to another wire', MODELS.anthropic],
])('over %s (%s)', (_, model) => {
  chatSuite({ model, client })
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
    const error = await failureOf(client().moderations.create({ input: 'Hello?' }))
    expect(error).toBeInstanceOf(APIError)
    expect(error).toMatchObject({ code: expect.stringMatching(/^(request\.unsupported|route\.unknown)$/) })
  })
})
