// What the formats learned to say of each other's requests beyond text, images and tools.

import { describe, expect, test } from 'vitest'
import { anthropicMessages } from './anthropic-messages.js'
import { openAiChat } from './openai-chat.js'
import { anthropicTool, openAiTool, schema, toAnthropic, toOpenAi } from '../testing/translated-request.js'

const user = (...content: object[]) => ({ messages: [{ role: 'user', content }] })
const closed = { ...schema, additionalProperties: false }
const asked = (json_schema: object) => ({ response_format: { type: 'json_schema', json_schema } })

describe('OpenAI to Anthropic', () => {
  test('a file becomes a document; text comes as text', () => {
    const file = (filename: string, file_data: string) => ({ type: 'file', file: { filename, file_data } })
    const content = [
      file('a.pdf', 'data:application/pdf;base64,JVBERi0='),
      file('b.md', 'data:text/markdown;base64,R3LDvMOfZQ=='),
    ]
    expect(toAnthropic(user(...content))).toMatchObject({
      messages: [
        {
          content: [
            {
              type: 'document',
              title: 'a.pdf',
              source: { type: 'base64', media_type: 'application/pdf', data: 'JVBERi0=' },
            },
            {
              type: 'document',
              title: 'b.md',
              source: { type: 'text', media_type: 'text/plain', data: 'Grüße' },
            },
          ],
        },
      ],
    })
    expect(toAnthropic(user(file('c.zip', 'data:application/zip;base64,AA==')))).toEqual({
      problems: ['messages[0].content[0]'],
    })
  })

  test('a strict schema is asked for in so many words, any other through a tool', () => {
    expect(toAnthropic(asked({ name: 'x', strict: true, schema: closed }))).toMatchObject({
      output_config: { format: { type: 'json_schema', schema: closed } },
    })
    for (const more of [
      { strict: false, schema: closed },
      { strict: true, schema },
      { strict: true, schema: { ...closed, properties: { a: { type: 'number', minimum: 1 } } } },
    ]) {
      expect(toAnthropic(asked({ name: 'x', ...more }))).toMatchObject({
        tools: [{ name: 'spillway_json__x' }],
      })
    }
    const old = { model: 'claude-sonnet-4-20250514', ...asked({ name: 'x', strict: true, schema: closed }) }
    expect(toAnthropic(old)).not.toHaveProperty('output_config')
    const onVertex = { ...old, model: 'claude-sonnet-4-5@20250929' }
    expect(toAnthropic(onVertex)).not.toHaveProperty('output_config')
    expect(toAnthropic(onVertex)).toHaveProperty('tool_choice')
  })

  test('a schema leaves tools and thinking as they are', () => {
    const body = {
      ...asked({ name: 'x', strict: true, schema: closed }),
      tools: [openAiTool],
      reasoning_effort: 'high',
    }
    expect(toAnthropic(body)).toMatchObject({
      tools: [anthropicTool],
      thinking: { type: 'adaptive' },
      output_config: { effort: 'high', format: { type: 'json_schema' } },
    })
  })

  test('strict tools stay strict where the schema allows it', () => {
    const tool = (parameters: object) => ({
      type: 'function',
      function: { name: 'f', strict: true, parameters },
    })
    expect(toAnthropic({ tools: [tool(closed), tool(schema)] })).toMatchObject({
      tools: [{ strict: true }, expect.not.objectContaining({ strict: true })],
    })
  })

  test('allowed tools are the tools there are', () => {
    const other = { type: 'function', function: { name: 'other' } }
    const allow = (mode: string, name: string) => ({
      tools: [openAiTool, other],
      tool_choice: {
        type: 'allowed_tools',
        allowed_tools: { mode, tools: [{ type: 'function', function: { name } }] },
      },
    })
    expect(toAnthropic(allow('required', 'other'))).toMatchObject({
      tools: [{ name: 'other' }],
      tool_choice: { type: 'any' },
    })
    expect(toAnthropic(allow('auto', 'unheard-of'))).toEqual({ problems: ['tool_choice'] })
  })
})

describe('Anthropic to OpenAI', () => {
  test('documents become files, texts become text', () => {
    const pdf = { type: 'base64', media_type: 'application/pdf', data: 'JVBERi0=' }
    const content = [
      { type: 'document', source: pdf, title: 'a.pdf', citations: { enabled: true } },
      { type: 'document', source: pdf },
      { type: 'document', title: 'B', source: { type: 'text', media_type: 'text/plain', data: 'Grüße' } },
      { type: 'document', source: { type: 'content', content: [{ type: 'text', text: 'one' }] } },
    ]
    const file_data = 'data:application/pdf;base64,JVBERi0='
    expect(toOpenAi(user(...content))).toMatchObject({
      messages: [
        {
          content: [
            { type: 'file', file: { filename: 'a.pdf', file_data } },
            { type: 'file', file: { filename: 'document.pdf', file_data } },
            { type: 'text', text: 'B\n\nGrüße' },
            { type: 'text', text: 'one' },
          ],
        },
      ],
    })
  })

  test.each([
    [{ thinking: { type: 'enabled', budget_tokens: 16_000 } }, 'high'],
    [{ thinking: { type: 'adaptive' }, output_config: { effort: 'low' } }, 'low'],
    [{ thinking: { type: 'disabled' } }, 'none'],
    [{ output_config: { effort: 'max' } }, 'xhigh'],
    [{ thinking: { type: 'adaptive' } }, undefined],
  ])('%j is effort %s', (body, effort) => {
    expect((toOpenAi(body) as Record<string, unknown>)['reasoning_effort']).toBe(effort)
  })

  test.each(['gpt-4o', 'openai/gpt-4.1-mini', 'chatgpt-4o-latest', 'gpt-5-chat-latest'])(
    '%s is not asked to reason, because it would refuse',
    (model) => {
      const request = { model, thinking: { type: 'adaptive' }, output_config: { effort: 'low' } }
      expect(toOpenAi(request)).not.toHaveProperty('reasoning_effort')
      expect(toOpenAi({ ...request, model: 'gpt-5.1' })).toHaveProperty('reasoning_effort', 'low')
    },
  )

  test('a schema with optional properties is asked for without the promise, which is told', () => {
    const optional = { ...closed, required: [] }
    const body = {
      tools: [{ name: 'f', strict: true, input_schema: optional }],
      output_config: { format: { type: 'json_schema', schema: optional } },
    }
    expect(toOpenAi(body)).toMatchObject({
      tools: [{ function: { strict: false } }],
      response_format: { json_schema: { strict: false } },
    })
    const decoded = anthropicMessages.decodeRequest({
      model: 'm',
      messages: [{ role: 'user', content: 'Hi' }],
      ...body,
    })
    expect(decoded.kind === 'ok' ? openAiChat.leavesOut(decoded.value) : null).toEqual([
      'json.strict',
      'tools[0].strict',
    ])
  })

  test('an image in an earlier answer has no place', () => {
    const image = { type: 'image', source: { type: 'url', url: 'https://x/y.png' } }
    const messages = [
      { role: 'assistant', content: [image] },
      { role: 'user', content: 'Hi' },
    ]
    expect(toOpenAi({ messages })).toEqual({ problems: ['messages[0].content[0]'] })
  })
})
