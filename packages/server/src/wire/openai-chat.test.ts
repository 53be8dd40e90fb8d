import { describe, expect, test } from 'vitest'
import type { ErrorBody } from './format.js'
import { openAiStream, valuesOf } from '../testing/recorded-streams.js'
import { openAiChat } from './openai-chat.js'

const REQUEST = {
  model: 'support_reply',
  messages: [
    { role: 'system', content: 'Be kind. 😀' },
    {
      role: 'user',
      content: [
        { type: 'text', text: 'Look:' },
        { type: 'image_url', image_url: { url: `data:image/png;base64,${'A'.repeat(9000)}` } },
      ],
    },
  ],
}

function viewOf(body: unknown) {
  const view = openAiChat.view(body)
  if (view.kind === 'invalid') throw new Error(JSON.stringify(view.problems))
  return view.value
}

describe('the view of a request', () => {
  test('counts what the model reads in UTF-8 bytes, and images apart', () => {
    const view = viewOf(REQUEST)
    expect(view).toMatchObject({
      promptBytes: 13 + 5,
      imageCount: 1,
      hasImages: true,
      choices: 1,
      stream: false,
      maxOutputTokens: null,
    })
  })

  test('tools and a schema are part of the prompt', () => {
    const tools = [{ type: 'function', function: { name: 'look_up', parameters: { type: 'object' } } }]
    const schema = { type: 'object', properties: { mood: { type: 'string' } } }
    const response_format = { type: 'json_schema', json_schema: { name: 'reply', schema } }
    const view = viewOf({ ...REQUEST, tools, response_format })
    expect(view).toMatchObject({ hasTools: true, jsonSchema: schema })
    expect(view.promptBytes).toBe(18 + JSON.stringify(tools).length + JSON.stringify(schema).length)
    expect(viewOf({ ...REQUEST, response_format: { type: 'json_object' } }).jsonSchema).toEqual({})
    expect(viewOf({ ...REQUEST, response_format: { type: 'text' } }).jsonSchema).toBeNull()
  })

  test('takes the smaller limit when both names are used', () => {
    expect(viewOf({ ...REQUEST, max_tokens: 50, max_completion_tokens: 40 }).maxOutputTokens).toBe(40)
    expect(viewOf({ ...REQUEST, max_tokens: 50, max_completion_tokens: null }).maxOutputTokens).toBe(50)
  })

  test('reads stream options, log probabilities, choices, cache key and user', () => {
    const body = {
      ...REQUEST,
      stream: true,
      stream_options: { include_usage: true },
      logprobs: true,
      n: 3,
      prompt_cache_key: 'k',
      user: 'u',
    }
    expect(viewOf(body)).toMatchObject({
      stream: true,
      includeUsage: true,
      wantsLogprobs: true,
      choices: 3,
      cacheKey: 'k',
      user: 'u',
    })
  })

  test.each([
    ['', [1]],
    ['', null],
    ['model', { messages: REQUEST.messages }],
    ['model', { ...REQUEST, model: 4 }],
    ['messages', { model: 'm' }],
    ['messages', { model: 'm', messages: [] }],
    ['messages[1]', { model: 'm', messages: [REQUEST.messages[0], 'hello'] }],
    ['stream', { ...REQUEST, stream: 'yes' }],
    ['max_tokens', { ...REQUEST, max_tokens: -1 }],
    ['max_completion_tokens', { ...REQUEST, max_completion_tokens: '12' }],
    ['n', { ...REQUEST, n: 0 }],
    ['tools', { ...REQUEST, tools: {} }],
    ['prompt_cache_key', { ...REQUEST, prompt_cache_key: 4 }],
  ])('names %s when it is wrong', (at, body) => {
    const view = openAiChat.view(body)
    expect(view.kind === 'invalid' && view.problems.map((problem) => problem.at)).toEqual([at])
  })
})

