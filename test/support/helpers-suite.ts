// The helpers of the official clients that run several calls, or read an answer into a type: tool runners and
// parsers. They must find the same whoever answers.

import type Anthropic from '@anthropic-ai/sdk'
import { betaTool } from '@anthropic-ai/sdk/helpers/beta/json-schema'
import type OpenAI from 'openai'
import { standardResponseFormat, standardTextFormat } from 'openai/helpers/standard-schema'
import { expect, test } from 'vitest'

export interface HelpersSuite {
  readonly model: string
  readonly openai: () => OpenAI
  readonly anthropic: () => Anthropic
}

const QUESTION = 'Where is order 4711? [[sim:tool=find_order]]'
const PARAMETERS = {
  type: 'object' as const,
  properties: { order_id: { type: 'integer' as const } },
  required: ['order_id'] as const,
  additionalProperties: false as const,
}

interface Mood {
  readonly sentiment: 'calm' | 'high_risk'
}

/** As schema libraries describe themselves to the clients. */
const MOOD = {
  '~standard': {
    version: 1 as const,
    vendor: 'test',
    types: undefined as { readonly input: Mood; readonly output: Mood } | undefined,
    validate: (value: unknown) => ({ value: value as Mood }),
    jsonSchema: {
      input: () => ({
        type: 'object',
        properties: { sentiment: { type: 'string', enum: ['calm', 'high_risk'] } },
        required: ['sentiment'],
        additionalProperties: false,
      }),
    },
  },
}

const TOOL = {
  type: 'function' as const,
  function: {
    name: 'find_order',
    description: 'Finds an order.',
    parameters: { ...PARAMETERS, required: ['order_id'] },
  },
}

export function helpersSuite({ model, openai, anthropic }: HelpersSuite): void {
  test.each([false, true])(
    "OpenAI's tool runner goes on until there is text (stream: %s)",
    async (stream) => {
      const asked: unknown[] = []
      const find = (given: { order_id: number }) => {
        asked.push(given)
        return '{"status":"sent"}'
      }
      const parse = (text: string) => JSON.parse(text) as { order_id: number }
      const tools = [{ ...TOOL, function: { ...TOOL.function, parse, function: find } }]
      const body = { model, messages: [{ role: 'user' as const, content: QUESTION }], tools }
      const { completions } = openai().chat
      const runner = stream ? completions.runTools({ ...body, stream }) : completions.runTools(body)
      expect(await runner.finalContent()).toMatch(/\w/)
      expect(asked[0]).toEqual({ order_id: expect.any(Number) })
    },
  )

  test("OpenAI's parsers read a chat and a response into a type", async () => {
    const messages = [{ role: 'user' as const, content: 'I am furious.' }]
    const response_format = standardResponseFormat(MOOD, 'mood')
    const chat = await openai().chat.completions.parse({ model, messages, response_format })
    expect(['calm', 'high_risk']).toContain(chat.choices[0]?.message.parsed?.sentiment)
    const text = { format: standardTextFormat(MOOD, 'mood') }
    const response = await openai().responses.parse({ model, input: 'I am furious.', text })
    expect(['calm', 'high_risk']).toContain(response.output_parsed?.sentiment)
  })

  // Its runner first asks for a conversation that the provider holds, is refused, and goes on without.
  test.each([false, true])(
    "Anthropic's tool runner goes on until there is text (stream: %s)",
    async (stream) => {
      const asked: unknown[] = []
      const find = betaTool({
        name: 'find_order',
        description: 'Finds an order.',
        inputSchema: PARAMETERS,
        run: (given) => {
          asked.push(given)
          return '{"status":"sent"}'
        },
      })
      const messages = [{ role: 'user' as const, content: QUESTION }]
      const message = await anthropic().beta.messages.toolRunner({
        model,
        max_tokens: 200,
        messages,
        tools: [find],
        stream,
      })
      expect(message.content.some((block) => block.type === 'text' && /\w/.test(block.text))).toBe(true)
      expect(asked[0]).toEqual({ order_id: expect.any(Number) })
    },
  )
}
