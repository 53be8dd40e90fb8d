import { describe, expect, test } from 'vitest'
import type { ModelRequest } from '../core/model/message.js'
import { NOT_ASKED } from '../core/model/message.js'
import type { RequestChanges } from './format.js'
import { openAiResponses } from './openai-responses.js'

const IMAGE = 'data:image/png;base64,AAAA'
const BASE = { model: 'm', input: 'Hi' }

describe('view', () => {
  const viewed = (body: object) => {
    const found = openAiResponses.view({ ...BASE, ...body })
    return found.kind === 'ok' ? found.value : found
  }

  test('says what the stages ask', () => {
    const body = {
      stream: true,
      max_output_tokens: 5,
      tools: [{ type: 'function', name: 'f', parameters: null, strict: null }],
      text: { format: { type: 'json_schema', name: 'x', schema: { type: 'object' } } },
      prompt_cache_key: 'k',
      safety_identifier: 'u',
      include: ['message.output_text.logprobs'],
    }
    expect(viewed(body)).toMatchObject({
      model: 'm',
      stream: true,
      maxOutputTokens: 5,
      includeUsage: true,
      wantsLogprobs: true,
      choices: 1,
      hasTools: true,
      hasImages: false,
      jsonSchema: { type: 'object' },
      cacheKey: 'k',
      user: 'u',
    })
    expect(viewed({ text: { format: { type: 'json_object' } } })).toMatchObject({ jsonSchema: {} })
    expect(viewed({})).toMatchObject({ jsonSchema: null, wantsLogprobs: false, stream: false })
  })

  test('counts what the model reads, image data left out', () => {
    const tools = [{ type: 'function', name: 'f' }]
    const input = [
      {
        role: 'user',
        content: [
          { type: 'input_text', text: 'Grüße' },
          { type: 'input_image', image_url: IMAGE },
        ],
      },
      { type: 'function_call', call_id: 'c', name: 'go', arguments: '{}' },
      { type: 'function_call_output', call_id: 'c', output: 'ok' },
    ]
    expect(viewed({ input, instructions: '12345', tools })).toMatchObject({
      promptBytes: 7 + 4 + 2 + 5 + JSON.stringify(tools).length,
      hasImages: true,
      imageCount: 1,
    })
  })

  test.each([
    [{ input: [] }, 'input'],
    [{ input: 3 }, 'input'],
    [{ input: ['x'] }, 'input[0]'],
    [{ background: true }, 'background'],
    [{ max_output_tokens: 0 }, 'max_output_tokens'],
  ])('%j is a problem at %s', (body, at) => {
    expect(viewed(body)).toMatchObject({ kind: 'invalid', problems: [{ at }] })
  })
})

describe('patch', () => {
  const patched = (body: string, changes: RequestChanges) =>
    Buffer.from(openAiResponses.patch(Buffer.from(body), changes)).toString()

  test('touches only what changes', () => {
    expect(patched('{ "model" : "a", "x": 1e3 }', { model: 'b' })).toBe('{ "model" : "b", "x": 1e3 }')
    expect(patched('{"input":"Hi"}', { maxOutputTokens: 3, stream: true })).toBe(
      '{"input":"Hi","stream":true,"max_output_tokens":3}',
    )
    expect(patched('{"a":1}', {})).toBe('{"a":1}')
    expect(patched('{"store":true}', { store: false })).toBe('{"store":false}')
    expect(patched('{"a":1}', { store: false })).toBe('{"a":1,"store":false}')
    expect(patched('{"a":1}', { promptCacheKey: 'k' })).toBe('{"a":1,"prompt_cache_key":"k"}')
  })

  test('replaces the input, and asks for log probabilities once', () => {
    expect(patched('{"input":"Hi"}', { messages: [{ role: 'user', content: 'x' }] })).toBe(
      '{"input":[{"role":"user","content":"x"}]}',
    )
    const asked = '{"include":["reasoning.encrypted_content","message.output_text.logprobs"]}'
    expect(patched('{"include":["reasoning.encrypted_content"]}', { logprobs: true })).toBe(asked)
    expect(patched(asked, { logprobs: true })).toBe(asked)
  })
})

