// Anthropic requests for OpenAI: what is kept, and what is refused by name.

import { describe, expect, test } from 'vitest'
import { anthropicTool, call, openAiTool, schema, toOpenAi, use } from '../testing/translated-request.js'

describe('Anthropic to OpenAI', () => {
  test('the system leads, results become tool messages before what the user adds', () => {
    const messages = [
      { role: 'user', content: 'Weather?' },
      {
        role: 'assistant',
        content: [
          { type: 'thinking', thinking: 'hm', signature: 's' },
          { type: 'text', text: 'Looking.' },
          use('t1', 'Paris'),
          use('t2', 'Rome'),
        ],
      },
      {
        role: 'user',
        content: [
          { type: 'tool_result', tool_use_id: 't1', content: 'sun' },
          { type: 'tool_result', tool_use_id: 't2', is_error: true },
          { type: 'text', text: 'And now?' },
        ],
      },
    ]
    const system = [
      { type: 'text', text: 'A', cache_control: { type: 'ephemeral' } },
      { type: 'text', text: 'B' },
    ]
    expect(toOpenAi({ system, messages, tools: [anthropicTool] })).toEqual({
      model: 'm',
      max_tokens: 100,
      tools: [openAiTool],
      messages: [
        {
          role: 'system',
          content: [
            { type: 'text', text: 'A' },
            { type: 'text', text: 'B' },
          ],
        },
        { role: 'user', content: 'Weather?' },
        { role: 'assistant', content: 'Looking.', tool_calls: [call('t1', 'Paris'), call('t2', 'Rome')] },
        { role: 'tool', tool_call_id: 't1', content: 'sun' },
        { role: 'tool', tool_call_id: 't2', content: '' },
        { role: 'user', content: 'And now?' },
      ],
    })
  })

  test.each([
    [{ type: 'auto' }, { tool_choice: 'auto' }],
    [{ type: 'none' }, { tool_choice: 'none' }],
    [{ type: 'any' }, { tool_choice: 'required' }],
    [
      { type: 'tool', name: 'get_weather' },
      { tool_choice: { type: 'function', function: { name: 'get_weather' } } },
    ],
    [
      { type: 'auto', disable_parallel_tool_use: true },
      { tool_choice: 'auto', parallel_tool_calls: false },
    ],
  ])('tool choice %j is %j', (tool_choice, expected) => {
    expect(toOpenAi({ tools: [anthropicTool], tool_choice })).toMatchObject(expected)
  })

  const closed = { ...schema, additionalProperties: false }

  test('images, limits, stop sequences, user and structured output are kept; usage is always asked for', () => {
    const content = [
      { type: 'image', source: { type: 'base64', media_type: 'image/webp', data: 'UklG' } },
      { type: 'image', source: { type: 'url', url: 'https://example.com/a.png' } },
    ]
    const body = {
      messages: [{ role: 'user', content }],
      temperature: 0.3,
      stop_sequences: ['A', 'B'],
      metadata: { user_id: 'u' },
      stream: true,
      thinking: { type: 'enabled', budget_tokens: 1024 },
      output_config: { format: { type: 'json_schema', schema: closed } },
    }
    expect(toOpenAi(body)).toEqual({
      model: 'm',
      max_tokens: 100,
      messages: [
        {
          role: 'user',
          content: [
            { type: 'image_url', image_url: { url: 'data:image/webp;base64,UklG' } },
            { type: 'image_url', image_url: { url: 'https://example.com/a.png' } },
          ],
        },
      ],
      temperature: 0.3,
      stop: ['A', 'B'],
      reasoning_effort: 'low',
      response_format: { type: 'json_schema', json_schema: { name: 'answer', schema: closed, strict: true } },
      user: 'u',
      stream: true,
      stream_options: { include_usage: true },
    })
  })

  test.each([
    [{ top_k: 5 }, 'top_k'],
    [{ container: 'c' }, 'container'],
    [{ mcp_servers: [{}] }, 'mcp_servers'],
    [{ inference_geo: 'eu' }, 'inference_geo'],
    [{ stop_sequences: ['1', '2', '3', '4', '5'] }, 'stop_sequences'],
    [{ tools: [{ type: 'web_search_20250305', name: 'web_search' }] }, 'tools[0].type'],
    [
      {
        messages: [{ role: 'user', content: [{ type: 'document', source: { type: 'file', file_id: 'f' } }] }],
      },
      'messages[0].content[0].source.type',
    ],
    [
      {
        messages: [
          {
            role: 'user',
            content: [
              {
                type: 'document',
                context: 'of last year',
                source: { type: 'text', media_type: 'text/plain', data: 'x' },
              },
            ],
          },
        ],
      },
      'messages[0].content[0].context',
    ],
    [
      {
        messages: [
          { role: 'user', content: [{ type: 'document', source: { type: 'url', url: 'https://x/y.pdf' } }] },
        ],
      },
      'messages[0].content[0]',
    ],
    [
      {
        messages: [
          { role: 'user', content: [{ type: 'search_result', source: 's', title: 't', content: [] }] },
        ],
      },
      'messages[0].content[0].type',
    ],
    [
      {
        messages: [
          { role: 'user', content: 'Find:' },
          {
            role: 'assistant',
            content: [{ type: 'server_tool_use', id: 's', name: 'web_search', input: {} }],
          },
        ],
      },
      'messages[1].content[0].type',
    ],
    [{ thinking: { type: 'between_tools' } }, 'thinking.type'],
    [{ output_config: { effort: 'utmost' } }, 'output_config.effort'],
    [
      { messages: [{ role: 'user', content: [{ type: 'image', source: { type: 'file', file_id: 'f' } }] }] },
      'messages[0].content[0].type',
    ],
    [
      {
        messages: [
          {
            role: 'user',
            content: [
              {
                type: 'tool_result',
                tool_use_id: 't',
                content: [{ type: 'image', source: { type: 'url', url: 'https://x/y' } }],
              },
            ],
          },
        ],
      },
      'messages[0].content[0].content',
    ],
    [
      {
        messages: [
          { role: 'user', content: 'List:' },
          { role: 'assistant', content: '1.' },
        ],
      },
      'messages[1]',
    ],
  ])('%j is refused by name', (body, at) => {
    expect(toOpenAi(body)).toEqual({ problems: [at] })
  })
})
