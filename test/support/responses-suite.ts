// What the official OpenAI client must find the same through the Responses API, whoever answers.

import type OpenAI from 'openai'
import { expect, test } from 'vitest'
import { failureOf } from './chat-suite.js'
import { PIXEL } from './conformance.js'

export interface ResponsesSuite {
  readonly model: string
  readonly client: () => OpenAI
}

export const FIND_ORDER: OpenAI.Responses.FunctionTool = {
  type: 'function',
  name: 'find_order',
  description: 'Finds an order by its number.',
  strict: true,
  parameters: {
    type: 'object',
    properties: { order_id: { type: 'integer' } },
    required: ['order_id'],
    additionalProperties: false,
  },
}

export function responsesSuite({ model, client }: ResponsesSuite): void {
  test('a response has text, status and usage', async () => {
    const response = await client().responses.create({ model, input: 'Where is my order?' })
    expect(response).toMatchObject({ object: 'response', status: 'completed', error: null })
    expect(response.id).toMatch(/\w/)
    expect(response.output_text).toMatch(/\w/)
    const { input_tokens: input = 0, output_tokens: output = 0, total_tokens: total } = response.usage ?? {}
    expect([input > 0, output > 0, total]).toEqual([true, true, input + output])
    expect(response).toMatchObject({ spillway: { cost_usd: expect.any(Number) } })
  })

  test('a limit on output leaves it incomplete, and says why', async () => {
    const response = await client().responses.create({ model, input: 'Tell me all.', max_output_tokens: 16 })
    expect(response).toMatchObject({
      status: 'incomplete',
      incomplete_details: { reason: 'max_output_tokens' },
    })
  })

  test("the client's own stream helper puts the response together", async () => {
    const stream = client().responses.stream({ model, input: 'Where is my order?' })
    const types: string[] = []
    let text = ''
    let sequence = -1
    for await (const event of stream) {
      types.push(event.type)
      expect(event.sequence_number).toBeGreaterThan(sequence)
      sequence = event.sequence_number
      if (event.type === 'response.output_text.delta') text += event.delta
    }
    const final = await stream.finalResponse()
    expect(types[0]).toBe('response.created')
    expect(types.at(-1)).toBe('response.completed')
    expect(final.output_text).toBe(text)
    expect(text).toMatch(/\w/)
    expect(final.usage?.output_tokens).toBeGreaterThan(0)
  })

  test('a tool is called, and its result is answered by naming the response before', async () => {
    const called = await client().responses.create({
      model,
      input: 'Where is order 4711?',
      tools: [FIND_ORDER],
      tool_choice: { type: 'function', name: 'find_order' },
    })
    const call = called.output.find((item) => item.type === 'function_call')
    if (call === undefined) throw new Error('no tool was called')
    expect(JSON.parse(call.arguments)).toEqual({ order_id: expect.any(Number) })
    const answered = await client().responses.create({
      model,
      previous_response_id: called.id,
      tools: [FIND_ORDER],
      input: [{ type: 'function_call_output', call_id: call.call_id, output: '{"status":"sent"}' }],
    })
    expect(answered.output_text).toMatch(/\w/)
    expect(answered.usage?.input_tokens).toBeGreaterThan(called.usage?.input_tokens ?? 0)
  })

  test('structured output follows its schema', async () => {
    const schema = {
      type: 'object',
      properties: { sentiment: { type: 'string', enum: ['calm', 'high_risk'] } },
      required: ['sentiment'],
      additionalProperties: false,
    }
    const response = await client().responses.create({
      model,
      input: 'I am furious.',
      text: { format: { type: 'json_schema', name: 'mood', strict: true, schema } },
    })
    expect(['calm', 'high_risk']).toContain(
      (JSON.parse(response.output_text) as { sentiment: string }).sentiment,
    )
  })

  test('a picture may be part of the question', async () => {
    const image = { type: 'input_image' as const, detail: 'auto' as const }
    const response = await client().responses.create({
      model,
      input: [
        {
          role: 'user',
          content: [
            { type: 'input_text', text: 'What is wrong with this parcel?' },
            { ...image, image_url: `data:image/png;base64,${PIXEL}` },
          ],
        },
      ],
    })
    expect(response.output_text).toMatch(/\w/)
  })

  test('a provider that breaks off is an error in the stream, never a short answer', async () => {
    const input = 'Where is it? [[sim:broken_after=3]]'
    const stream = await client().responses.create({ model, input, stream: true })
    const types: string[] = []
    const reading = (async () => {
      for await (const event of stream) types.push(event.type)
    })()
    await failureOf(reading)
    expect(types).not.toContain('response.completed')
  })
}
