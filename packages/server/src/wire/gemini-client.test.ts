// The official client against this format: it sends what we send, and reads what our side of the wire writes.

import {
  FunctionCallingConfigMode,
  type GenerateContentParameters,
  GoogleGenAI,
  ThinkingLevel,
} from '@google/genai'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { type ModelRequest, NOT_ASKED } from '../core/model/message.js'
import { NO_TOKENS } from '../core/money/token-counts.js'
import { encodeGeminiAnswer, geminiEncoder, geminiError } from '../testing/gemini-answer.js'
import { geminiStream } from '../testing/recorded-streams.js'
import { geminiEmbeddings, vertexEmbeddings } from './gemini-embeddings.js'
import { gemini } from './gemini.js'

beforeEach(() => {
  // It warns of calls whenever the text is read.
  vi.spyOn(console, 'warn').mockReturnValue(undefined)
})

afterEach(() => {
  vi.unstubAllGlobals()
  vi.restoreAllMocks()
})

const HOSTS = [
  ['AI Studio', { apiKey: 'none' }],
  ['Vertex', { apiKey: 'none', vertexai: true }],
] as const

/** What the client sends, while every address answers `answer`. */
function answering(answer: string, type = 'application/json', status = 200) {
  const sent: unknown[] = []
  vi.stubGlobal('fetch', (_url: unknown, init: { readonly body: string }): Promise<Response> => {
    sent.push(JSON.parse(init.body))
    return Promise.resolve(new Response(answer, { status, headers: { 'content-type': type } }))
  })
  return sent
}

const SCHEMA = { type: 'object', properties: { city: { type: 'string' } }, additionalProperties: false }

const ASKED: GenerateContentParameters = {
  model: 'gemini-3-pro-preview',
  contents: [
    { role: 'user', parts: [{ text: 'Weather?' }, { inlineData: { mimeType: 'image/png', data: 'AAAA' } }] },
    {
      role: 'model',
      parts: [
        { text: 'Hm.', thought: true, thoughtSignature: 'QUFB' },
        {
          functionCall: { id: 'c1', name: 'get_weather', args: { city: 'Paris' } },
          thoughtSignature: 'QkJC',
        },
      ],
    },
    {
      role: 'user',
      parts: [
        { functionResponse: { id: 'c1', name: 'get_weather', response: { output: 'Rain' } } },
        { fileData: { mimeType: 'application/pdf', fileUri: 'gs://bucket/a.pdf' } },
      ],
    },
  ],
  config: {
    systemInstruction: { parts: [{ text: 'Be brief.' }] },
    tools: [
      { functionDeclarations: [{ name: 'get_weather', description: 'Now', parametersJsonSchema: SCHEMA }] },
    ],
    toolConfig: {
      functionCallingConfig: { mode: FunctionCallingConfigMode.ANY, allowedFunctionNames: ['get_weather'] },
    },
    maxOutputTokens: 100,
    temperature: 0.5,
    topP: 0.9,
    topK: 20,
    stopSequences: ['END'],
    seed: 7,
    presencePenalty: 0.1,
    frequencyPenalty: 0.2,
    responseLogprobs: true,
    logprobs: 3,
    responseMimeType: 'application/json',
    responseJsonSchema: SCHEMA,
    thinkingConfig: { includeThoughts: true, thinkingLevel: ThinkingLevel.LOW },
  },
}

const OURS: ModelRequest = {
  ...NOT_ASKED,
  model: 'gemini-3-pro-preview',
  messages: [
    { role: 'system', parts: [{ kind: 'text', text: 'Be brief.' }] },
    {
      role: 'user',
      parts: [
        { kind: 'text', text: 'Weather?' },
        { kind: 'image', source: { kind: 'base64', mediaType: 'image/png', data: 'AAAA' } },
      ],
    },
    {
      role: 'assistant',
      parts: [
        { kind: 'reasoning', text: 'Hm.', signature: 'gemini:QUFB' },
        {
          kind: 'tool-call',
          id: 'c1',
          name: 'get_weather',
          argumentsJson: '{"city":"Paris"}',
          signature: 'gemini:QkJC',
        },
      ],
    },
    {
      role: 'user',
      parts: [
        { kind: 'tool-result', callId: 'c1', content: [{ kind: 'text', text: 'Rain' }], isError: false },
        { kind: 'document', source: { kind: 'url', url: 'gs://bucket/a.pdf' } },
      ],
    },
  ],
  tools: [{ name: 'get_weather', description: 'Now', parameters: SCHEMA }],
  toolChoice: { kind: 'tool', name: 'get_weather' },
  parallelToolCalls: null,
  maxOutputTokens: 100,
  temperature: 0.5,
  topP: 0.9,
  topK: 20,
  stop: ['END'],
  seed: 7,
  presencePenalty: 0.1,
  frequencyPenalty: 0.2,
  topLogprobs: 3,
  json: { name: 'answer', schema: SCHEMA, strict: true },
  reasoning: { effort: 'low', budgetTokens: null, visible: true },
  stream: false,
  includeUsage: true,
  user: null,
}

const ANSWER = encodeGeminiAnswer({
  id: 'r1',
  model: 'gemini-3-pro-preview',
  parts: [
    { kind: 'reasoning', text: 'Hm.' },
    { kind: 'text', text: 'Sunny.' },
    { kind: 'tool-call', id: 'c2', name: 'get_weather', argumentsJson: '{"city":"Rome"}' },
  ],
  finishReason: 'tool-calls',
  rawFinishReason: 'STOP',
  stopSequence: null,
  usage: {
    tokens: { ...NO_TOKENS, input: 10, cacheRead: 30, output: 5, reasoning: 2 },
    providerTotals: { input: 40, output: 7, total: 47 },
  },
})

