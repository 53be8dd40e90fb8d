import { describe, expect, test } from 'vitest'
import { type Message, type ModelRequest, NOT_ASKED } from '../core/model/message.js'
import { geminiBlockedAnswer, geminiError } from '../testing/gemini-answer.js'
import { gemini } from './gemini.js'

const user = (text: string): Message => ({ role: 'user', parts: [{ kind: 'text', text }] })

const REQUEST: ModelRequest = {
  ...NOT_ASKED,
  model: 'gemini-3-pro-preview',
  messages: [user('Hi')],
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
const TOOL = { name: 'get_weather', parameters: { type: 'object', properties: {} } }

/** The body, or the places that are refused. */
function encoded(more: Partial<ModelRequest>) {
  const result = gemini.encodeRequest({ ...REQUEST, ...more })
  return result.kind === 'ok' ? result.value : result.problems.map(({ at }) => at)
}

const contentsOf = (...messages: readonly Message[]) => encoded({ messages })
const configOf = (more: Partial<ModelRequest>) => encoded(more)

describe('requests', () => {
  test('neither the model nor streaming is in the body', () => {
    expect(encoded({ stream: true, includeUsage: true })).toEqual({
      contents: [{ role: 'user', parts: [{ text: 'Hi' }] }],
    })
  })

  test('system prompts become one instruction; roles alternate; empty words are left out', () => {
    const system: Message = { role: 'system', parts: [{ kind: 'text', text: 'Be brief.' }] }
    const late: Message = { role: 'system', parts: [{ kind: 'text', text: 'Be kind.' }] }
    const begun: Message = { role: 'assistant', parts: [{ kind: 'text', text: 'Hello' }] }
    const silent: Message = { role: 'assistant', parts: [{ kind: 'text', text: '' }] }
    expect(contentsOf(system, user('a'), silent, user('b'), late, begun, user('c'))).toEqual({
      systemInstruction: { parts: [{ text: 'Be brief.' }, { text: 'Be kind.' }] },
      contents: [
        { role: 'user', parts: [{ text: 'a' }, { text: 'b' }] },
        { role: 'model', parts: [{ text: 'Hello' }] },
        { role: 'user', parts: [{ text: 'c' }] },
      ],
    })
  })

  test('results carry the name of their call, and come first in their turn, in one content', () => {
    const call = (id: string, signature?: string) =>
      ({
        kind: 'tool-call',
        id,
        name: `tool_${id}`,
        argumentsJson: '{"a":1}',
        ...(signature === undefined ? {} : { signature }),
      }) as const
    const result = (callId: string, isError = false) =>
      ({ kind: 'tool-result', callId, content: [{ kind: 'text', text: callId }], isError }) as const
    const body = contentsOf(
      user('go'),
      { role: 'assistant', parts: [call('x', 'gemini:SIG'), call('y')] },
      { role: 'user', parts: [{ kind: 'text', text: 'and?' }, result('y', true)] },
      { role: 'user', parts: [result('x')] },
    )
    expect(body).toMatchObject({
      contents: [
        { role: 'user' },
        {
          role: 'model',
          parts: [
            { functionCall: { id: 'x', name: 'tool_x', args: { a: 1 } }, thoughtSignature: 'SIG' },
            { functionCall: { id: 'y', name: 'tool_y', args: { a: 1 } } },
          ],
        },
        {
          role: 'user',
          parts: [
            { functionResponse: { id: 'y', name: 'tool_y', response: { error: 'y' } } },
            { functionResponse: { id: 'x', name: 'tool_x', response: { output: 'x' } } },
            { text: 'and?' },
          ],
        },
      ],
    })
    expect(JSON.stringify(body).match(/thoughtSignature/g)).toHaveLength(1)
  })

  test.each([
    ['gemini-3-flash-preview', 'skip_thought_signature_validator'],
    ['gemini-flash-latest', 'skip_thought_signature_validator'],
    ['gemini-2.5-pro', undefined],
    ['models/gemini-2.0-flash', undefined],
  ])('%s: a call whose signature was lost on the way is marked as %s', (model, signature) => {
    const call = { kind: 'tool-call', id: 'x', name: 'f', argumentsJson: '' } as const
    const result = { kind: 'tool-result', callId: 'x', content: [], isError: false } as const
    const messages: readonly Message[] = [
      user('go'),
      { role: 'assistant', parts: [call, { ...call, id: 'y' }] },
      { role: 'user', parts: [result, { ...result, callId: 'y' }] },
    ]
    const first = { functionCall: { id: 'x', name: 'f', args: {} } }
    expect(encoded({ model, messages })).toMatchObject({
      contents: [
        {},
        {
          parts: [
            signature === undefined ? first : { ...first, thoughtSignature: signature },
            { functionCall: { id: 'y', name: 'f', args: {} } },
          ],
        },
        {},
      ],
    })
    expect(JSON.stringify(encoded({ model, messages })).includes('thoughtSignature')).toBe(
      signature !== undefined,
    )
  })

  test('thoughts go back with their signatures, in their places', () => {
    const parts: Message['parts'] = [
      { kind: 'reasoning', text: 'Hm.', signature: 'gemini:A' },
      { kind: 'reasoning', text: 'Well.' },
      { kind: 'text', text: 'Yes.' },
      { kind: 'reasoning', text: '', signature: 'gemini:B' },
      { kind: 'reasoning', text: '', redacted: 'of another provider' },
    ]
    expect(contentsOf(user('a'), { role: 'assistant', parts }, user('b'))).toMatchObject({
      contents: [
        {},
        {
          parts: [
            { text: 'Hm.', thought: true, thoughtSignature: 'A' },
            { text: 'Well.', thought: true },
            { text: 'Yes.' },
            { text: '', thoughtSignature: 'B' },
          ],
        },
        {},
      ],
    })
  })

  test.each([
    [
      { kind: 'base64', mediaType: 'image/webp', data: 'AA==' },
      { inlineData: { mimeType: 'image/webp', data: 'AA==' } },
    ],
    [
      { kind: 'url', url: 'https://x.test/a.JPG?w=1' },
      { fileData: { mimeType: 'image/jpeg', fileUri: 'https://x.test/a.JPG?w=1' } },
    ],
    [
      { kind: 'url', url: 'gs://bucket/a.png' },
      { fileData: { mimeType: 'image/png', fileUri: 'gs://bucket/a.png' } },
    ],
  ] as const)('the image %j becomes %j', (source, part) => {
    const body = contentsOf({ role: 'user', parts: [{ kind: 'image', source }] })
    expect(body).toEqual({ contents: [{ role: 'user', parts: [part] }] })
  })

  test.each([
    [{ kind: 'base64', mediaType: 'image/gif', data: 'AA==' }],
    [{ kind: 'url', url: 'http://x.test/a.png' }],
    [{ kind: 'url', url: 'https://x.test/image' }],
    [{ kind: 'url', url: 'https://x.test/a.gif' }],
  ] as const)('the image %j is refused by its place', (source) => {
    const image = { kind: 'image', source } as const
    expect(contentsOf({ role: 'user', parts: [{ kind: 'text', text: 'a' }, image] })).toEqual([
      'messages[0].content[1]',
    ])
  })

  test('documents are data, addresses or words', () => {
    const body = contentsOf({
      role: 'user',
      parts: [
        { kind: 'document', source: { kind: 'base64', mediaType: 'application/pdf', data: 'JVBERg==' } },
        { kind: 'document', source: { kind: 'url', url: 'https://x.test/a.pdf' }, title: 'A' },
        { kind: 'document', source: { kind: 'text', text: 'words' } },
      ],
    })
    expect(body).toMatchObject({
      contents: [
        {
          parts: [
            { inlineData: { mimeType: 'application/pdf', data: 'JVBERg==' } },
            { fileData: { mimeType: 'application/pdf', fileUri: 'https://x.test/a.pdf' } },
            { text: 'words' },
          ],
        },
      ],
    })
  })

  test.each([
    ['gemini-3-pro-preview', { effort: 'low' }, { thinkingLevel: 'LOW' }],
    [
      'gemini-3-pro-preview',
      { effort: 'xhigh', visible: true },
      { thinkingLevel: 'HIGH', includeThoughts: true },
    ],
    ['gemini-2.5-flash', { effort: 'medium' }, { thinkingBudget: 8_192 }],
    ['gemini-2.5-flash', { effort: 'none' }, { thinkingBudget: 0 }],
    ['gemini-3-pro-preview', { effort: 'high', budgetTokens: 512 }, { thinkingBudget: 512 }],
    ['gemini-3-pro-preview', { visible: true }, { includeThoughts: true }],
  ] as const)('%s thinks %j as %j', (model, ask, thinkingConfig) => {
    const reasoning = { effort: null, budgetTokens: null, visible: false, ...ask }
    expect(encoded({ model, reasoning })).toMatchObject({ generationConfig: { thinkingConfig } })
  })

  test('a schema goes as JSON Schema, any JSON only by its type', () => {
    const schema = { type: 'object', additionalProperties: false }
    const config = { responseMimeType: 'application/json' }
    expect(configOf({ json: { name: 'a', schema, strict: true } })).toMatchObject({
      generationConfig: { ...config, responseJsonSchema: schema },
    })
    expect(configOf({ json: { name: 'a', schema: null, strict: false } })).toMatchObject({
      generationConfig: config,
    })
  })

  describe('JSON beside tools', () => {
    const json = { name: 'reply', schema: { type: 'object', properties: { ok: {} } }, strict: true }
    const old = { model: 'gemini-2.5-flash', tools: [TOOL], json }

    test('is one of the tools before Gemini 3, and the model must call one', () => {
      expect(encoded(old)).toMatchObject({
        tools: [
          {
            functionDeclarations: [
              { name: 'get_weather' },
              { name: 'spillway_json__reply', parametersJsonSchema: json.schema },
            ],
          },
        ],
        toolConfig: { functionCallingConfig: { mode: 'ANY' } },
      })
      expect(encoded(old)).not.toHaveProperty('generationConfig')
    })

    test('is both since', () => {
      expect(encoded({ ...old, model: 'gemini-3-pro-preview' })).toMatchObject({
        tools: [{ functionDeclarations: [{ name: 'get_weather' }] }],
        generationConfig: { responseMimeType: 'application/json' },
      })
    })

    test('is all there is where no tool may be called', () => {
      const body = encoded({ ...old, toolChoice: { kind: 'none' } })
      expect(body).toMatchObject({ generationConfig: { responseJsonSchema: json.schema } })
      expect(body).not.toHaveProperty('tools')
    })

    test('is not asked for where a tool must be called', () => {
      const body = encoded({ ...old, toolChoice: { kind: 'required' } })
      expect(body).toMatchObject({ tools: [{ functionDeclarations: [{ name: 'get_weather' }] }] })
      expect(JSON.stringify(body)).not.toMatch(/application.json|spillway_json/)
    })

    test('comes back as text, in place of the words around it', () => {
      const parts = [
        { text: 'Here:' },
        { functionCall: { name: 'spillway_json__reply', args: { ok: true } } },
      ]
      const body = answerOf({ content: { parts }, finishReason: 'STOP' })
      const facts = { text: '{"ok":true}', toolCalls: [], finishReason: 'stop' }
      expect(gemini.readAnswer(body)).toMatchObject(facts)
      expect(gemini.decodeAnswer(body)?.parts).toEqual([{ kind: 'text', text: '{"ok":true}' }])
      const scanner = gemini.scanner({ keepUsage: true, keepLogprobs: true, collect: true })
      scanner.push(Buffer.from(`data: ${JSON.stringify(body)}\n\n`))
      scanner.endOfBody?.()
      expect(scanner.facts).toMatchObject({ ...facts, ended: true })
    })
  })

  test.each<[string, Partial<ModelRequest>]>([
    ['tools[0].name', { tools: [{ ...TOOL, name: 'spillway_json__x' }] }],
    ['stop', { stop: ['a', 'b', 'c', 'd', 'e', 'f'] }],
    ['temperature', { temperature: 2.1 }],
    ['top_logprobs', { topLogprobs: 21 }],
    ['seed', { seed: 2 ** 31 }],
    ['tools[0].name', { tools: [{ ...TOOL, name: '1st' }] }],
    ['parallel_tool_calls', { tools: [TOOL], parallelToolCalls: false }],
    ['messages', { messages: [] }],
    ['messages', { messages: [user('a'), { role: 'assistant', parts: [{ kind: 'text', text: 'b' }] }] }],
    [
      'messages[0].content[0]',
      {
        messages: [
          {
            role: 'system',
            parts: [{ kind: 'image', source: { kind: 'url', url: 'https://x.test/a.png' } }],
          },
          user('a'),
        ],
      },
    ],
    [
      'messages[1].content[0].arguments',
      {
        messages: [
          user('a'),
          { role: 'assistant', parts: [{ kind: 'tool-call', id: 'x', name: 'f', argumentsJson: '{"a":' }] },
          user('b'),
        ],
      },
    ],
    [
      'messages[0].content[0]',
      {
        messages: [
          { role: 'user', parts: [{ kind: 'tool-result', callId: 'gone', content: [], isError: false }] },
          user('a'),
        ],
      },
    ],
  ])('%s is refused by its name where this format has no word for it: %j', (at, more) => {
    expect(encoded(more)).toEqual([at])
  })

  test('forbidding parallel calls is nothing where none can be made', () => {
    expect(encoded({ parallelToolCalls: false })).not.toBeInstanceOf(Array)
    expect(encoded({ tools: [TOOL], toolChoice: { kind: 'none' }, parallelToolCalls: false })).toMatchObject({
      toolConfig: { functionCallingConfig: { mode: 'NONE' } },
    })
  })

  test('hints that are left out are told', () => {
    const image = {
      kind: 'image',
      source: { kind: 'url', url: 'https://x.test/a.png' },
      detail: 'low',
    } as const
    const request: ModelRequest = {
      ...REQUEST,
      messages: [
        { role: 'user', parts: [{ kind: 'text', text: 'a', cacheControl: { type: 'ephemeral' } }, image] },
        {
          role: 'assistant',
          parts: [
            { kind: 'reasoning', text: '', redacted: 'x' },
            { kind: 'reasoning', text: 'Hm.', signature: 'of another provider' },
            { kind: 'reasoning', text: 'Hm.', signature: 'gemini:ours' },
          ],
        },
      ],
      tools: [{ ...TOOL, strict: true }],
      reasoning: { effort: 'xhigh', budgetTokens: null, visible: false },
      user: 'u-1',
    }
    expect(gemini.leavesOut(request)).toEqual([
      'messages[0].content[0].cacheControl',
      'messages[0].content[1].detail',
      'messages[1].content[0]',
      'messages[1].content[1].signature',
      'tools[0].strict',
      'reasoning.effort',
      'user',
    ])
    expect(gemini.leavesOut(REQUEST)).toEqual([])
  })
})

const USAGE = { promptTokenCount: 8, candidatesTokenCount: 3, totalTokenCount: 11 }
const answerOf = (candidate: object, more: object = {}) => ({
  candidates: [candidate],
  usageMetadata: USAGE,
  modelVersion: 'gemini-2.5-flash',
  responseId: 'abc',
  ...more,
})

describe('answers', () => {
  test('thoughts, words, signatures and calls keep their order', () => {
    const parts = [
      { text: 'Hm.', thought: true },
      { text: 'Two calls.', thoughtSignature: 'S1' },
      { functionCall: { name: 'f', args: { a: 1 } }, thoughtSignature: 'S2' },
      { executableCode: { language: 'PYTHON', code: '1' } },
      { functionCall: { name: 'f' } },
    ]
    const body = answerOf({ content: { role: 'model', parts }, finishReason: 'STOP', index: 0 })
    expect(gemini.decodeAnswer(body)).toEqual({
      id: 'abc',
      model: 'gemini-2.5-flash',
      parts: [
        { kind: 'reasoning', text: 'Hm.' },
        { kind: 'text', text: 'Two calls.' },
        { kind: 'reasoning', text: '', signature: 'gemini:S1' },
        { kind: 'tool-call', id: 'call_abc_0', name: 'f', argumentsJson: '{"a":1}', signature: 'gemini:S2' },
        { kind: 'tool-call', id: 'call_abc_1', name: 'f', argumentsJson: '{}' },
      ],
      finishReason: 'tool-calls',
      rawFinishReason: 'STOP',
      stopSequence: null,
      usage: expect.objectContaining({ providerTotals: { input: 8, output: 3, total: 11 } }),
    })
    expect(gemini.readAnswer(body)).toMatchObject({ text: 'Two calls.', finishReason: 'tool-calls' })
  })

  test.each([
    ['STOP', 'stop'],
    ['MAX_TOKENS', 'length'],
    ['SAFETY', 'refusal'],
    ['RECITATION', 'refusal'],
    ['BLOCKLIST', 'refusal'],
    ['PROHIBITED_CONTENT', 'refusal'],
    ['SPII', 'refusal'],
    ['MALFORMED_FUNCTION_CALL', 'other'],
    ['constructor', 'other'],
    ['FINISH_REASON_UNSPECIFIED', null],
  ])('%s is %s', (finishReason, reason) => {
    expect(gemini.readAnswer(answerOf({ finishReason }))?.finishReason).toBe(reason)
  })

  test('of several candidates the first one counts, wherever it stands', () => {
    const candidates = [
      { index: 1, content: { parts: [{ text: 'second' }] }, finishReason: 'MAX_TOKENS' },
      { content: { parts: [{ text: 'first' }] }, finishReason: 'STOP' },
    ]
    expect(gemini.readAnswer({ candidates })).toMatchObject({ text: 'first', finishReason: 'stop' })
  })

  test('a blocked prompt is a refusal with its reason', () => {
    const blocked = geminiBlockedAnswer('OTHER')
    expect(gemini.readAnswer(blocked)).toMatchObject({ text: '', finishReason: 'refusal', refusal: 'OTHER' })
    expect(gemini.decodeAnswer(blocked)).toMatchObject({
      parts: [],
      finishReason: 'refusal',
      rawFinishReason: 'OTHER',
      usage: { tokens: { input: 4, output: 0 } },
    })
    const worded = { promptFeedback: { blockReason: 'SAFETY', blockReasonMessage: 'No.' } }
    expect(gemini.decodeAnswer(worded)?.parts).toEqual([{ kind: 'refusal', text: 'No.' }])
  })

  test.each([
    [null],
    [[]],
    ['<html>'],
    [{ candidates: [] }],
    [{ promptFeedback: {} }],
    [{ usageMetadata: USAGE }],
  ])('%j is no answer', (body) => {
    expect(gemini.readAnswer(body)).toBeNull()
    expect(gemini.decodeAnswer(body)).toBeNull()
  })

  test('confidence is that of the tokens, or what the provider says it is on average', () => {
    const token = (logProbability: number) => ({ token: 'x', tokenId: 1, logProbability })
    const logprobsResult = {
      chosenCandidates: [token(-0.1), token(-0.3)],
      topCandidates: [{ candidates: [token(-0.1), { token: 'y', logProbability: -2 }] }, { candidates: [] }],
    }
    const told = answerOf({ finishReason: 'STOP', avgLogprobs: -9, logprobsResult })
    expect(gemini.readAnswer(told)?.meanTokenProbability).toBeCloseTo(Math.exp(-0.2), 10)
    expect(gemini.decodeAnswer(told)?.logprobs).toEqual([
      {
        token: 'x',
        logprob: -0.1,
        top: [
          { token: 'x', logprob: -0.1 },
          { token: 'y', logprob: -2 },
        ],
      },
      { token: 'x', logprob: -0.3, top: [] },
    ])
    const average = answerOf({ finishReason: 'STOP', avgLogprobs: -0.5 })
    expect(gemini.readAnswer(average)?.meanTokenProbability).toBeCloseTo(Math.exp(-0.5), 10)
    expect(gemini.decodeAnswer(average)).not.toHaveProperty('logprobs')
  })

  test('sources stand with the words they belong to, in characters', () => {
    const groundingMetadata = {
      groundingChunks: [
        { web: { uri: 'https://a.test', title: 'A' } },
        { retrievedContext: { uri: 'gs://b', title: 'B', text: 'quote' } },
      ],
      groundingSupports: [
        {
          segment: { partIndex: 1, startIndex: 5, endIndex: 10, text: 'héé' },
          groundingChunkIndices: [0, 1, 9],
        },
        { segment: { partIndex: 1, startIndex: 5, endIndex: 99 }, groundingChunkIndices: [0] },
      ],
    }
    const citationMetadata = { citations: [{ startIndex: 0, endIndex: 4, uri: 'https://c.test' }] }
    const parts = [{ text: 'a', thought: true }, { text: 'üü héé' }]
    const answer = gemini.decodeAnswer(
      answerOf({ content: { parts }, finishReason: 'STOP', groundingMetadata, citationMetadata }),
    )
    const nowhere = { documentIndex: null, location: null }
    expect(answer?.parts[1]).toEqual({
      kind: 'text',
      text: 'üü héé',
      citations: [
        { citedText: null, title: 'A', url: 'https://a.test', ...nowhere, span: { start: 3, end: 6 } },
        { citedText: 'quote', title: 'B', url: 'gs://b', ...nowhere, span: { start: 3, end: 6 } },
        { citedText: null, title: 'A', url: 'https://a.test', ...nowhere, span: null },
        { citedText: null, title: null, url: 'https://c.test', ...nowhere, span: { start: 0, end: 2 } },
      ],
    })
  })
})

describe('errors', () => {
  test.each([
    ['an object', geminiError(400, 'INVALID_ARGUMENT', 'Bad.'), ['INVALID_ARGUMENT', '400', 'Bad.']],
    ['a list of one', [geminiError(503, 'UNAVAILABLE', 'Later.')], ['UNAVAILABLE', '503', 'Later.']],
    [
      'with details',
      {
        error: {
          code: 400,
          message: 'API key not valid. Please pass a valid API key.',
          status: 'INVALID_ARGUMENT',
          details: [
            {
              '@type': 'type.googleapis.com/google.rpc.ErrorInfo',
              reason: 'API_KEY_INVALID',
              domain: 'googleapis.com',
            },
          ],
        },
      },
      ['INVALID_ARGUMENT', 'API_KEY_INVALID', 'API key not valid. Please pass a valid API key.'],
    ],
  ])('%s is read', (_, body, [type, code, message]) => {
    expect(gemini.readError(400, JSON.stringify(body, null, 2))).toEqual({ type, code, message })
  })

  test.each([['<html>'], ['[]'], ['{"error":7}'], ['']])('%j is an error without words', (body) => {
    expect(gemini.readError(502, body).message).toBe('HTTP 502 without a readable error')
  })
})