describe('patching a request', () => {
  const patched = (body: string, changes: Parameters<typeof openAiChat.patch>[1]) =>
    Buffer.from(openAiChat.patch(Buffer.from(body), changes)).toString()

  test('changes only the members named', () => {
    const body =
      '{"model": "a", "seed":12345678901234567890,"messages":[{"role":"user","content":"\\u00e9"}], "max_tokens" : 900}'
    expect(patched(body, { model: 'gpt-4o-mini', maxOutputTokens: 70 })).toBe(
      '{"model": "gpt-4o-mini", "seed":12345678901234567890,"messages":[{"role":"user","content":"\\u00e9"}], "max_tokens" : 70}',
    )
    expect(patched(body, {})).toBe(body)
  })

  test('sets the limit under every name in use, else under the one asked for', () => {
    expect(patched('{"max_completion_tokens":9,"max_tokens":9}', { maxOutputTokens: 3 })).toBe(
      '{"max_completion_tokens":3,"max_tokens":3}',
    )
    expect(patched('{"a":1}', { maxOutputTokens: 3, maxTokensKey: 'max_completion_tokens' })).toBe(
      '{"a":1,"max_completion_tokens":3}',
    )
    expect(patched('{"max_tokens":9}', { maxOutputTokens: 3, maxTokensKey: 'max_completion_tokens' })).toBe(
      '{"max_tokens":3}',
    )
  })

  test.each([
    ['{"stream":true}', '{"stream":true,"stream_options":{"include_usage":true}}'],
    ['{"stream_options":null}', '{"stream_options":{"include_usage":true}}'],
    [
      '{"stream_options":{"include_obfuscation" : false}}',
      '{"stream_options":{"include_obfuscation" : false,"include_usage":true}}',
    ],
    ['{"stream_options":{"include_usage":false,"x":1}}', '{"stream_options":{"include_usage":true,"x":1}}'],
  ])('asks for usage in %s', (before, after) => {
    expect(patched(before, { includeUsage: true })).toBe(after)
  })

  test('replaces the conversation, the stream flag, and asks for log probabilities', () => {
    const messages = [{ role: 'user', content: 'hi' }]
    expect(
      JSON.parse(patched('{"messages":[1,2],"stream":true}', { messages, stream: false, logprobs: true })),
    ).toEqual({ messages, stream: false, logprobs: true })
  })
})

describe('a whole answer', () => {
  const message = { role: 'assistant', content: 'Hi', refusal: null }
  const answer = (choice: object, rest: object = {}) => ({
    id: 'chatcmpl-1',
    object: 'chat.completion',
    model: 'm',
    choices: [{ index: 0, finish_reason: 'stop', message, ...choice }],
    ...rest,
  })

  test('gives text, finish reason, usage and confidence', () => {
    const logprobs = {
      content: [
        { token: 'H', logprob: -0.1 },
        { token: 'i', logprob: -0.3 },
      ],
    }
    const facts = openAiChat.readAnswer(
      answer({ logprobs }, { usage: { prompt_tokens: 5, completion_tokens: 2, total_tokens: 7 } }),
    )
    expect(facts).toMatchObject({
      id: 'chatcmpl-1',
      text: 'Hi',
      finishReason: 'stop',
      refusal: null,
      toolCalls: [],
    })
    expect(facts?.usage?.providerTotals.total).toBe(7)
    expect(facts?.meanTokenProbability).toBeCloseTo(Math.exp(-0.2), 10)
  })

  test('calls keep their arguments as text, also from servers that send objects or nothing', () => {
    const call = (args: unknown) => ({ id: 'c', type: 'function', function: { name: 'f', arguments: args } })
    const tool_calls = [call('{"a":12345678901234567890}'), call({ a: 1 }), call('')]
    const facts = openAiChat.readAnswer(
      answer({ finish_reason: 'tool_calls', message: { content: null, tool_calls } }),
    )
    expect(facts?.toolCalls.map((one) => one.argumentsJson)).toEqual([
      '{"a":12345678901234567890}',
      '{"a":1}',
      '{}',
    ])
    expect(facts?.finishReason).toBe('tool-calls')
  })

  test('a refusal is one, whatever the finish reason', () => {
    const facts = openAiChat.readAnswer(answer({ message: { content: null, refusal: 'No.' } }))
    expect(facts).toMatchObject({ refusal: 'No.', finishReason: 'refusal', text: '' })
    expect(openAiChat.readAnswer(answer({ finish_reason: 'content_filter' }))?.finishReason).toBe('refusal')
  })

  test.each([
    '<html>Network connection lost</html>',
    null,
    [],
    {},
    { choices: [] },
    { error: { message: 'x' } },
    { choices: [{ index: 0 }] },
  ])('what is none, such as %j, is not read as one', (body) => {
    expect(openAiChat.readAnswer(body)).toBeNull()
    expect(openAiChat.decodeAnswer(body)).toBeNull()
  })
})

