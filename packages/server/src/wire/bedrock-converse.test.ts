// Whole Converse answers and errors, as AWS documents them, and round trips.

import type { StopReason } from '@aws-sdk/client-bedrock-runtime'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { FinishReason, Message, ModelRequest, Part } from '../core/model/message.js'
import { NO_TOKENS } from '../core/money/token-counts.js'
import { STOP_REASONS, encodeConverseAnswer } from '../testing/converse-answer.js'
import { decodeConverseRequest } from '../testing/converse-request.js'
import { modelRequest } from '../testing/model-request.js'
import { converseAnswer } from '../testing/recorded-streams.js'
import { bedrockConverse } from './bedrock-converse.js'
import type { ModelAnswer } from './format.js'

describe('an answer', () => {
  test('of text', () => {
    expect(bedrockConverse.readAnswer(converseAnswer('text'))).toMatchObject({
      id: null,
      text: expect.stringContaining('As It Was'),
      finishReason: 'stop',
      toolCalls: [],
      refusal: null,
      usage: {
        tokens: { input: 125, cacheRead: 0, cacheWrite: 0, output: 60 },
        providerTotals: { input: 125, output: 60, total: 185 },
      },
    })
  })

  test('of parallel calls', () => {
    expect(bedrockConverse.readAnswer(converseAnswer('parallel-tools'))).toMatchObject({
      text: 'I will look up both.',
      finishReason: 'tool-calls',
      toolCalls: [
        { id: 'tooluse_hbTgdi0CSLq_hM4P8csZJA', name: 'top_song', argumentsJson: '{"sign":"WZPZ"}' },
        { id: 'tooluse_kZJMlvQmRJ6eAyJE5GIl7Q', name: 'now', argumentsJson: '{}' },
      ],
    })
  })

  test('of reasoning, with its signature and the stop sequence', () => {
    expect(bedrockConverse.decodeAnswer(converseAnswer('reasoning'))).toMatchObject({
      parts: [
        { kind: 'reasoning', text: 'The user asks for a sum.', signature: 'ErUBCkYIAxgCIkD0' },
        { kind: 'reasoning', text: '', redacted: 'RW1zS0RRZ0NFQUE=' },
        { kind: 'text', text: 'Four.' },
      ],
      finishReason: 'stop',
      rawFinishReason: 'stop_sequence',
      stopSequence: 'END',
    })
  })

  test('stopped by a guardrail is a refusal in its words', () => {
    expect(bedrockConverse.readAnswer(converseAnswer('guardrail'))).toMatchObject({
      finishReason: 'refusal',
      refusal: "Sorry, I can't answer questions about heavy metal music.",
    })
  })

  test('with citations', () => {
    expect(bedrockConverse.decodeAnswer(converseAnswer('citations'))?.parts).toEqual([
      { kind: 'text', text: 'According to the report, ' },
      {
        kind: 'text',
        text: 'revenue grew by 8 %.',
        citations: [
          {
            citedText: 'Revenue grew by 8 %.',
            title: 'Annual report',
            url: null,
            documentIndex: 0,
            location: { unit: 'page', start: 2, end: 3 },
            span: null,
          },
          {
            citedText: null,
            title: 'Press',
            url: 'https://example.com/report',
            documentIndex: null,
            location: null,
            span: null,
          },
        ],
      },
    ])
  })

  test('by the JSON tool is its arguments, whatever is around them', () => {
    const use = { toolUseId: 't', name: 'spillway_json__reply', input: { mood: 'good' } }
    const content = [{ text: 'Here:' }, { toolUse: use }]
    const body = { output: { message: { role: 'assistant', content } }, stopReason: 'tool_use' }
    expect(bedrockConverse.readAnswer(body)).toMatchObject({
      text: '{"mood":"good"}',
      toolCalls: [],
      finishReason: 'stop',
    })
  })

  test('that calls the tool that stands in for none calls nothing', () => {
    const use = { toolUseId: 't', name: 'spillway_no_tool', input: {} }
    const content = [{ text: 'Well.' }, { toolUse: use }]
    const body = { output: { message: { role: 'assistant', content } }, stopReason: 'tool_use' }
    expect(bedrockConverse.readAnswer(body)).toMatchObject({
      text: 'Well.',
      toolCalls: [],
      finishReason: 'stop',
    })
  })

  test.each([['<html>'], [null], [{}], [{ message: 'no' }], [{ output: { message: { content: 'x' } } }]])(
    '%j is none',
    (body) => {
      expect(bedrockConverse.readAnswer(body)).toBe(null)
      expect(bedrockConverse.decodeAnswer(body)).toBe(null)
    },
  )
})

