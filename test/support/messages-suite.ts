// What the official Anthropic client must find the same, whoever answers. The simulator thinks up the answers,
// and its directives (`[[sim:...]]`) make it fail.

import type Anthropic from '@anthropic-ai/sdk'
import { APIError } from '@anthropic-ai/sdk'
import { expect, test } from 'vitest'
import { PIXEL } from './conformance.js'

export interface MessagesSuite {
  readonly model: string
  readonly client: () => Anthropic
}

const ask = (content: string) => [{ role: 'user' as const, content }]
export const failureOf = (promise: Promise<unknown>) =>
  promise.then(
    () => null,
    (error: unknown) => error,
  )
const textOf = ({ content }: Anthropic.Message) =>
  content.map((block) => (block.type === 'text' ? block.text : '')).join('')
/** The refusal inside an Anthropic-shaped body, as the client keeps it. */
export const detailOf = (error: unknown) =>
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

export function messagesSuite({ model, client }: MessagesSuite): void {
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
}
