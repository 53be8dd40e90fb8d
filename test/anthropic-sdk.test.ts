// The official Anthropic client works by changing its base URL: streaming, tools, vision, counting, models,
// errors. Once where bytes pass through, once where the provider speaks OpenAI's format.

import Anthropic, {
  type APIError,
  AuthenticationError,
  BadRequestError,
  NotFoundError,
  RateLimitError,
} from '@anthropic-ai/sdk'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Conformance, MODELS, SDK_KEY, startConformance } from './support/conformance.js'
import { countingFetch, request } from './support/http.js'
import { detailOf, failureOf, messagesSuite } from './support/messages-suite.js'

type Options = NonNullable<ConstructorParameters<typeof Anthropic>[0]>

let gateway: Conformance
beforeAll(async () => {
  gateway = await startConformance()
})
afterAll(() => gateway.stop())

const client = (options: Options = {}) =>
  new Anthropic({ baseURL: gateway.server.url, apiKey: SDK_KEY, ...options })
const ask = (content: string) => [{ role: 'user' as const, content }]
describe.each([
  ['bytes that pass through', MODELS.anthropic],
  ['a translation to another wire', MODELS.openai],
])('over %s (%s)', (_, model) => {
  messagesSuite({ model, client })
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