// The compiler sees to it that every stop reason of the official types is here.
const REASONS: Readonly<Record<StopReason, FinishReason>> = {
  end_turn: 'stop',
  stop_sequence: 'stop',
  max_tokens: 'length',
  model_context_window_exceeded: 'length',
  tool_use: 'tool-calls',
  guardrail_intervened: 'refusal',
  content_filtered: 'refusal',
  malformed_model_output: 'other',
  malformed_tool_use: 'other',
}

test.each(Object.entries(REASONS))('stop reason %s is %s', (stopReason, finishReason) => {
  const content = [{ toolUse: { toolUseId: 't', name: 'f', input: {} } }]
  const body = { output: { message: { role: 'assistant', content } }, stopReason }
  expect(bedrockConverse.decodeAnswer(body)).toMatchObject({ finishReason, rawFinishReason: stopReason })
})

describe('usage', () => {
  const usageOf = (usage: unknown) =>
    bedrockConverse.readAnswer({ output: { message: { content: [] } }, stopReason: 'end_turn', usage })?.usage

  test('has both cache classes apart from the input, and the hour’s apart from the rest', () => {
    expect(bedrockConverse.readAnswer(converseAnswer('cache'))?.usage).toEqual({
      tokens: { ...NO_TOKENS, input: 4, cacheRead: 1800, cacheWrite: 200, cacheWrite1h: 1000, output: 10 },
      providerTotals: { input: 3004, output: 10, total: 3014 },
    })
  })

  test('is read under its other names', () => {
    const usage = {
      inputTokens: 4,
      outputTokens: 1,
      cacheReadInputTokenCount: 7,
      cacheWriteInputTokenCount: 2,
    }
    expect(usageOf(usage)?.tokens).toMatchObject({ input: 4, cacheRead: 7, cacheWrite: 2, output: 1 })
  })

  test('whose total leaves the cache out gives no total to check', () => {
    const usage = { inputTokens: 4, outputTokens: 1, totalTokens: 5, cacheReadInputTokens: 7 }
    expect(usageOf(usage)?.providerTotals).toEqual({ input: 11, output: 1, total: null })
  })

  test.each([
    [{ inputTokens: -1, outputTokens: 1 }],
    [{ inputTokens: 1 }],
    [{ inputTokens: 1, outputTokens: 1.5 }],
    [{ inputTokens: 1, outputTokens: 1, totalTokens: '2' }],
    [{ inputTokens: 1, outputTokens: 1, cacheDetails: [{ ttl: '1h', inputTokens: -1 }] }],
    ['5'],
  ])('%j cannot be', (usage) => {
    expect(usageOf(usage)).toBe(null)
  })
})

describe('an error', () => {
  test.each([
    [400, '{"message":"The model ID is invalid."}', { type: null, message: 'The model ID is invalid.' }],
    [
      429,
      '{"message":"Too many tokens, please wait before trying again."}',
      { type: null, message: 'Too many tokens, please wait before trying again.' },
    ],
    [
      403,
      '{"Message":"User: arn:aws:iam::123456789012:user/x is not authorized"}',
      { type: null, message: 'User: arn:aws:iam::123456789012:user/x is not authorized' },
    ],
    [
      404,
      '{"Output":{"__type":"com.amazon.coral.service#UnknownOperationException"},"Version":"1.0"}',
      { type: null, message: 'HTTP 404 without a readable error' },
    ],
    [
      400,
      '{"__type":"com.amazon.coral.service#ExpiredTokenException","message":"The security token is expired"}',
      { type: 'ExpiredTokenException', message: 'The security token is expired' },
    ],
    [503, '<html>no</html>', { type: null, message: 'HTTP 503 without a readable error' }],
    [503, 'Service Unavailable', { type: null, message: 'Service Unavailable' }],
  ])('%i %s', (status, body, expected) => {
    expect(bedrockConverse.readError(status, body)).toEqual({ code: null, ...expected })
  })

  test.each([
    'Input is too long for requested model.',
    'Input Tokens Exceeded: Number of input tokens exceeds maximum length.',
    'The model returned the following errors: prompt is too long: 215000 tokens > 200000 maximum',
  ])('that the prompt does not fit has the code for it: %s', (message) => {
    const error = bedrockConverse.readError(400, JSON.stringify({ message }))
    expect(error).toEqual({ type: null, code: 'context_length_exceeded', message })
  })

  test('has no key in it', () => {
    const message = 'The credential AKIAIOSFODNN7EXAMPLE/20261124/us-east-1/bedrock is wrong'
    expect(bedrockConverse.readError(403, JSON.stringify({ message })).message).not.toContain(
      'AKIAIOSFODNN7EXAMPLE',
    )
  })
})

