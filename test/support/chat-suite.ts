// What the official OpenAI client must find the same, whoever answers: the chat half of its conformance. The
// simulator thinks up the answers, and its directives (`[[sim:...]]`) make it fail.

import type OpenAI from 'openai'
import { expect, test } from 'vitest'
import { PIXEL } from './conformance.js'

export interface ChatSuite {
  readonly model: string
  readonly client: () => OpenAI
}

const ask = (content: string) => [{ role: 'user' as const, content }]
export const failureOf = (promise: Promise<unknown>) =>
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

export function chatSuite({ model, client }: ChatSuite): void {
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
}
