import Anthropic from '@anthropic-ai/sdk'
import OpenAI from 'openai'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createLiveSystem } from '../../system/live-system.js'
import { type SimServer, startSimServer } from './sim-server.js'
import { QUESTION, simulationWith } from '../../../testing/simulation-examples.js'

const SCHEMA = {
  type: 'object',
  properties: {
    reply: { type: 'string' },
    sentiment: { type: 'string', enum: ['calm', 'angry'] },
    confidence: { type: 'number', minimum: 0, maximum: 1 },
  },
  required: ['reply', 'sentiment', 'confidence'],
  additionalProperties: false,
}
const PARAMETERS = {
  type: 'object' as const,
  properties: { order_id: { type: 'integer' }, reason: { type: 'string' } },
  required: ['order_id', 'reason'],
}

let server: SimServer
let openai: OpenAI
let anthropic: Anthropic

beforeAll(async () => {
  server = await startSimServer({ port: 0, simulation: simulationWith(), system: createLiveSystem() })
  openai = new OpenAI({ apiKey: 'sk-test', baseURL: `${server.url}/v1`, maxRetries: 0 })
  anthropic = new Anthropic({ apiKey: 'sk-ant-test', baseURL: server.url, maxRetries: 0 })
})
afterAll(() => server.close())

const chat = { model: 'gpt-4o-mini', messages: [{ role: 'user' as const, content: QUESTION }] }
const message = { model: 'claude-3-5-sonnet', max_tokens: 200, messages: chat.messages }

