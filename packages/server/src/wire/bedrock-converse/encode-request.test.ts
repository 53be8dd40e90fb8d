// Our types -> Converse requests: what is said, what is refused by place, and what is left out and told.

import { describe, expect, test } from 'vitest'
import type { Message, ModelRequest, Part } from '../../core/model/message.js'
import { modelRequest } from '../../testing/model-request.js'
import { bedrockConverse } from '../bedrock-converse.js'

const CLAUDE_4 = 'us.anthropic.claude-sonnet-4-20250514-v1:0'
const CLAUDE_4_5 = 'anthropic.claude-haiku-4-5-20251001-v1:0'
const CLAUDE_4_6 = 'global.anthropic.claude-opus-4-6-v1'
const NOVA = 'amazon.nova-lite-v1:0'
const LLAMA = 'meta.llama3-1-70b-instruct-v1:0'
const PROFILE = 'arn:aws:bedrock:eu-central-1:123456789012:application-inference-profile/a1b2c3'

function bodyOf(changes: Partial<ModelRequest>): Record<string, unknown> {
  const encoded = bedrockConverse.encodeRequest(modelRequest(changes))
  expect(encoded).toMatchObject({ kind: 'ok' })
  return encoded.kind === 'ok' ? JSON.parse(JSON.stringify(encoded.value)) : {}
}

function problemsOf(changes: Partial<ModelRequest>): readonly string[] {
  const encoded = bedrockConverse.encodeRequest(modelRequest(changes))
  return encoded.kind === 'ok' ? [] : encoded.problems.map(({ at }) => at)
}

const leftOut = (changes: Partial<ModelRequest>) => bedrockConverse.leavesOut(modelRequest(changes))
const user = (...parts: readonly Part[]): Message => ({ role: 'user', parts })
const assistant = (...parts: readonly Part[]): Message => ({ role: 'assistant', parts })
const text = (words: string, more = {}): Part => ({ kind: 'text', text: words, ...more })
const call = (id: string, argumentsJson = '{}'): Part => ({ kind: 'tool-call', id, name: 'f', argumentsJson })
const result = (callId: string, ...content: readonly Part[]): Part => ({
  kind: 'tool-result',
  callId,
  content,
  isError: false,
})
const MARK = { cacheControl: { type: 'ephemeral' } }
const TOOL = { name: 'f', description: 'Does f.', parameters: { properties: { a: { type: 'string' } } } }

describe('the body', () => {
  test('has messages, system and limits, and no model', () => {
    const messages: Message[] = [{ role: 'system', parts: [text('Be brief.')] }, user(text('Hi'))]
    expect(bodyOf({ messages, temperature: 0.5, topP: 0.9, stop: ['END'] })).toEqual({
      messages: [{ role: 'user', content: [{ text: 'Hi' }] }],
      system: [{ text: 'Be brief.' }],
      inferenceConfig: { maxTokens: 100, temperature: 0.5, topP: 0.9, stopSequences: ['END'] },
      additionalModelResponseFieldPaths: ['/stop_sequence'],
    })
  })

  test('says nothing that was not asked', () => {
    expect(bodyOf({ maxOutputTokens: null })).toEqual({
      messages: [{ role: 'user', content: [{ text: 'Hi' }] }],
    })
  })

  test.each([
    [{ temperature: 1.5 }, 'temperature'],
    [{ stop: ['\n'] }, 'stop'],
    [{ stop: [''], model: LLAMA }, 'stop'],
    [{ topLogprobs: 0 }, 'top_logprobs'],
    [{ presencePenalty: 0.5 }, 'presence_penalty'],
    [{ frequencyPenalty: 1 }, 'frequency_penalty'],
    [{ parallelToolCalls: false, tools: [TOOL] }, 'parallel_tool_calls'],
    [{ tools: [{ ...TOOL, name: 'spillway_no_tool' }] }, 'tools[0].name'],
    [{ tools: [{ ...TOOL, name: 'spillway_json__x' }] }, 'tools[0].name'],
    [{ messages: [assistant(text('Hello'))] }, 'messages'],
    [{ messages: [] }, 'messages'],
  ] satisfies readonly (readonly [Partial<ModelRequest>, string])[])('%j is refused at %s', (changes, at) => {
    expect(problemsOf(changes)).toEqual([at])
  })

  test.each([
    [{ presencePenalty: 0, frequencyPenalty: 0 }],
    [{ stop: ['\n'], model: LLAMA }],
    [{ parallelToolCalls: false }],
    [{ parallelToolCalls: true, tools: [TOOL] }],
  ] satisfies readonly (readonly [Partial<ModelRequest>])[])('%j is not refused', (changes) => {
    expect(problemsOf(changes)).toEqual([])
  })
})

