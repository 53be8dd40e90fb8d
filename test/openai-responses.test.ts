// The Responses API with the official client: text, streams, tools, structured output, and conversations
// that are kept by Spillway, whichever provider answers. Once where the provider speaks OpenAI's chat
// format, once where it speaks Anthropic's.

import OpenAI, { APIError, NotFoundError } from 'openai'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { failureOf } from './support/chat-suite.js'
import { type Conformance, MODELS, SDK_KEY, startConformance } from './support/conformance.js'
import { errorOf, request } from './support/http.js'
import { responsesSuite } from './support/responses-suite.js'

let gateway: Conformance
beforeAll(async () => {
  gateway = await startConformance()
})
afterAll(() => gateway.stop())

const client = () => new OpenAI({ baseURL: `${gateway.server.url}/v1`, apiKey: SDK_KEY, maxRetries: 0 })
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
    expect(again).toMatchObject({ id: second.id, object: 'response', status: 'completed' })
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