describe('a request for another format', () => {
  const decoded = (body: object) => openAiResponses.decodeRequest({ ...BASE, ...body })

  test('turns of the model become one message each, results of one turn too', () => {
    const input = [
      { role: 'developer', content: 'Be kind.' },
      { role: 'user', content: [{ type: 'input_text', text: 'Weather?' }] },
      {
        type: 'reasoning',
        id: 'rs_1',
        summary: [{ type: 'summary_text', text: 'Hm' }],
        encrypted_content: 'e',
      },
      { type: 'reasoning', id: 'rs_2', summary: [] },
      {
        type: 'message',
        id: 'msg_1',
        role: 'assistant',
        status: 'completed',
        content: [{ type: 'output_text', text: 'Wait.', annotations: [] }],
      },
      { type: 'function_call', call_id: 'a', name: 'f', arguments: '{}' },
      { type: 'function_call', call_id: 'b', name: 'f', arguments: '{}' },
      { type: 'function_call_output', call_id: 'a', output: 'x' },
      { type: 'function_call_output', call_id: 'b', output: [{ type: 'input_image', image_url: IMAGE }] },
      { role: 'user', content: 'And?' },
    ]
    const request = decoded({ input, instructions: 'Short.' })
    expect(request.kind === 'ok' ? request.value.messages : request).toEqual([
      { role: 'system', parts: [{ kind: 'text', text: 'Short.' }] },
      { role: 'system', parts: [{ kind: 'text', text: 'Be kind.' }] },
      { role: 'user', parts: [{ kind: 'text', text: 'Weather?' }] },
      {
        role: 'assistant',
        parts: [
          { kind: 'reasoning', text: 'Hm', signature: 'e', id: 'rs_1' },
          { kind: 'text', text: 'Wait.' },
          { kind: 'tool-call', id: 'a', name: 'f', argumentsJson: '{}' },
          { kind: 'tool-call', id: 'b', name: 'f', argumentsJson: '{}' },
        ],
      },
      {
        role: 'user',
        parts: [
          { kind: 'tool-result', callId: 'a', content: [{ kind: 'text', text: 'x' }], isError: false },
          {
            kind: 'tool-result',
            callId: 'b',
            content: [{ kind: 'image', source: { kind: 'base64', mediaType: 'image/png', data: 'AAAA' } }],
            isError: false,
          },
        ],
      },
      { role: 'user', parts: [{ kind: 'text', text: 'And?' }] },
    ])
  })

  test('files with their data, reasoning, log probabilities', () => {
    const content = [
      { type: 'input_file', filename: 'a.pdf', file_data: 'data:application/pdf;base64,AAAA' },
      { type: 'input_file', file_url: 'https://example.com/b.pdf' },
    ]
    const request = decoded({
      input: [{ role: 'user', content }],
      reasoning: { effort: 'max', summary: 'auto' },
      include: ['message.output_text.logprobs'],
      top_logprobs: 3,
    })
    expect(request).toMatchObject({
      kind: 'ok',
      value: {
        messages: [
          {
            parts: [
              { kind: 'document', title: 'a.pdf', source: { kind: 'base64', mediaType: 'application/pdf' } },
              { kind: 'document', source: { kind: 'url', url: 'https://example.com/b.pdf' } },
            ],
          },
        ],
        reasoning: { effort: 'xhigh', budgetTokens: null, visible: true },
        topLogprobs: 3,
      },
    })
  })

  const TOOLS = ['a', 'b', 'c'].map((name) => ({ type: 'function', name, parameters: {}, strict: true }))

  test('a choice among some tools leaves only those', () => {
    const allowed = { type: 'allowed_tools', mode: 'required', tools: [{ type: 'function', name: 'b' }] }
    expect(decoded({ tools: TOOLS, tool_choice: allowed })).toMatchObject({
      kind: 'ok',
      value: { tools: [{ name: 'b' }], toolChoice: { kind: 'required' } },
    })
    const unknown = { ...allowed, tools: [{ type: 'function', name: 'x' }] }
    expect(decoded({ tools: TOOLS, tool_choice: unknown })).toMatchObject({
      problems: [{ at: 'tool_choice.tools[0]' }],
    })
  })

  test.each([
    [{ tools: [{ type: 'web_search' }] }, 'tools[0].type'],
    [{ tools: [{ type: 'function', name: 'f' }, { type: 'mcp' }] }, 'tools[1].type'],
    [{ tools: [{ type: 'custom', name: 'x' }] }, 'tools[0].type'],
    [{ tool_choice: { type: 'file_search' } }, 'tool_choice'],
    [{ input: [{ type: 'web_search_call', id: 'ws' }] }, 'input[0].type'],
    [{ input: [{ type: 'item_reference', id: 'x' }] }, 'input[0].type'],
    [{ input: [{ role: 'tool', content: 'x' }] }, 'input[0].role'],
    [{ input: [{ role: 'assistant', content: [{ type: 'input_image' }] }] }, 'input[0].content'],
    [{ input: [{ type: 'function_call', name: 'f' }] }, 'input[0].call_id'],
    [
      { input: [{ role: 'user', content: [{ type: 'input_file', file_id: 'f' }] }] },
      'input[0].content[0].file_id',
    ],
    [{ input: [{ role: 'user', content: [{ type: 'input_audio' }] }] }, 'input[0].content[0].type'],
    [
      { input: [{ role: 'user', content: [{ type: 'input_image', image_url: 'x' }] }] },
      'input[0].content[0].image_url',
    ],
    [{ previous_response_id: 'resp_1' }, 'previous_response_id'],
    [{ conversation: 'conv_1' }, 'conversation'],
    [{ prompt: { id: 'p' } }, 'prompt'],
    [{ background: true }, 'background'],
    [{ context_management: [] }, 'context_management'],
    [{ text: { format: { type: 'grammar' } } }, 'text.format.type'],
    [{ text: { format: { type: 'json_schema', name: 'x' } } }, 'text.format.schema'],
    [{ reasoning: { effort: 'enormous' } }, 'reasoning.effort'],
  ])('%j is a problem at %s', (body, at) => {
    expect(decoded(body)).toMatchObject({ kind: 'invalid', problems: [{ at }] })
  })

  test('hints are left out, and named', () => {
    const body = {
      ...BASE,
      input: [
        { role: 'assistant', phase: 'commentary', content: 'x' },
        {
          role: 'user',
          content: [{ type: 'input_text', text: 'x', prompt_cache_breakpoint: { mode: 'explicit' } }],
        },
      ],
      store: true,
      metadata: { a: 'b' },
      truncation: 'auto',
      reasoning: { effort: 'max', mode: 'pro' },
      text: { verbosity: 'low' },
    }
    expect(openAiResponses.decodeRequest(body)).toMatchObject({ kind: 'ok' })
    expect(openAiResponses.unsaid(body)).toEqual([
      'truncation',
      'reasoning.mode',
      'reasoning.effort',
      'text.verbosity',
      'input[0].phase',
      'input[1].content[0].prompt_cache_breakpoint',
    ])
  })
})