describe('turns', () => {
  test('of one role become one, tool results first, and empty ones disappear', () => {
    const messages = [
      user(text('Look.')),
      assistant(text(''), call('a'), call('b:1')),
      user(text('And then?')),
      user(result('a', text('1')), result('b:1', text('2'))),
    ]
    expect(bodyOf({ messages, tools: [TOOL] })['messages']).toEqual([
      { role: 'user', content: [{ text: 'Look.' }] },
      {
        role: 'assistant',
        content: [
          { toolUse: { toolUseId: 'a', name: 'f', input: {} } },
          { toolUse: { toolUseId: 'b_1', name: 'f', input: {} } },
        ],
      },
      {
        role: 'user',
        content: [
          { toolResult: { toolUseId: 'a', content: [{ text: '1' }] } },
          { toolResult: { toolUseId: 'b_1', content: [{ text: '2' }] } },
          { text: 'And then?' },
        ],
      },
    ])
  })

  test('a result can be an error, and hold an image or a document', () => {
    const content: Part[] = [
      { kind: 'image', source: { kind: 'base64', mediaType: 'image/png', data: 'AAAA' } },
      { kind: 'document', source: { kind: 'text', text: 'Words' } },
    ]
    const failed: Part = { kind: 'tool-result', callId: 'a', content, isError: true }
    const messages = [user(text('x')), assistant(call('a')), user(failed)]
    expect(bodyOf({ messages, tools: [TOOL] })['messages']).toMatchObject([
      {},
      {},
      {
        content: [
          {
            toolResult: {
              toolUseId: 'a',
              content: [
                { image: { format: 'png', source: { bytes: 'AAAA' } } },
                { document: { format: 'txt', name: 'document', source: { text: 'Words' } } },
              ],
              status: 'error',
            },
          },
        ],
      },
    ])
  })

  test('reasoning goes back with its signature, encrypted as it came, and not at all unsigned', () => {
    const thoughts: Part[] = [
      { kind: 'reasoning', text: 'hm', signature: 's' },
      { kind: 'reasoning', text: '', redacted: 'AAAA' },
      { kind: 'reasoning', text: 'unsigned' },
    ]
    const messages = [user(text('x')), assistant(...thoughts, text('y')), user(text('z'))]
    expect(bodyOf({ messages })['messages']).toMatchObject([
      {},
      {
        content: [
          { reasoningContent: { reasoningText: { text: 'hm', signature: 's' } } },
          { reasoningContent: { redactedContent: 'AAAA' } },
          { text: 'y' },
        ],
      },
      {},
    ])
    expect(leftOut({ messages })).toEqual(['messages[1].content[2]'])
  })

  test('an id that is too long keeps its end, in call and result alike', () => {
    const id = `call_${'x'.repeat(80)}_7`
    const messages = [user(text('x')), assistant(call(id)), user(result(id))]
    const plain = id.slice(-64)
    expect(bodyOf({ messages, tools: [TOOL] })['messages']).toMatchObject([
      {},
      { content: [{ toolUse: { toolUseId: plain } }] },
      { content: [{ toolResult: { toolUseId: plain, content: [] } }] },
    ])
  })

  test('arguments that are no object are refused at their place', () => {
    const messages = [user(text('x')), assistant(call('a', '[1]')), user(result('a'))]
    expect(problemsOf({ messages, tools: [TOOL] })).toEqual(['messages[1].content[0].arguments'])
  })
})