describe('the openai client', () => {
  test('gets a completion with usage', async () => {
    const answer = await openai.chat.completions.create(chat)
    expect(answer).toMatchObject({ object: 'chat.completion', model: 'gpt-4o-mini' })
    expect(answer.choices[0]).toMatchObject({
      index: 0,
      finish_reason: 'stop',
      message: { role: 'assistant' },
    })
    const bytes = Buffer.byteLength(QUESTION)
    expect(answer.usage).toMatchObject({ prompt_tokens: Math.ceil(bytes / 4), completion_tokens: 48 })
    expect(answer.usage?.total_tokens).toBe(48 + Math.ceil(bytes / 4))
  })

  test('streams the same text, one token a chunk, usage only when asked', async () => {
    const question = {
      ...chat,
      messages: [{ role: 'user' as const, content: 'streamed or not' }],
      temperature: 0,
    }
    const whole = await openai.chat.completions.create(question)
    for (const asked of [true, false]) {
      const options = { include_usage: asked }
      const stream = await openai.chat.completions.create({
        ...question,
        stream: true,
        stream_options: options,
      })
      const chunks: OpenAI.ChatCompletionChunk[] = []
      for await (const chunk of stream) chunks.push(chunk)
      const texts = chunks.map((chunk) => chunk.choices[0]?.delta.content ?? '')
      expect(texts.join('')).toBe(whole.choices[0]?.message.content)
      expect(texts.filter((text) => text !== '')).toHaveLength(48)
      expect(new Set(chunks.map((chunk) => chunk.id)).size).toBe(1)
      expect(chunks.filter((chunk) => chunk.choices.length === 0)).toHaveLength(asked ? 1 : 0)
      expect(chunks.filter((chunk) => chunk.usage)).toHaveLength(asked ? 1 : 0)
      expect(chunks.at(-1)?.usage ?? null).toEqual(asked ? whole.usage : null)
      const finished = chunks.filter((chunk) => chunk.choices[0]?.finish_reason)
      expect(finished.map((chunk) => chunk.choices[0]?.finish_reason)).toEqual(['stop'])
    }
  })

  test('gets log probabilities, n choices and a limit', async () => {
    const answer = await openai.chat.completions.create({
      ...chat,
      logprobs: true,
      top_logprobs: 3,
      n: 3,
      max_tokens: 5,
    })
    expect(answer.choices.map((choice) => choice.index)).toEqual([0, 1, 2])
    expect(answer.usage?.completion_tokens).toBe(15)
    for (const choice of answer.choices) {
      expect(choice.finish_reason).toBe('length')
      const content = choice.logprobs?.content ?? []
      expect(content.map((token) => token.token).join('')).toBe(choice.message.content)
      for (const token of content) {
        expect(token.top_logprobs).toHaveLength(3)
        expect(Buffer.from(token.bytes ?? []).toString('utf8')).toBe(token.token)
        const total = token.top_logprobs.reduce((sum, top) => sum + Math.exp(top.logprob), 0)
        expect(total).toBeLessThanOrEqual(1 + 1e-6)
      }
    }
  })

  test('gets tool calls, whole and streamed, and then an answer to their result', async () => {
    const tools = [{ type: 'function' as const, function: { name: 'refund', parameters: PARAMETERS } }]
    const forced = { ...chat, tools, tool_choice: 'required' as const, parallel_tool_calls: false }
    const whole = await openai.chat.completions.create(forced)
    const call = whole.choices[0]?.message.tool_calls?.[0]
    if (call?.type !== 'function') throw new Error('no call')
    expect(whole.choices[0]).toMatchObject({ finish_reason: 'tool_calls', message: { content: null } })
    const input: unknown = JSON.parse(call.function.arguments)
    expect(input).toEqual({ order_id: expect.any(Number), reason: expect.any(String) })

    const streamed = await openai.chat.completions.stream(forced).finalChatCompletion()
    expect(streamed.choices[0]?.message.tool_calls?.[0]).toMatchObject({ function: { name: 'refund' } })

    const reply = await openai.chat.completions.create({
      ...forced,
      messages: [
        ...chat.messages,
        whole.choices[0]?.message ?? { role: 'assistant', content: '' },
        { role: 'tool', tool_call_id: call.id, content: '{"ok":true}' },
      ],
    })
    expect(reply.choices[0]).toMatchObject({
      finish_reason: 'stop',
      message: { content: expect.any(String) },
    })
  })

  test('gets an answer of its JSON schema', async () => {
    const format = {
      type: 'json_schema' as const,
      json_schema: { name: 'reply', strict: true, schema: SCHEMA },
    }
    const answer = await openai.chat.completions.parse({ ...chat, response_format: format })
    expect(JSON.parse(answer.choices[0]?.message.content ?? '')).toEqual({
      reply: expect.any(String),
      sentiment: expect.stringMatching(/^(calm|angry)$/),
      confidence: expect.any(Number),
    })
    const loose = await openai.chat.completions.create({ ...chat, response_format: { type: 'json_object' } })
    expect(JSON.parse(loose.choices[0]?.message.content ?? '')).toMatchObject({ answer: expect.any(String) })
  })

  test('gets embeddings, as floats and as the base64 it asks for by itself', async () => {
    const input = [
      'My card has not arrived',
      'my card has not arrived yet',
      'Completely different words here',
    ]
    const coded = await openai.embeddings.create({ model: 'text-embedding-3-small', input })
    const plain = await openai.embeddings.create({
      model: 'text-embedding-3-small',
      input,
      encoding_format: 'float',
    })
    expect(coded.data.map((each) => each.embedding)).toEqual(plain.data.map((each) => each.embedding))
    const [a, b, c] = plain.data.map((each) => each.embedding)
    if (a === undefined || b === undefined || c === undefined) throw new Error('no vectors')
    const dot = (left: number[], right: number[]): number =>
      left.reduce((sum, value, i) => sum + value * (right[i] ?? 0), 0)
    expect(a).toHaveLength(1536)
    expect(dot(a, a)).toBeCloseTo(1, 5)
    expect(dot(a, b)).toBeGreaterThan(0.8)
    expect(dot(a, c)).toBeLessThan(0.3)
    const short = await openai.embeddings.create({ model: 'm', input: 'x', dimensions: 16 })
    expect(short.data[0]?.embedding).toHaveLength(16)
  })

  test('lists and finds models', async () => {
    const ids = (await openai.models.list()).data.map((model) => model.id)
    expect(ids).toContain('gpt-4o-mini')
    expect(await openai.models.retrieve('gpt-4o-mini')).toMatchObject({ id: 'gpt-4o-mini', object: 'model' })
    await expect(openai.models.retrieve('nothing')).rejects.toBeInstanceOf(OpenAI.NotFoundError)
  })

  test.each([
    ['error=500', OpenAI.InternalServerError, 500],
    ['status=503', OpenAI.InternalServerError, 503],
    ['status=429; retry_after=2', OpenAI.RateLimitError, 429],
    ['status=401', OpenAI.AuthenticationError, 401],
    ['status=404', OpenAI.NotFoundError, 404],
  ] as const)('maps "%s" to its own error', async (orders, kind, status) => {
    const failing = openai.chat.completions.create(chat, { headers: { 'x-sim': orders } })
    await expect(failing).rejects.toBeInstanceOf(kind)
    await expect(failing).rejects.toMatchObject({ status, error: { message: expect.any(String) } })
  })

  test('says what is wrong with a request', async () => {
    const wrong = openai.chat.completions.create({ model: 'm', messages: [] })
    await expect(wrong).rejects.toMatchObject({
      status: 400,
      param: 'messages',
      type: 'invalid_request_error',
    })
    await expect(openai.embeddings.create({ model: 'm', input: '' })).rejects.toMatchObject({ status: 400 })
  })

  test('fails in the middle of streams as on the wire', async () => {
    const read = async (orders: string): Promise<string> => {
      let text = ''
      const stream = await openai.chat.completions.create(
        { ...chat, stream: true },
        { headers: { 'x-sim': orders } },
      )
      for await (const chunk of stream) text += chunk.choices[0]?.delta.content ?? ''
      return text
    }
    await expect(read('broken_after=3')).rejects.toThrow(/terminated/)
    await expect(read('in_band_error=3')).rejects.toThrow(/server had an error/)
  })
})