const text = fc.string({ minLength: 1, unit: 'grapheme' })
const name = fc.stringMatching(/^[a-z][a-z0-9_]{0,8}$/)
const id = fc.stringMatching(/^[A-Za-z0-9_-]{1,12}$/)
const data = fc.base64String({ minLength: 4 })
const kind = <K extends Part['kind']>(one: K) => fc.constant(one)
const overJson = (value: unknown): unknown => JSON.parse(JSON.stringify(value))
const argumentsJson = fc
  .dictionary(name, fc.jsonValue({ maxDepth: 1 }))
  .map((value) => JSON.stringify(overJson(value)))

const mark = fc.constantFrom(
  {},
  { cacheControl: { type: 'ephemeral' } },
  { cacheControl: { type: 'ephemeral', ttl: '1h' } },
)
const words: fc.Arbitrary<Part> = fc.record({ kind: kind('text'), text })
const marked: fc.Arbitrary<Part> = fc.tuple(words, mark).map(([part, more]) => ({ ...part, ...more }))
const image: fc.Arbitrary<Part> = fc
  .record({ mediaType: fc.constantFrom('image/png', 'image/webp'), data })
  .map((source) => ({ kind: 'image', source: { kind: 'base64', ...source } }))
const call: fc.Arbitrary<Part> = fc.record({ kind: kind('tool-call'), id, name, argumentsJson })
const result: fc.Arbitrary<Part> = fc.record({
  kind: kind('tool-result'),
  callId: id,
  content: fc.array(fc.oneof(words, image), { maxLength: 2 }),
  isError: fc.boolean(),
})
const thought: fc.Arbitrary<Part> = fc.oneof(
  fc.record({ kind: kind('reasoning'), text, signature: text }),
  fc.record({ kind: kind('reasoning'), text: fc.constant(''), redacted: data }),
)
const some = (part: fc.Arbitrary<Part>, minLength = 0) => fc.array(part, { minLength, maxLength: 2 })
const together = (...lists: fc.Arbitrary<Part[]>[]) => fc.tuple(...lists).map((parts) => parts.flat())
const document: fc.Arbitrary<Part[]> = fc.oneof(
  fc.constant<Part[]>([]),
  fc
    .record({ text })
    .map(({ text: body }): Part[] => [
      { kind: 'document', title: 'Report (2)', source: { kind: 'text', text: body }, cite: true },
    ]),
)

const asked = together(some(result), some(marked, 1), some(image))
const answered = together(some(thought, 1), some(marked, 1), some(call))
const conversation = fc
  .tuple(some(marked), fc.array(fc.tuple(asked, answered), { maxLength: 2 }), asked, document)
  .map(([system, turns, last, report]): Message[] => [
    ...(system.length === 0 ? [] : [{ role: 'system' as const, parts: system }]),
    ...turns.flatMap(([user, assistant]): Message[] => [
      { role: 'user', parts: user },
      { role: 'assistant', parts: assistant },
    ]),
    { role: 'user', parts: [...last, ...report] },
  ])

const schema = fc.record({
  type: fc.constant('object'),
  properties: fc.dictionary(name, fc.record({ type: fc.constantFrom('string', 'number') })),
})
const tools = fc.array(
  fc.record({ name, parameters: schema, description: text, strict: fc.constant(true) }),
  {
    minLength: 1,
    maxLength: 2,
  },
)
const asks: fc.Arbitrary<Partial<ModelRequest>> = fc.oneof(
  fc
    .oneof(
      fc.constant(null),
      fc.constantFrom(...(['auto', 'required'] as const)).map((one) => ({ kind: one })),
      name.map((one) => ({ kind: 'tool' as const, name: one })),
    )
    .map((toolChoice) => ({ toolChoice })),
  fc.record({ name, schema, strict: fc.boolean() }).map((json) => ({ json })),
  fc.constant({
    maxOutputTokens: 20_000,
    reasoning: { effort: null, budgetTokens: 2_048, visible: true },
  }),
)