describe('a request to a provider', () => {
  const REQUEST: ModelRequest = {
    ...NOT_ASKED,
    model: 'm',
    messages: [{ role: 'user', parts: [{ kind: 'text', text: 'Hi' }] }],
    tools: [],
    toolChoice: null,
    parallelToolCalls: null,
    maxOutputTokens: null,
    temperature: null,
    topP: null,
    stop: [],
    stream: false,
    includeUsage: true,
    json: null,
    user: null,
  }
  const encoded = (request: Partial<ModelRequest>) => {
    const found = openAiResponses.encodeRequest({ ...REQUEST, ...request })
    return found.kind === 'ok' ? found.value : found
  }

  test('stores nothing, and says no more than was asked', () => {
    expect(encoded({})).toEqual({
      model: 'm',
      input: [{ type: 'message', role: 'user', content: 'Hi' }],
      store: false,
    })
  })

  test('a tool that says nothing of it is not strict', () => {
    const tools = [{ name: 'f', parameters: { type: 'object' } }]
    expect(encoded({ tools })).toMatchObject({
      tools: [{ type: 'function', name: 'f', parameters: { type: 'object' }, strict: false }],
    })
  })

  test('encrypted thoughts are asked for only where thoughts are', () => {
    const reasoning = { effort: null, budgetTokens: 5_000, visible: true }
    expect(encoded({ reasoning })).toMatchObject({
      reasoning: { effort: 'medium', summary: 'auto' },
      include: ['reasoning.encrypted_content'],
    })
    expect(encoded({ topLogprobs: 2 })).toMatchObject({
      include: ['message.output_text.logprobs'],
      top_logprobs: 2,
    })
    expect(openAiResponses.leavesOut({ ...REQUEST, reasoning, seed: 1 })).toEqual([
      'seed',
      'reasoning.budgetTokens',
    ])
    expect(openAiResponses.leavesOut(REQUEST)).toEqual([])
  })

  test('thoughts that nothing proves, or another provider, are left out, and named', () => {
    const messages = [
      {
        role: 'assistant' as const,
        parts: [
          { kind: 'reasoning' as const, text: 'Hm' },
          { kind: 'reasoning' as const, text: 'Hm', signature: 's', id: 'rs_1' },
          { kind: 'reasoning' as const, text: 'Hm', signature: 'from elsewhere' },
          { kind: 'text' as const, text: 'Yes' },
        ],
      },
      ...REQUEST.messages,
    ]
    expect(encoded({ messages })).toMatchObject({
      input: [
        { type: 'reasoning', id: 'rs_1', summary: [{ text: 'Hm' }], encrypted_content: 's' },
        { type: 'message', role: 'assistant', content: 'Yes' },
        { role: 'user' },
      ],
    })
    expect(openAiResponses.leavesOut({ ...REQUEST, messages })).toEqual([
      'messages[0].content[0]',
      'messages[0].content[2]',
    ])
  })

  test.each([
    [{ stop: ['x'] }, 'stop'],
    [{ topK: 4 }, 'top_k'],
    [{ presencePenalty: 0.5 }, 'presence_penalty'],
    [{ frequencyPenalty: 0.5 }, 'frequency_penalty'],
    [{ messages: [{ role: 'assistant' as const, parts: [] }] }, 'messages[0]'],
  ])('%j cannot be said, at %s', (request, at) => {
    expect(encoded(request)).toMatchObject({ kind: 'invalid', problems: [{ at }] })
  })
})

