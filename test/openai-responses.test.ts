// The Responses API with the official client: text, streams, tools, structured output, and conversations
// that are kept by Spillway, whichever provider answers. Once where the provider speaks OpenAI's chat
// format, once where it speaks Anthropic's.

import OpenAI, { APIError, NotFoundError } from 'openai'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { failureOf } from './support/chat-suite.js'
import {
  type Conformance,
  MODELS,
  OTHER_KEY,
  SDK_KEY,
  conformanceConfig,
  startConformance,
} from './support/conformance.js'
import { errorOf, request } from './support/http.js'
import { FIND_ORDER, responsesSuite } from './support/responses-suite.js'
import { startServer } from './support/server.js'

let gateway: Conformance
beforeAll(async () => {
  gateway = await startConformance()
})
afterAll(() => gateway.stop())

const clientOf = (url: string, apiKey = SDK_KEY) =>
  new OpenAI({ baseURL: `${url}/v1`, apiKey, maxRetries: 0 })
const client = () => clientOf(gateway.server.url)
describe.each([
  ['OpenAI chat', MODELS.openai],
  ['Anthropic', MODELS.anthropic],
])('answered by a provider that speaks %s (%s)', (_, model) => {
  responsesSuite({ model, client })
})

describe('what is kept', () => {
  const model = MODELS.openai

  test('a response can be looked at, its input listed, and it can be deleted', async () => {
    const { responses } = client()
    const first = await responses.create({ model, input: 'My name is Ann.' })
    const second = await responses.create({
      model,
      input: 'What is my name?',
      previous_response_id: first.id,
    })
    const again = await responses.retrieve(second.id)
    expect(again).toMatchObject({ id: second.id, object: 'response', status: 'completed', store: true })
    expect(again.previous_response_id).toBe(first.id)
    expect(again.output_text).toBe(second.output_text)
    const listed = await responses.inputItems.list(second.id, { order: 'asc' })
    expect(listed.data.map((item) => item.type)).toEqual(['message', 'message', 'message'])
    expect(JSON.stringify(listed.data)).toContain('My name is Ann.')
    await responses.delete(second.id)
    expect(await failureOf(responses.retrieve(second.id))).toBeInstanceOf(NotFoundError)
  })

  test('a streamed response is kept as well', async () => {
    const stream = client().responses.stream({ model, input: 'Remember the number 4711.' })
    const { id, output_text: text } = await stream.finalResponse()
    expect((await client().responses.retrieve(id)).output_text).toBe(text)
  })

  test('what was sent with store false is not', async () => {
    const { id } = await client().responses.create({ model, input: 'Forget me.', store: false })
    const gone = failureOf(client().responses.retrieve(id))
    expect(await gone).toMatchObject({ status: 404, code: 'response.unknown' })
    const next = client().responses.create({ model, input: 'And?', previous_response_id: id })
    expect(await failureOf(next)).toMatchObject({ status: 404, code: 'response.unknown' })
  })

  test('is not there for another tenant: neither to look at, nor to go on from, nor to delete', async () => {
    const { id } = await client().responses.create({ model, input: 'A secret of acme.' })
    const { responses } = clientOf(gateway.server.url, OTHER_KEY)
    const unknown = { status: 404, code: 'response.unknown' }
    expect(await failureOf(responses.retrieve(id))).toMatchObject(unknown)
    expect(await failureOf(responses.inputItems.list(id))).toMatchObject(unknown)
    expect(await failureOf(responses.delete(id))).toMatchObject(unknown)
    const next = responses.create({ model, input: 'And?', previous_response_id: id })
    expect(await failureOf(next)).toMatchObject(unknown)
    expect((await client().responses.retrieve(id)).id).toBe(id)
  })

  test('is still there after kill -9 right behind the answer, whole or streamed', async () => {
    const config = conformanceConfig(gateway.simUrl)
    const first = await startServer({ config })
    const question = { model, input: 'My name is Ann.' }
    const whole = await clientOf(first.url).responses.create(question)
    const next = { model, input: 'What is my name?', previous_response_id: whole.id }
    const streamed = await clientOf(first.url).responses.stream(next).finalResponse()
    await first.kill()
    await using again = await startServer({ config, dir: first.dir })
    const { responses } = clientOf(again.url)
    expect((await responses.retrieve(streamed.id)).output_text).toBe(streamed.output_text)
    const third = await responses.create({
      model,
      input: 'Are you sure?',
      previous_response_id: streamed.id,
    })
    expect(third.usage?.input_tokens).toBeGreaterThan(streamed.usage?.input_tokens ?? Infinity)
    const listed = await responses.inputItems.list(third.id, { order: 'asc' })
    expect(listed.data.map((item) => item.type === 'message' && item.role)).toEqual([
      'user',
      'assistant',
      'user',
      'assistant',
      'user',
    ])
    await again.stop()
    await first.stop()
  })

  test.each([
    [MODELS.anthropic, MODELS.openai],
    [MODELS.openai, MODELS.anthropic],
  ])('a conversation begun at %s goes on at %s, calls included, as if it had been there', async (at, to) => {
    const { responses } = client()
    const tools = { tools: [FIND_ORDER], tool_choice: 'required' as const, parallel_tool_calls: false }
    const asked = { role: 'user' as const, content: 'Where is order 4711?' }
    const called = await responses.create({ model: at, input: [asked], ...tools })
    const [call] = called.output
    if (call?.type !== 'function_call') throw new Error('no tool was called')
    const { name, arguments: given, call_id: callId } = call
    const result = { type: 'function_call_output' as const, call_id: callId, output: '{"status":"sent"}' }
    const thanks = { role: 'user' as const, content: 'Thank you. When does it arrive?' }
    const told = await responses.create({
      model: to,
      input: [result],
      tools: [FIND_ORDER],
      previous_response_id: called.id,
    })
    const goesOn = { tools: [FIND_ORDER], tool_choice: 'none' as const, temperature: 0 }
    const followed = await responses.create({
      ...goesOn,
      model: at,
      input: [thanks],
      previous_response_id: told.id,
    })
    const atOnce = await responses.create({
      ...goesOn,
      model: at,
      input: [
        asked,
        { type: 'function_call', call_id: callId, name, arguments: given },
        result,
        { role: 'assistant', content: told.output_text },
        thanks,
      ],
      store: false,
    })
    expect(told.output_text).toMatch(/\w/)
    expect(followed.output_text).toBe(atOnce.output_text)
    expect(followed.usage).toEqual(atOnce.usage)
  })

  test.each([
    ['background', { background: true }],
    ['conversation', { conversation: 'conv_1' }],
  ])('%s is refused by name', async (field, more) => {
    const headers = { authorization: `Bearer ${SDK_KEY}` }
    const body = { model, input: 'Hello?', ...more }
    const answered = await request(`${gateway.server.url}/v1/responses`, { headers, body })
    expect([answered.status, errorOf(answered)['code']]).toEqual([501, 'request.unsupported'])
    expect(String(errorOf(answered)['message'])).toContain(field)
  })

  test('an unknown model is told as for every other route', async () => {
    const error = await failureOf(client().responses.create({ model: 'gpt-9', input: 'Hello?' }))
    expect(error).toBeInstanceOf(APIError)
    expect(error).toMatchObject({ status: 404, code: 'model.unknown' })
  })
})
