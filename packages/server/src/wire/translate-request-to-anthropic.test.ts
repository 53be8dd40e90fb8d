// OpenAI requests for Anthropic: what is kept, and what is refused by name.

import { describe, expect, test } from 'vitest'
import { anthropicMessages } from './anthropic-messages.js'
import {
  anthropicTool,
  call,
  openAiTool,
  schema,
  toAnthropic,
  translate,
  use,
} from '../testing/translated-request.js'
import { openAiChat } from './openai-chat.js'

describe('OpenAI to Anthropic', () => {
  test('system and developer messages become the system, in order', () => {
    const messages = [
      { role: 'system', content: 'A' },
      { role: 'developer', content: [{ type: 'text', text: 'B' }] },
      { role: 'user', content: 'Hi' },
    ]
    expect(toAnthropic({ messages })).toMatchObject({
      system: [
        { type: 'text', text: 'A' },
        { type: 'text', text: 'B' },
      ],
      messages: [{ role: 'user', content: [{ type: 'text', text: 'Hi' }] }],
      max_tokens: 100,
    })
  })

  test('images come as base64 or by URL', () => {
    const content = [
      { type: 'image_url', image_url: { url: 'data:image/png;base64,iVBORw0K', detail: 'high' } },
      { type: 'image_url', image_url: { url: 'https://example.com/a.jpg' } },
    ]
    expect(toAnthropic({ messages: [{ role: 'user', content }] })).toMatchObject({
      messages: [
        {
          content: [
            { type: 'image', source: { type: 'base64', media_type: 'image/png', data: 'iVBORw0K' } },
            { type: 'image', source: { type: 'url', url: 'https://example.com/a.jpg' } },
          ],
        },
      ],
    })
  })

  test('parallel calls and their results: one user message, results first, arguments as objects', () => {
    const messages = [
      { role: 'user', content: 'Weather?' },
      {
        role: 'assistant',
        content: 'Looking.',
        tool_calls: [call('call_1', 'Paris'), call('call_2', 'Rome')],
      },
      { role: 'tool', tool_call_id: 'call_1', content: 'sun' },
      { role: 'tool', tool_call_id: 'call_2', content: [{ type: 'text', text: 'rain' }] },
      { role: 'user', content: 'And now?' },
    ]
    expect(toAnthropic({ messages, tools: [openAiTool] })).toMatchObject({
      tools: [anthropicTool],
      messages: [
        { role: 'user', content: [{ type: 'text', text: 'Weather?' }] },
        {
          role: 'assistant',
          content: [{ type: 'text', text: 'Looking.' }, use('call_1', 'Paris'), use('call_2', 'Rome')],
        },
        {
          role: 'user',
          content: [
            { type: 'tool_result', tool_use_id: 'call_1', content: [{ type: 'text', text: 'sun' }] },
            { type: 'tool_result', tool_use_id: 'call_2', content: [{ type: 'text', text: 'rain' }] },
            { type: 'text', text: 'And now?' },
          ],
        },
      ],
    })
  })

  test.each([
    [{ tool_choice: 'auto' }, { type: 'auto' }],
    [{ tool_choice: 'none' }, { type: 'none' }],
    [{ tool_choice: 'required' }, { type: 'any' }],
    [
      { tool_choice: { type: 'function', function: { name: 'get_weather' } } },
      { type: 'tool', name: 'get_weather' },
    ],
    [
      { tool_choice: 'required', parallel_tool_calls: false },
      { type: 'any', disable_parallel_tool_use: true },
    ],
    [{ parallel_tool_calls: false }, { type: 'auto', disable_parallel_tool_use: true }],
    [{}, undefined],
  ])('tool choice %j is %j', (choice, expected) => {
    expect(
      (toAnthropic({ tools: [openAiTool], ...choice }) as Record<string, unknown>)['tool_choice'],
    ).toEqual(expected)
  })

  test('a field named like a part of every object is refused like any other', () => {
    for (const field of ['__proto__', 'constructor', 'toString']) {
      const body: unknown = JSON.parse(
        `{"model":"m","messages":[{"role":"user","content":"Hi"}],"${field}":1}`,
      )
      expect(openAiChat.decodeRequest(body)).toMatchObject({ problems: [{ at: field }] })
    }
  })

  test('limits and sampling keep their meaning', () => {
    const body = {
      max_completion_tokens: 50,
      temperature: 1,
      top_p: 0.5,
      stop: 'END',
      user: 'u',
      stream: true,
      seed: 3,
      metadata: { a: 'b' },
    }
    expect(toAnthropic(body)).toEqual({
      model: 'm',
      max_tokens: 50,
      messages: [{ role: 'user', content: [{ type: 'text', text: 'Hi' }] }],
      temperature: 1,
      top_p: 0.5,
      stop_sequences: ['END'],
      metadata: { user_id: 'u' },
      stream: true,
    })
  })

  test('a schema becomes one forced tool named after it', () => {
    const response_format = {
      type: 'json_schema',
      json_schema: { name: 'weather report', schema, strict: true },
    }
    expect(toAnthropic({ response_format })).toMatchObject({
      tools: [{ name: 'spillway_json__weather_report', input_schema: schema }],
      tool_choice: { type: 'tool', name: 'spillway_json__weather_report', disable_parallel_tool_use: true },
    })
    expect(toAnthropic({ response_format: { type: 'json_object' } })).toMatchObject({
      tools: [{ name: 'spillway_json__answer', input_schema: { type: 'object' } }],
    })
  })

  test('a schema beside tools lets the model choose between them, and must give way to a demanded tool', () => {
    const response_format = { type: 'json_object' }
    expect(toAnthropic({ response_format, tools: [openAiTool] })).toMatchObject({
      tool_choice: { type: 'any' },
      tools: [{ name: 'get_weather' }, { name: 'spillway_json__answer' }],
    })
    expect(toAnthropic({ response_format, tools: [openAiTool], tool_choice: 'none' })).toMatchObject({
      tool_choice: { type: 'tool', name: 'spillway_json__answer' },
    })
    expect(toAnthropic({ response_format, tools: [openAiTool], tool_choice: 'required' })).toMatchObject({
      tools: [{ name: 'get_weather' }],
    })
  })

  test('a result directly follows its call, whatever was said in between', () => {
    const messages = [
      { role: 'assistant', content: null, tool_calls: [call('call_1', 'Paris')] },
      { role: 'user', content: 'Hurry.' },
      { role: 'tool', tool_call_id: 'call_1', content: 'sun' },
    ]
    expect(toAnthropic({ messages })).toMatchObject({
      messages: [
        { content: [use('call_1', 'Paris')] },
        { content: [{ type: 'tool_result' }, { text: 'Hurry.' }] },
      ],
    })
  })

  test('ids that the format does not allow change alike in call and result', () => {
    const messages = [
      { role: 'assistant', content: null, tool_calls: [call('call:1.a', 'Paris')] },
      { role: 'tool', tool_call_id: 'call:1.a', content: 'sun' },
    ]
    expect(toAnthropic({ messages })).toMatchObject({
      messages: [{ content: [{ id: 'call_1_a' }] }, { content: [{ tool_use_id: 'call_1_a' }] }],
    })
  })

  test('reasoning of earlier turns without a signature, and messages that say nothing, are left out', () => {
    const messages = [
      { role: 'user', content: 'Hi' },
      { role: 'assistant', content: '', reasoning_content: 'hm' },
      { role: 'user', content: 'There?' },
    ]
    expect(toAnthropic({ messages })).toMatchObject({
      messages: [{ role: 'user', content: [{ text: 'Hi' }, { text: 'There?' }] }],
    })
  })

  test.each([
    [{ n: 2 }, 'n'],
    [{ logprobs: true }, 'logprobs'],
    [{ top_logprobs: 3 }, 'top_logprobs'],
    [{ logit_bias: { 50256: -100 } }, 'logit_bias'],
    [{ frequency_penalty: 0.5 }, 'frequency_penalty'],
    [{ presence_penalty: 1 }, 'presence_penalty'],
    [{ modalities: ['text', 'audio'] }, 'modalities'],
    [{ audio: { voice: 'alloy', format: 'wav' } }, 'audio'],
    [{ functions: [{ name: 'f' }] }, 'functions'],
    [{ function_call: 'auto' }, 'function_call'],
    [{ web_search_options: {} }, 'web_search_options'],
    [{ brand_new: 1 }, 'brand_new'],
    [{ temperature: 1.2 }, 'temperature'],
    [{ stop: [' '] }, 'stop'],
    [{ tools: [{ type: 'custom', custom: { name: 'c' } }] }, 'tools[0].type'],
    [{ tool_choice: { type: 'allowed_tools', allowed_tools: {} } }, 'tool_choice'],
    [{ tools: [{ type: 'function', function: { name: 'spillway_json__x' } }] }, 'tools[0].name'],
    [
      { response_format: { type: 'json_schema', json_schema: { name: 'x', schema: { type: 'array' } } } },
      'response_format.json_schema.schema.type',
    ],
    [{ messages: [{ role: 'system', content: 'only' }] }, 'messages'],
    [
      { messages: [{ role: 'user', content: [{ type: 'input_audio', input_audio: {} }] }] },
      'messages[0].content[0].type',
    ],
    [
      { messages: [{ role: 'user', content: [{ type: 'file', file: { file_id: 'file-1' } }] }] },
      'messages[0].content[0].file.file_id',
    ],
    [
      { messages: [{ role: 'user', content: [{ type: 'file', file: { file_data: 'JVBERi0=' } }] }] },
      'messages[0].content[0].file.file_data',
    ],
    [{ reasoning_effort: 'utmost' }, 'reasoning_effort'],
    [
      { messages: [{ role: 'user', content: [{ type: 'image_url', image_url: { url: 'ftp://x' } }] }] },
      'messages[0].content[0].image_url.url',
    ],
    [
      {
        messages: [
          { role: 'user', content: [{ type: 'image_url', image_url: { url: 'data:image/bmp;base64,AA' } }] },
        ],
      },
      'messages[0].content[0]',
    ],
    [{ messages: [{ role: 'function', name: 'f', content: 'x' }] }, 'messages[0].role'],
    [
      {
        messages: [
          {
            role: 'assistant',
            tool_calls: [{ ...call('c', 'x'), function: { name: 'f', arguments: '{"a"' } }],
          },
        ],
      },
      'messages[0].content[0].arguments',
    ],
    [{ messages: [{ role: 'tool', content: 'x' }] }, 'messages[0].tool_call_id'],
  ])('%j is refused by name', (body, at) => {
    expect(toAnthropic(body)).toEqual({ problems: [at] })
  })

  test('values that ask for nothing are no obstacle', () => {
    const body = {
      n: 1,
      logprobs: false,
      top_logprobs: 0,
      frequency_penalty: 0,
      presence_penalty: 0,
      logit_bias: {},
      modalities: ['text'],
      audio: null,
      functions: [],
      response_format: { type: 'text' },
    }
    expect(toAnthropic(body)).not.toHaveProperty('problems')
  })

  test('without any limit, the one that is missing is named', () => {
    const result = translate(
      { model: 'm', messages: [{ role: 'user', content: 'Hi' }] },
      { from: openAiChat, to: anthropicMessages, maxOutputTokens: null },
    )
    expect(result).toMatchObject({ kind: 'invalid', problems: [{ at: 'max_tokens' }] })
  })
})