describe('images and documents', () => {
  const image = (source: Extract<Part, { kind: 'image' }>['source']): Part => ({ kind: 'image', source })
  const document = (mediaType: string, title?: string, more = {}): Part => ({
    kind: 'document',
    source: { kind: 'base64', mediaType, data: 'AAAA' },
    ...(title === undefined ? {} : { title }),
    ...more,
  })
  const PNG = { kind: 'base64', mediaType: 'image/png', data: 'AAAA' } as const

  test('go as bytes; a document has a plain name that no other has', () => {
    const parts = [
      text('Read.'),
      image({ ...PNG, mediaType: 'image/jpeg' }),
      document('application/pdf', 'Año  2025/Q4.pdf', { cite: true }),
      document('text/csv', 'Numbers'),
      document('text/markdown', 'Numbers'),
      document('text/html'),
    ]
    expect(bodyOf({ messages: [user(...parts)] })['messages']).toEqual([
      {
        role: 'user',
        content: [
          { text: 'Read.' },
          { image: { format: 'jpeg', source: { bytes: 'AAAA' } } },
          {
            document: {
              format: 'pdf',
              name: 'A-o 2025-Q4-pdf',
              citations: { enabled: true },
              source: { bytes: 'AAAA' },
            },
          },
          { document: { format: 'csv', name: 'Numbers', source: { bytes: 'AAAA' } } },
          { document: { format: 'md', name: 'Numbers (2)', source: { bytes: 'AAAA' } } },
          { document: { format: 'html', name: 'document', source: { bytes: 'AAAA' } } },
        ],
      },
    ])
  })

  test.each([
    ['an image by URL', [image({ kind: 'url', url: 'https://x.test/a.png' })], 'messages[0].content[0]'],
    ['an image of another type', [image({ ...PNG, mediaType: 'image/tiff' })], 'messages[0].content[0]'],
    ['a document of another type', [text('x'), document('audio/mpeg')], 'messages[0].content[1]'],
    ['a document without words', [document('application/pdf')], 'messages'],
  ] as const)('%s is refused at its place', (_, parts, at) => {
    expect(problemsOf({ messages: [user(...parts)] })).toEqual([at])
  })

  test('belong to a user', () => {
    const messages: Message[] = [{ role: 'system', parts: [image(PNG)] }, user(text('x'))]
    expect(problemsOf({ messages })).toEqual(['messages[0].content[0]'])
  })

  test('how closely to look is left out, and said', () => {
    const looked: Part = { kind: 'image', source: PNG, detail: 'low' }
    expect(leftOut({ messages: [user(looked)] })).toEqual(['messages[0].content[0].detail'])
  })
})

describe('cache marks', () => {
  const messages: Message[] = [
    { role: 'system', parts: [text('Long.', { cacheControl: { type: 'ephemeral', ttl: '1h' } })] },
    user(text('a', MARK), text('b')),
    assistant(call('1')),
    user(text('c', MARK), result('1', text('d', MARK))),
  ]

  test('become cache points behind their blocks, a result’s inner one behind the result', () => {
    const point = { cachePoint: { type: 'default' } }
    expect(bodyOf({ messages, tools: [TOOL] })).toMatchObject({
      system: [{ text: 'Long.' }, { cachePoint: { type: 'default', ttl: '1h' } }],
      messages: [
        { content: [{ text: 'a' }, point, { text: 'b' }] },
        {},
        { content: [{ toolResult: { content: [{ text: 'd' }] } }, point, { text: 'c' }, point] },
      ],
    })
  })

  test.each([LLAMA, PROFILE])('%s may not know them: left out, and said', (model) => {
    expect(JSON.stringify(bodyOf({ model, messages, tools: [TOOL] }))).not.toContain('cachePoint')
    expect(leftOut({ model, messages, tools: [TOOL] })).toEqual([
      'messages[0].content[0].cacheControl',
      'messages[1].content[0].cacheControl',
      'messages[3].content[0].cacheControl',
      'messages[3].content[1].content[0].cacheControl',
    ])
  })
})

