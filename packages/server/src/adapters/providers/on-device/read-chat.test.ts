import { describe, expect, test } from 'vitest'
import { type ChatAsk, readChat } from './read-chat.js'
import { readEmbedding } from './read-embedding.js'

const bytes = (body: unknown): Uint8Array => Buffer.from(JSON.stringify(body))
const MESSAGES = [{ role: 'user', content: 'Hi' }]

function askOf(more: Record<string, unknown> = {}): ChatAsk {
  const read = readChat(bytes({ messages: MESSAGES, ...more }), 99)
  if (read.kind === 'refused') throw new Error(JSON.stringify(read.refusal))
  return read.ask
}

describe('a chat request', () => {
  test('that says nothing has OpenAI’s defaults', () => {
    expect(askOf()).toEqual({
      turns: [{ role: 'user', text: 'Hi' }],
      stream: false,
      includeUsage: false,
      maxTokens: null,
      stops: [],
      sampling: { temperature: 1, topP: 1, seed: 99, frequencyPenalty: 0, presencePenalty: 0 },
      grammar: { kind: 'text' },
      logprobs: false,
      topLogprobs: 0,
    })
  })

  test('is read whole', () => {
    const ask = askOf({
      messages: [
        {
          role: 'developer',
          content: [
            { type: 'text', text: 'Be ' },
            { type: 'text', text: 'brief.' },
          ],
        },
        { role: 'assistant', content: [{ type: 'refusal', refusal: 'No.' }] },
        { role: 'assistant', content: null },
      ],
      stream: true,
      stream_options: { include_usage: true },
      max_tokens: 5,
      max_completion_tokens: 6,
      stop: 'x',
      temperature: 0,
      top_p: 0.5,
      seed: -1,
      logprobs: true,
      top_logprobs: 20,
      response_format: { type: 'json_object' },
      tools: [],
      user: 'u',
      store: true,
    })
    expect(ask).toMatchObject({
      turns: [
        { role: 'system', text: 'Be brief.' },
        { role: 'assistant', text: 'No.' },
        { role: 'assistant', text: '' },
      ],
      stream: true,
      includeUsage: true,
      maxTokens: 6,
      stops: ['x'],
      sampling: { temperature: 0, topP: 0.5, seed: 2 ** 32 - 1 },
      grammar: { kind: 'json' },
      topLogprobs: 20,
    })
  })

  test.each([
    [{ tools: [{ type: 'function', function: { name: 'f' } }] }, 'tools'],
    [{ functions: [{ name: 'f' }] }, 'functions'],
    [{ n: 2 }, 'n'],
    [{ logit_bias: { 5: 1 } }, 'logit_bias'],
    [{ modalities: ['text', 'audio'] }, 'modalities'],
    [{ messages: [] }, 'messages'],
    [{ messages: [{ role: 'tool', content: 'x', tool_call_id: 'a' }] }, 'messages[0].role'],
    [{ messages: [{ role: 'assistant', tool_calls: [{}] }] }, 'messages[0].tool_calls'],
    [
      { messages: [{ role: 'user', content: [{ type: 'image_url', image_url: {} }] }] },
      'messages[0].content[0].type',
    ],
    [{ messages: [{ role: 'user', content: 3 }] }, 'messages[0].content'],
    [{ temperature: 3 }, 'temperature'],
    [{ top_p: -0.1 }, 'top_p'],
    [{ max_tokens: 0 }, 'max_tokens'],
    [{ max_completion_tokens: 1.5 }, 'max_completion_tokens'],
    [{ seed: 'x' }, 'seed'],
    [{ stop: ['a', 'b', 'c', 'd', 'e'] }, 'stop'],
    [{ stream: 'yes' }, 'stream'],
    [{ logprobs: true, top_logprobs: 21 }, 'top_logprobs'],
    [{ response_format: { type: 'xml' } }, 'response_format.type'],
    [
      { response_format: { type: 'json_schema', json_schema: { schema: { type: 'string', pattern: 'a' } } } },
      'response_format.json_schema.schema.pattern',
    ],
  ])('%j is refused by the field’s name', (more, param) => {
    const read = readChat(bytes({ messages: MESSAGES, ...more }), 1)
    const message: unknown = expect.stringContaining(param.split('.')[0] ?? '')
    expect(read).toMatchObject({ kind: 'refused', refusal: { status: 400, param, message } })
  })

  test.each(['{', '[]', '"x"', ''])('%j is no request', (text) => {
    expect(readChat(Buffer.from(text), 1)).toMatchObject({ kind: 'refused', refusal: { status: 400 } })
    expect(readEmbedding(Buffer.from(text))).toMatchObject({ kind: 'refused', refusal: { status: 400 } })
  })

  test('a tool that may not be called is no tool', () => {
    expect(askOf({ tools: [{ type: 'function' }], tool_choice: 'none' }).turns).toHaveLength(1)
  })
})

describe('an embeddings request', () => {
  test('is read, and refused by the field’s name', () => {
    expect(readEmbedding(bytes({ input: 'a', encoding_format: 'base64', dimensions: 3 }))).toEqual({
      kind: 'ask',
      ask: { inputs: ['a'], base64: true, dimensions: 3 },
    })
    const refusals: [object, string][] = [
      [{}, 'input'],
      [{ input: [] }, 'input'],
      [{ input: ['a', ''] }, 'input'],
      [{ input: [1, 2] }, 'input'],
      [{ input: 'a', encoding_format: 'hex' }, 'encoding_format'],
      [{ input: 'a', dimensions: 0 }, 'dimensions'],
    ]
    for (const [body, param] of refusals)
      expect(readEmbedding(bytes(body))).toMatchObject({ kind: 'refused', refusal: { status: 400, param } })
  })
})