describe('a whole answer', () => {
  const response = (body: object) => ({
    id: 'resp_1',
    object: 'response',
    model: 'm',
    status: 'completed',
    error: null,
    output: [],
    ...body,
  })
  const message = (content: readonly object[]) => ({ type: 'message', role: 'assistant', content })

  test('gives text, calls, usage and confidence', () => {
    const logprobs = [
      { token: 'H', logprob: -0.1, bytes: [72], top_logprobs: [] },
      { token: 'i', logprob: -0.3, bytes: [105], top_logprobs: [] },
    ]
    const facts = openAiResponses.readAnswer(
      response({
        output: [
          { type: 'web_search_call', id: 'ws', status: 'completed' },
          message([{ type: 'output_text', text: 'Hi', annotations: [], logprobs }]),
          { type: 'function_call', call_id: 'c', name: 'f', arguments: '' },
        ],
        usage: {
          input_tokens: 5,
          input_tokens_details: { cached_tokens: 2 },
          output_tokens: 9,
          output_tokens_details: { reasoning_tokens: 4 },
          total_tokens: 14,
        },
      }),
    )
    expect(facts).toMatchObject({
      id: 'resp_1',
      text: 'Hi',
      finishReason: 'tool-calls',
      toolCalls: [{ id: 'c', name: 'f', argumentsJson: '{}' }],
      usage: { tokens: { input: 3, cacheRead: 2, output: 5, reasoning: 4 } },
    })
    expect(facts?.meanTokenProbability).toBeCloseTo(Math.exp(-0.2), 10)
  })

  test('how it ended', () => {
    const ended = (body: object) => openAiResponses.readAnswer(response(body))?.finishReason
    const incomplete = (reason: string) => ({ status: 'incomplete', incomplete_details: { reason } })
    expect(ended(incomplete('max_output_tokens'))).toBe('length')
    expect(ended(incomplete('content_filter'))).toBe('refusal')
    expect(ended(incomplete('something new'))).toBe('other')
    expect(ended({ output: [message([{ type: 'refusal', refusal: 'No.' }])] })).toBe('refusal')
    expect(ended({})).toBe('stop')
  })

  test.each([
    response({ status: 'failed', error: { code: 'server_error', message: 'x' } }),
    response({ status: 'queued' }),
    response({ status: 'in_progress' }),
    response({ output: null }),
    { object: 'chat.completion', choices: [] },
    '<html>',
    null,
  ])('%j is not an answer', (body) => {
    expect(openAiResponses.readAnswer(body)).toBeNull()
    expect(openAiResponses.decodeAnswer(body)).toBeNull()
  })

  test('only what was written last is cut', () => {
    const body = openAiResponses.encodeAnswer(
      {
        id: 'x',
        model: 'm',
        parts: [
          { kind: 'text', text: 'Wait.' },
          { kind: 'tool-call', id: 'c', name: 'f', argumentsJson: '{"a":' },
        ],
        finishReason: 'length',
        rawFinishReason: null,
        stopSequence: null,
        usage: null,
      },
      1,
    )
    expect(body).toMatchObject({
      status: 'incomplete',
      incomplete_details: { reason: 'max_output_tokens' },
      output: [{ status: 'completed' }, { status: 'incomplete', arguments: '{"a":' }],
    })
  })

  test('citations become annotations', () => {
    const nothing = {
      citedText: null,
      title: null,
      url: null,
      documentIndex: null,
      location: null,
      span: null,
    }
    const body = openAiResponses.encodeAnswer(
      {
        id: 'x',
        model: 'm',
        parts: [
          {
            kind: 'text',
            text: 'Paris',
            citations: [
              { ...nothing, url: 'https://example.com', title: 'T' },
              { ...nothing, citedText: 'words', title: 'a.pdf', documentIndex: 1 },
            ],
          },
        ],
        finishReason: 'stop',
        rawFinishReason: null,
        stopSequence: null,
        usage: null,
      },
      1,
    )
    expect(body).toMatchObject({
      id: 'resp_x',
      output: [
        {
          id: 'msg_x_0',
          content: [
            {
              annotations: [
                {
                  type: 'url_citation',
                  url: 'https://example.com',
                  title: 'T',
                  start_index: 0,
                  end_index: 5,
                },
                { type: 'file_citation', filename: 'a.pdf', index: 1 },
              ],
            },
          ],
        },
      ],
    })
  })
})