describe.each(HOSTS)('the client of %s', (_, options) => {
  test('sends the same body for the same request', async () => {
    const sent = answering(JSON.stringify(ANSWER))
    await new GoogleGenAI(options).models.generateContent(ASKED)
    const encoded = gemini.encodeRequest(OURS)
    expect(encoded).toEqual({ kind: 'ok', value: sent[0] })
  })

  test('reads a whole answer', async () => {
    answering(JSON.stringify(ANSWER))
    const response = await new GoogleGenAI(options).models.generateContent(ASKED)
    expect(response.text).toBe('Sunny.')
    expect(response.functionCalls).toEqual([{ id: 'c2', name: 'get_weather', args: { city: 'Rome' } }])
    expect(response.usageMetadata).toMatchObject({
      promptTokenCount: 40,
      cachedContentTokenCount: 30,
      candidatesTokenCount: 5,
      thoughtsTokenCount: 2,
      totalTokenCount: 47,
    })
  })

  test('reads a stream', async () => {
    const encoder = geminiEncoder({ model: 'gemini-3-pro-preview' })
    const frames = [
      encoder.encode({ kind: 'start', id: 'r1', model: '', usage: null }),
      encoder.encode({ kind: 'text-delta', text: 'Sun' }),
      encoder.encode({ kind: 'text-delta', text: 'ny.' }),
      encoder.encode({ kind: 'finish', reason: 'length', raw: null, stopSequence: null }),
      encoder.encode({ kind: 'end' }),
    ]
    answering(frames.join(''), 'text/event-stream')
    const read = await readAll(options)
    expect(read).toMatchObject({ text: 'Sunny.', finishReason: 'MAX_TOKENS', responseId: 'r1' })
  })

  test.each(['text', 'parallel-calls', 'thoughts-and-call', 'max-tokens', 'cached-tokens', 'grounded'])(
    'reads the recorded stream %s as we do',
    async (name) => {
      const bytes = geminiStream(name)
      answering(bytes.toString(), 'text/event-stream')
      const read = await readAll(options)
      const scanner = gemini.scanner({ keepUsage: true, keepLogprobs: true, collect: true })
      scanner.push(bytes)
      scanner.endOfBody?.()
      expect(read.text).toBe(scanner.facts.text)
      expect(read.calls).toEqual(
        scanner.facts.toolCalls.map(({ name: called, argumentsJson }) => [called, JSON.parse(argumentsJson)]),
      )
      expect(read.totalTokens).toBe(scanner.facts.usage?.providerTotals.total)
    },
  )

  test('reads an error', async () => {
    const body = JSON.stringify(geminiError(429, 'RESOURCE_EXHAUSTED', 'Too many.'))
    answering(body, 'application/json', 429)
    const failure: unknown = await new GoogleGenAI(options).models
      .generateContent(ASKED)
      .catch((e: unknown) => e)
    expect(failure).toMatchObject({ status: 429, message: expect.stringContaining('Too many.') })
  })
})

const EMBEDDED = { model: 'gemini-embedding-001', inputs: ['one', 'two'], dimensions: 256 } as const

describe('embeddings', () => {
  const embed = (options: ConstructorParameters<typeof GoogleGenAI>[0]) =>
    new GoogleGenAI(options).models.embedContent({
      model: EMBEDDED.model,
      contents: [...EMBEDDED.inputs],
      config: { outputDimensionality: EMBEDDED.dimensions, autoTruncate: false },
    })
  const ask = { ...EMBEDDED, encodingFormat: 'float', user: null } as const

  test('AI Studio gets the batch that its client sends', async () => {
    const sent = answering(JSON.stringify({ embeddings: [{ values: [1] }, { values: [2] }] }))
    const { model, inputs: contents, dimensions: outputDimensionality } = EMBEDDED
    const config = { outputDimensionality }
    await new GoogleGenAI({ apiKey: 'none' }).models.embedContent({ model, contents: [...contents], config })
    const ours = geminiEmbeddings.encodeEmbeddings(ask)
    expect(ours).toMatchObject({ kind: 'ok' })
    expect(withoutRole(ours.kind === 'ok' ? ours.value : null)).toEqual(withoutRole(sent[0]))
  })

  test('Vertex gets the instances that its client sends', async () => {
    const prediction = { embeddings: { values: [1], statistics: { token_count: 2, truncated: false } } }
    const sent = answering(JSON.stringify({ predictions: [prediction, prediction] }))
    const read = await embed({ apiKey: 'none', vertexai: true })
    expect(read.embeddings).toHaveLength(2)
    expect(vertexEmbeddings.encodeEmbeddings(ask)).toEqual({ kind: 'ok', value: sent[0] })
  })
})

/** The client says that a user speaks, which is the default. */
function withoutRole(body: unknown): unknown {
  return JSON.parse(JSON.stringify(body), (key, value: unknown) => (key === 'role' ? undefined : value))
}

async function readAll(options: ConstructorParameters<typeof GoogleGenAI>[0]) {
  const read = { text: '', calls: [] as unknown[], finishReason: '', responseId: '', totalTokens: 0 }
  for await (const chunk of await new GoogleGenAI(options).models.generateContentStream(ASKED)) {
    read.text += chunk.text ?? ''
    for (const call of chunk.functionCalls ?? []) read.calls.push([call.name, call.args])
    read.finishReason = chunk.candidates?.[0]?.finishReason ?? read.finishReason
    read.responseId = chunk.responseId ?? read.responseId
    read.totalTokens = chunk.usageMetadata?.totalTokenCount ?? read.totalTokens
  }
  return read
}