describe('the anthropic client', () => {
  test('gets a message with usage', async () => {
    const answer = await anthropic.messages.create(message)
    expect(answer).toMatchObject({
      type: 'message',
      role: 'assistant',
      stop_reason: 'end_turn',
      stop_sequence: null,
    })
    expect(answer.content).toEqual([{ type: 'text', text: expect.any(String) }])
    expect(answer.usage).toMatchObject({
      input_tokens: Math.ceil(Buffer.byteLength(QUESTION) / 4),
      output_tokens: 48,
    })
  })

  test('streams the same message, events in order', async () => {
    const question = { ...message, temperature: 0 }
    const whole = await anthropic.messages.create(question)
    const stream = anthropic.messages.stream(question)
    const kinds: string[] = []
    stream.on('streamEvent', (event) => kinds.push(event.type))
    const streamed = await stream.finalMessage()
    expect(streamed.content).toEqual(whole.content)
    expect(streamed.usage).toMatchObject(whole.usage)
    const deltas = Array.from({ length: 48 }, () => 'content_block_delta')
    const end = ['content_block_stop', 'message_delta', 'message_stop']
    expect(kinds).toEqual(['message_start', 'content_block_start', ...deltas, ...end])
  })

  test('gets tool calls, whole and streamed', async () => {
    const tools = [{ name: 'refund', input_schema: PARAMETERS }]
    const forced = {
      ...message,
      tools,
      tool_choice: { type: 'tool' as const, name: 'refund' },
      temperature: 0,
    }
    const whole = await anthropic.messages.create(forced)
    expect(whole.stop_reason).toBe('tool_use')
    const input = { order_id: expect.any(Number) as number, reason: expect.any(String) as string }
    expect(whole.content).toEqual([
      { type: 'tool_use', id: expect.stringMatching(/^toolu_/), name: 'refund', input },
    ])
    const streamed = await anthropic.messages.stream(forced).finalMessage()
    expect(streamed.content[0]).toMatchObject({ type: 'tool_use', name: 'refund', input })
  })

  test('gets limits, stop sequences and structured output', async () => {
    const cut = await anthropic.messages.create({ ...message, max_tokens: 5 })
    expect(cut).toMatchObject({ stop_reason: 'max_tokens', usage: { output_tokens: 5 } })
    const stopped = await anthropic.messages.create({ ...message, stop_sequences: [' '] })
    expect(stopped).toMatchObject({ stop_reason: 'stop_sequence', stop_sequence: ' ' })
    const format = { type: 'json_schema' as const, schema: SCHEMA }
    const json = await anthropic.messages.create({ ...message, output_config: { format } })
    const [block] = json.content
    if (block?.type !== 'text') throw new Error('no text')
    expect(Object.keys(JSON.parse(block.text) as object).sort()).toEqual(['confidence', 'reply', 'sentiment'])
  })

  test('counts tokens as the answer reports them', async () => {
    const { max_tokens: _, ...counted } = { ...message, system: 'Be brief.' }
    const count = await anthropic.messages.countTokens(counted)
    const answer = await anthropic.messages.create({ ...message, system: 'Be brief.' })
    expect(count.input_tokens).toBe(answer.usage.input_tokens)
  })

  test('lists and finds models', async () => {
    const page = await anthropic.models.list()
    expect(page.data[0]).toMatchObject({
      type: 'model',
      id: expect.any(String),
      created_at: '2025-01-01T00:00:00Z',
    })
    expect(await anthropic.models.retrieve('claude-3-5-sonnet')).toMatchObject({ id: 'claude-3-5-sonnet' })
  })

  test.each([
    ['error=500', Anthropic.InternalServerError, 'api_error'],
    ['status=529', Anthropic.InternalServerError, 'overloaded_error'],
    ['status=429', Anthropic.RateLimitError, 'rate_limit_error'],
    ['status=403', Anthropic.PermissionDeniedError, 'permission_error'],
  ] as const)('maps "%s" to its own error', async (orders, kind, type) => {
    const failing = anthropic.messages.create(message, { headers: { 'x-sim': orders } })
    await expect(failing).rejects.toBeInstanceOf(kind)
    await expect(failing).rejects.toMatchObject({ error: { type: 'error', error: { type } } })
  })

  test('says what is wrong with a request', async () => {
    const wrong = anthropic.messages.create({ ...message, max_tokens: 0 })
    await expect(wrong).rejects.toMatchObject({
      status: 400,
      error: { error: { type: 'invalid_request_error' } },
    })
  })

  test('fails in the middle of streams as on the wire', async () => {
    const read = (orders: string) =>
      anthropic.messages.stream(message, { headers: { 'x-sim': orders } }).finalMessage()
    await expect(read('broken_after=3')).rejects.toThrow(/terminated/)
    await expect(read('in_band_error=3')).rejects.toThrow(/Overloaded/)
  })
})

test('any key is accepted, none is refused as the provider would', async () => {
  const post = (path: string) => fetch(server.url + path, { method: 'POST', body: '{}' })
  const openaiAnswer = await post('/v1/chat/completions')
  expect(openaiAnswer.status).toBe(401)
  expect(await openaiAnswer.json()).toMatchObject({ error: { type: 'invalid_request_error' } })
  const anthropicAnswer = await post('/v1/messages')
  expect(anthropicAnswer.status).toBe(401)
  expect(await anthropicAnswer.json()).toMatchObject({
    type: 'error',
    error: { type: 'authentication_error' },
  })
  expect((await post('/v1/responses')).status).toBe(401)
  expect((await post('/v1/completions')).status).toBe(404)
})

test('every answer says that it is simulated', async () => {
  const { response } = await openai.chat.completions.create(chat).withResponse()
  expect(response.headers.get('x-spillway-simulated')).toBe('true')
  const headers = { 'x-sim': 'error=500' }
  const failed = await openai.chat.completions.create(chat, { headers }).catch((error: unknown) => error)
  expect(failed).toMatchObject({ headers: expect.any(Headers) })
  expect((failed as { headers: Headers }).headers.get('x-spillway-simulated')).toBe('true')
})