describe('cutting a stream', () => {
  test('ends it properly, with the identity of its chunks', () => {
    const bytes = openAiStream('text')
    for (const keepUsage of [true, false]) {
      const scanner = openAiChat.scanner({ keepUsage, keepLogprobs: true, collect: false })
      scanner.push(bytes.subarray(0, 700))
      const [finish, done] = valuesOf(openAiChat.cutFrames(scanner))
      expect(finish).toMatchObject({
        id: 'chatcmpl-B9MHDbslfkBeAs8l4bebGdFOJ6PeG',
        created: 1741570283,
        choices: [{ delta: {}, finish_reason: 'length' }],
      })
      expect(Object.hasOwn(finish ?? {}, 'usage')).toBe(keepUsage)
      expect(done).toEqual({ done: true })
    }
  })

  test('says the usage so far to a caller who asked, when the provider tells it on the way', () => {
    const text = openAiStream('vllm-usage-in-every-chunk').toString()
    const scanner = openAiChat.scanner({ keepUsage: true, keepLogprobs: true, collect: false })
    scanner.push(Buffer.from(text.slice(0, text.indexOf('data: ', text.indexOf('"Hi"')))))
    const values = valuesOf(openAiChat.cutFrames(scanner))
    expect(values[1]).toMatchObject({ choices: [], usage: { prompt_tokens: 19, completion_tokens: 1 } })
  })

  test('works before the first chunk', () => {
    const scanner = openAiChat.scanner({ keepUsage: false, keepLogprobs: true, collect: false })
    expect(valuesOf(openAiChat.cutFrames(scanner)).at(-1)).toEqual({ done: true })
  })
})

describe('errors', () => {
  const error: ErrorBody = {
    code: 'budget.exhausted',
    status: 429,
    message: 'used up',
    hint: 'raise it',
    taskId: 'task_1',
    requestId: 'req_1',
  }

  test.each([
    [400, 'invalid_request_error'],
    [401, 'authentication_error'],
    [403, 'invalid_request_error'],
    [404, 'invalid_request_error'],
    [409, 'invalid_request_error'],
    [429, 'rate_limit_error'],
    [502, 'server_error'],
    [503, 'server_error'],
  ])('status %i has the type %s', (status, type) => {
    expect(openAiChat.encodeError({ ...error, status })).toEqual({
      error: {
        message: 'used up',
        type,
        param: null,
        code: 'budget.exhausted',
        hint: 'raise it',
        task_id: 'task_1',
      },
    })
  })

  test('attempts and problems are listed', () => {
    const attempts = [{ deployment: 'openai/gpt-4o', status: 500, end: 'http_500' }]
    const problems = [{ at: 'messages[0]', message: 'must be an object' }]
    expect(openAiChat.encodeError({ ...error, attempts, problems })).toMatchObject({
      error: { param: 'messages[0]', attempts, problems },
    })
  })

  test('in band, no end marker follows', () => {
    const frame = openAiChat.errorFrame(error)
    expect(frame).toMatch(/^data: \{"error":\{.*\}\}\n\n$/)
    expect(frame).not.toContain('[DONE]')
  })
})