describe('tools', () => {
  const spec = {
    toolSpec: {
      name: 'f',
      description: 'Does f.',
      inputSchema: { json: { type: 'object', properties: { a: { type: 'string' } } } },
    },
  }
  const history = [user(text('x')), assistant(call('a')), user(result('a', text('1')))]

  test.each([
    [null, {}],
    [{ kind: 'auto' }, { toolChoice: { auto: {} } }],
    [{ kind: 'required' }, { toolChoice: { any: {} } }],
    [{ kind: 'tool', name: 'f' }, { toolChoice: { tool: { name: 'f' } } }],
  ] as const)('the choice %j', (toolChoice, said) => {
    expect(bodyOf({ tools: [TOOL], toolChoice })['toolConfig']).toEqual({ tools: [spec], ...said })
  })

  test('none leaves them out', () => {
    expect(bodyOf({ tools: [TOOL], toolChoice: { kind: 'none' } })).not.toHaveProperty('toolConfig')
  })

  test.each([
    ['none', { tools: [TOOL], toolChoice: { kind: 'none' as const } }],
    ['no tools', { tools: [] }],
  ])('%s behind calls leaves one that does nothing: without any the history is refused', (_, changes) => {
    expect(bodyOf({ ...changes, messages: history })['toolConfig']).toEqual({
      tools: [
        {
          toolSpec: {
            name: 'spillway_no_tool',
            description: 'Does nothing. No tool may be called now: answer in words.',
            inputSchema: { json: { type: 'object', properties: {} } },
          },
        },
      ],
    })
  })

  test('strict is said where it is known, else left out and said', () => {
    const tools = [{ ...TOOL, strict: true }]
    expect(bodyOf({ model: CLAUDE_4_5, tools })['toolConfig']).toMatchObject({
      tools: [{ toolSpec: { strict: true } }],
    })
    expect(bodyOf({ model: NOVA, tools })['toolConfig']).toEqual({ tools: [spec] })
    expect(leftOut({ model: NOVA, tools })).toEqual(['tools[0].strict'])
    expect(leftOut({ model: CLAUDE_4_5, tools })).toEqual([])
  })
})

describe('structured output', () => {
  const schema = { type: 'object', properties: { mood: { type: 'string' } }, additionalProperties: false }
  const json = { name: 'reply', schema, strict: true }

  test.each([CLAUDE_4_5, CLAUDE_4_6, 'openai.gpt-oss-120b-1:0', 'qwen.qwen3-32b-v1:0'])(
    '%s is given the schema',
    (model) => {
      const body = bodyOf({ model, json })
      expect(body['outputConfig']).toEqual({
        textFormat: {
          type: 'json_schema',
          structure: { jsonSchema: { name: 'reply', schema: JSON.stringify(schema) } },
        },
      })
      expect(body).not.toHaveProperty('toolConfig')
    },
  )

  test.each([
    [CLAUDE_4, json],
    [NOVA, json],
    [PROFILE, json],
    [CLAUDE_4_5, { ...json, strict: false }],
  ])('%s has to call a tool that takes it', (model, asked) => {
    expect(bodyOf({ model, json: asked })['toolConfig']).toMatchObject({
      tools: [{ toolSpec: { name: 'spillway_json__reply', inputSchema: { json: schema } } }],
      toolChoice: { tool: { name: 'spillway_json__reply' } },
    })
  })

  test('beside the caller’s own tools one of them must be called', () => {
    expect(bodyOf({ model: NOVA, json, tools: [TOOL] })['toolConfig']).toMatchObject({
      tools: [{ toolSpec: { name: 'f' } }, { toolSpec: { name: 'spillway_json__reply' } }],
      toolChoice: { any: {} },
    })
  })

  test('where no tool of the caller may be called, only that one is there', () => {
    const none = { kind: 'none' } as const
    expect(bodyOf({ model: NOVA, json, tools: [TOOL], toolChoice: none })['toolConfig']).toMatchObject({
      tools: [{ toolSpec: { name: 'spillway_json__reply' } }],
      toolChoice: { tool: { name: 'spillway_json__reply' } },
    })
  })
})