test('requests survive encoding and decoding: marks, signatures, tools, schemas', () => {
  const limits = fc.record({
    maxOutputTokens: fc.option(fc.integer({ min: 1, max: 9_999 })),
    temperature: fc.constantFrom(null, 0, 0.25, 1),
    topP: fc.constantFrom(null, 0.95, 1),
    topK: fc.option(fc.integer({ min: 1, max: 99 })),
    stop: fc.array(name, { maxLength: 3 }),
  })
  fc.assert(
    fc.property(conversation, tools, limits, asks, (messages, given, limited, more) => {
      const sampling = 'reasoning' in more ? { stop: limited.stop } : limited
      const model = 'eu.anthropic.claude-sonnet-4-5-20250929-v1:0'
      const request = modelRequest({ model, messages, tools: given, ...sampling, ...more })
      const encoded = bedrockConverse.encodeRequest(request)
      expect(encoded).toMatchObject({ kind: 'ok' })
      const body = overJson(encoded.kind === 'ok' ? encoded.value : null)
      expect(decodeConverseRequest(body, { model, stream: false })).toEqual(request)
      expect(bedrockConverse.leavesOut(request)).toEqual([])
    }),
  )
})

test('answers survive encoding and decoding', () => {
  const counts = fc.record({
    input: fc.nat(),
    cacheRead: fc.nat(),
    cacheWrite: fc.nat(),
    cacheWrite1h: fc.nat(),
    output: fc.integer({ min: 1, max: 9_999 }),
  })
  const citation = fc.record({
    citedText: fc.option(text),
    title: fc.option(text),
    url: fc.constantFrom(null, 'https://example.com/a'),
    documentIndex: fc.nat(9),
    location: fc.record({
      unit: fc.constantFrom('char' as const, 'page' as const, 'block' as const),
      start: fc.nat(99),
      end: fc.nat(99),
    }),
    span: fc.constant(null),
  })
  const cited: fc.Arbitrary<Part> = fc.record({
    kind: kind('text'),
    text,
    citations: fc.array(citation, { minLength: 1, maxLength: 2 }),
  })
  const parts = together(some(thought), some(fc.oneof(words, cited)), some(call))
  const reason = fc.constantFrom<FinishReason>('stop', 'length', 'refusal', 'other')
  fc.assert(
    fc.property(parts, counts, reason, fc.constantFrom(null, 'END'), (said, used, end, stopSequence) => {
      const isCall = said.some((part) => part.kind === 'tool-call')
      const finishReason = isCall ? 'tool-calls' : end
      const input = used.input + used.cacheRead + used.cacheWrite + used.cacheWrite1h
      const providerTotals = { input, output: used.output, total: input + used.output }
      const answer: ModelAnswer = {
        id: '',
        model: '',
        parts: said,
        finishReason,
        rawFinishReason: STOP_REASONS[finishReason],
        stopSequence,
        usage: { tokens: { ...NO_TOKENS, ...used }, providerTotals },
      }
      expect(bedrockConverse.decodeAnswer(overJson(encodeConverseAnswer(answer)))).toEqual(answer)
    }),
  )
})

test('no body makes a decoder throw', () => {
  const content = fc.array(
    fc.record(
      {
        text: fc.jsonValue(),
        toolUse: fc.oneof(fc.jsonValue(), fc.record({ name: fc.jsonValue(), input: fc.jsonValue() })),
        reasoningContent: fc.jsonValue(),
        citationsContent: fc.record({ content: fc.jsonValue(), citations: fc.jsonValue() }),
      },
      { requiredKeys: [] },
    ),
  )
  const body = fc.record({
    output: fc.record({ message: fc.record({ content }) }),
    usage: fc.jsonValue(),
    stopReason: fc.jsonValue(),
  })
  fc.assert(
    fc.property(fc.oneof(fc.jsonValue(), body), (one) => {
      bedrockConverse.readAnswer(one)
      bedrockConverse.decodeAnswer(one)
      bedrockConverse.readError(500, JSON.stringify(one))
    }),
  )
})