describe('reasoning', () => {
  const medium = { effort: 'medium', budgetTokens: null, visible: false } as const
  const budget = { effort: null, budgetTokens: 4_000, visible: true } as const
  const fields = (changes: Partial<ModelRequest>) => bodyOf(changes)['additionalModelRequestFields']

  test.each([
    [CLAUDE_4, medium, 20_000, { type: 'enabled', budget_tokens: 8_192 }],
    [CLAUDE_4, budget, 20_000, { type: 'enabled', budget_tokens: 4_000 }],
    [CLAUDE_4, budget, 3_000, { type: 'enabled', budget_tokens: 2_999 }],
    ['anthropic.claude-3-7-sonnet-20250219-v1:0', budget, null, { type: 'enabled', budget_tokens: 4_000 }],
    [CLAUDE_4_6, budget, 20_000, { type: 'adaptive' }],
  ] as const)('%s, asked %j within %s', (model, reasoning, maxOutputTokens, thinking) => {
    expect(fields({ model, reasoning, maxOutputTokens })).toEqual({ thinking })
    expect(leftOut({ model, reasoning, maxOutputTokens })).toEqual([])
  })

  test('a newer Claude is told the effort', () => {
    const body = bodyOf({ model: CLAUDE_4_6, reasoning: { ...medium, effort: 'minimal' } })
    expect(body).toMatchObject({
      outputConfig: { effort: 'low' },
      additionalModelRequestFields: { thinking: { type: 'adaptive' } },
    })
  })

  test.each([
    ['a model that is not told', { model: NOVA, reasoning: medium }],
    ['an older Claude', { model: 'anthropic.claude-3-5-sonnet-20240620-v1:0', reasoning: medium }],
    ['a profile that may be any model', { model: PROFILE, reasoning: medium }],
    [
      'a call in the history whose thoughts are lost',
      {
        model: CLAUDE_4,
        reasoning: budget,
        maxOutputTokens: 9_999,
        tools: [TOOL],
        messages: [user(text('x')), assistant(call('a')), user(result('a'))],
      },
    ],
    ['too little room', { model: CLAUDE_4, reasoning: budget, maxOutputTokens: 1_024 }],
    ['a temperature', { model: CLAUDE_4, reasoning: budget, maxOutputTokens: 9_999, temperature: 0.5 }],
    [
      'a tool that must be called',
      {
        model: CLAUDE_4,
        reasoning: budget,
        maxOutputTokens: 9_999,
        tools: [TOOL],
        toolChoice: { kind: 'required' },
      },
    ],
  ] satisfies readonly (readonly [string, Partial<ModelRequest>])[])(
    '%s: left out, and said',
    (_, changes) => {
      expect(fields(changes)).toBe(undefined)
      expect(leftOut(changes)).toEqual(['reasoning'])
    },
  )

  test('goes on behind a call whose thoughts are there', () => {
    const thought: Part = { kind: 'reasoning', text: 'hm', signature: 's' }
    const messages = [user(text('x')), assistant(thought, call('a')), user(result('a'))]
    const changes = { model: CLAUDE_4, reasoning: budget, maxOutputTokens: 9_999, tools: [TOOL], messages }
    expect(fields(changes)).toEqual({ thinking: { type: 'enabled', budget_tokens: 4_000 } })
    expect(leftOut(changes)).toEqual([])
  })

  test('none is what Claude does unasked', () => {
    const none = { effort: 'none', budgetTokens: null, visible: false } as const
    expect(fields({ model: CLAUDE_4, reasoning: none })).toBe(undefined)
    expect(leftOut({ model: CLAUDE_4, reasoning: none })).toEqual([])
  })
})

test('top-k has a name per maker; elsewhere it is left out and said, as seed and user are', () => {
  expect(bodyOf({ topK: 5 })['additionalModelRequestFields']).toEqual({ top_k: 5 })
  expect(bodyOf({ model: NOVA, topK: 5 })['additionalModelRequestFields']).toEqual({
    inferenceConfig: { topK: 5 },
  })
  expect(leftOut({ model: LLAMA, topK: 5, seed: 1, user: 'u' })).toEqual(['topK', 'seed', 'user'])
})
