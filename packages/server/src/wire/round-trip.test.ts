// decode(encode(x)) = x over the message model, in each format's own normal form.

import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Message, ModelRequest, Part } from '../core/model/message.js'
import { NO_TOKENS } from '../core/money/token-counts.js'
import { anthropicMessages } from './anthropic-messages.js'
import type { ModelAnswer, WireFormat } from './format.js'
import { openAiChat } from './openai-chat.js'

const text = fc.string({ minLength: 1, unit: 'grapheme' })
const name = fc.stringMatching(/^[a-z][a-z0-9_]{0,8}$/)
const id = fc.stringMatching(/^[A-Za-z0-9_-]{1,12}$/)
const argumentsJson = fc
  .dictionary(name, fc.jsonValue({ maxDepth: 1 }))
  .map((value) => JSON.stringify(JSON.parse(JSON.stringify(value))))
const parameters = fc.record({
  type: fc.constant('object'),
  properties: fc.dictionary(name, fc.record({ type: fc.constantFrom('string', 'number') })),
})

const textPart: fc.Arbitrary<Part> = fc.record({ kind: fc.constant('text' as const), text })
const imagePart: fc.Arbitrary<Part> = fc.record({
  kind: fc.constant('image' as const),
  source: fc.oneof(
    fc.record({
      kind: fc.constant('base64' as const),
      mediaType: fc.constantFrom('image/png', 'image/jpeg'),
      data: fc.base64String(),
    }),
    fc.record({ kind: fc.constant('url' as const), url: fc.constant('https://example.com/a.png') }),
  ),
})
const callPart: fc.Arbitrary<Part> = fc.record({
  kind: fc.constant('tool-call' as const),
  id,
  name,
  argumentsJson,
})
const resultPart = (isError: fc.Arbitrary<boolean>): fc.Arbitrary<Part> =>
  fc.record({
    kind: fc.constant('tool-result' as const),
    callId: id,
    content: fc.array(textPart, { maxLength: 2 }),
    isError,
  })
const signedPart: fc.Arbitrary<Part> = fc.oneof(
  fc.record({ kind: fc.constant('reasoning' as const), text, signature: text }),
  fc.record({ kind: fc.constant('reasoning' as const), text: fc.constant(''), redacted: text }),
)

const said = fc.array(fc.oneof(textPart, imagePart), { minLength: 1, maxLength: 3 })
const joined = (...lists: readonly fc.Arbitrary<Part[]>[]) => fc.tuple(...lists).map((parts) => parts.flat())
const some = (part: fc.Arbitrary<Part>) => fc.array(part, { maxLength: 2 })

function conversation(user: fc.Arbitrary<Part[]>, assistant: fc.Arbitrary<Part[]>): fc.Arbitrary<Message[]> {
  const turns = fc.array(fc.tuple(user, assistant), { maxLength: 3 })
  const system = fc.option(fc.array(textPart, { minLength: 1, maxLength: 2 }))
  return fc.tuple(system, turns, user).map(([first, middle, last]) => [
    ...(first === null ? [] : [{ role: 'system' as const, parts: first }]),
    ...middle.flatMap(([asked, answered]): Message[] => [
      { role: 'user', parts: asked },
      { role: 'assistant', parts: answered },
    ]),
    { role: 'user' as const, parts: last },
  ])
}

function request(
  messages: fc.Arbitrary<Message[]>,
  more: { strict: boolean; json: fc.Arbitrary<ModelRequest['json']> },
): fc.Arbitrary<ModelRequest> {
  const fields = { name, parameters, description: text }
  const requiredKeys = ['name', 'parameters'] as const
  const tool = fc.record(fields, { requiredKeys: [...requiredKeys] })
  const strictTool = fc.record({ ...fields, strict: fc.boolean() }, { requiredKeys: [...requiredKeys] })
  const tools = fc.array(more.strict ? strictTool : tool, {
    minLength: 1,
    maxLength: 2,
  })
  const chosen = fc.oneof(
    fc.constantFrom(...(['auto', 'required'] as const)).map((kind) => ({ kind })),
    name.map((one) => ({ kind: 'tool' as const, name: one })),
  )
  return fc.record({
    ...notAsked(),
    model: name,
    messages,
    tools,
    toolChoice: chosen,
    parallelToolCalls: fc.option(fc.boolean()),
    maxOutputTokens: fc.integer({ min: 1, max: 9999 }),
    temperature: fc.option(fc.constantFrom(0, 0.25, 1)),
    topP: fc.option(fc.constantFrom(0.5, 1)),
    stop: fc.array(name, { maxLength: 4 }),
    stream: fc.boolean(),
    includeUsage: fc.constant(true),
    json: more.json,
    user: fc.option(name),
  })
}

/** Neither format has them yet. */
const notAsked = () => ({
  topK: fc.constant(null),
  seed: fc.constant(null),
  presencePenalty: fc.constant(null),
  frequencyPenalty: fc.constant(null),
  topLogprobs: fc.constant(null),
  reasoning: fc.constant(null),
})

const overJson = (value: unknown): unknown => JSON.parse(JSON.stringify(value))

function requestSurvives(format: WireFormat, one: ModelRequest): void {
  const encoded = format.encodeRequest(one)
  expect(encoded).toMatchObject({ kind: 'ok' })
  const body = encoded.kind === 'ok' ? encoded.value : null
  expect(format.decodeRequest(overJson(body))).toEqual({ kind: 'ok', value: one })
}

test('OpenAI requests survive encoding and decoding', () => {
  const user = fc.oneof(said, fc.array(resultPart(fc.constant(false)), { minLength: 1, maxLength: 2 }))
  // Results of one turn, then a user's words, are two messages here.
  const assistant = joined(fc.array(textPart, { minLength: 1, maxLength: 1 }), some(callPart))
  const schema = fc.record({ name, schema: parameters, strict: fc.boolean() })
  const json = fc.oneof(
    fc.constant(null),
    fc.constant({ name: 'answer', schema: null, strict: false }),
    schema,
  )
  fc.assert(
    fc.property(request(conversation(user, assistant), { strict: true, json }), (one) => {
      requestSurvives(openAiChat, { ...one, includeUsage: one.stream })
    }),
  )
})

test('Anthropic requests survive encoding and decoding, signatures and cache marks included', () => {
  const marked = textPart.map((part): Part =>
    part.kind === 'text' ? { ...part, cacheControl: { type: 'ephemeral' } } : part,
  )
  const user = joined(some(resultPart(fc.boolean())), said, some(marked))
  const assistant = joined(
    some(signedPart),
    fc.array(textPart, { minLength: 1, maxLength: 2 }),
    some(callPart),
  )
  fc.assert(
    fc.property(request(conversation(user, assistant), { strict: false, json: fc.constant(null) }), (one) => {
      requestSurvives(anthropicMessages, one)
    }),
  )
})

const usage = fc
  .record({ input: fc.nat(), cacheRead: fc.nat(), output: fc.nat(), reasoning: fc.nat() })
  .map((counts) => ({ ...NO_TOKENS, ...counts }))
  .map((tokens) => ({
    tokens,
    input: tokens.input + tokens.cacheRead,
    output: tokens.output + tokens.reasoning,
  }))

test('OpenAI answers survive encoding and decoding', () => {
  const reasoning: fc.Arbitrary<Part> = fc.record({ kind: fc.constant('reasoning' as const), text })
  const answered = fc.tuple(
    fc.array(reasoning, { maxLength: 1 }),
    fc.array(textPart, { maxLength: 1 }),
    some(callPart),
  )
  fc.assert(
    fc.property(
      id,
      answered,
      usage,
      fc.constantFrom('stop', 'length', 'refusal'),
      (one, [thought, words, calls], used, reason) => {
        const finishReason = calls.length > 0 ? 'tool-calls' : (reason as ModelAnswer['finishReason'])
        const raw = {
          stop: 'stop',
          length: 'length',
          refusal: 'content_filter',
          'tool-calls': 'tool_calls',
          other: null,
        }[finishReason]
        const providerTotals = { input: used.input, output: used.output, total: used.input + used.output }
        const answer: ModelAnswer = {
          id: one,
          model: 'm',
          parts: [...thought, ...words, ...calls],
          finishReason,
          rawFinishReason: raw,
          stopSequence: null,
          usage: { tokens: used.tokens, providerTotals },
        }
        expect(openAiChat.decodeAnswer(overJson(openAiChat.encodeAnswer(answer, 1_700_000_000)))).toEqual(
          answer,
        )
      },
    ),
  )
})

test('Anthropic answers survive encoding and decoding', () => {
  const answered = fc.tuple(some(signedPart), some(textPart), some(callPart))
  fc.assert(
    fc.property(
      id,
      answered,
      usage,
      fc.constantFrom('stop', 'length', 'refusal', 'sequence'),
      (one, [thought, words, calls], used, reason) => {
        const stopSequence = reason === 'sequence' && calls.length === 0 ? 'END' : null
        const plain = reason === 'sequence' ? 'stop' : (reason as ModelAnswer['finishReason'])
        const finishReason = calls.length > 0 ? 'tool-calls' : plain
        const raw = {
          stop: stopSequence === null ? 'end_turn' : 'stop_sequence',
          length: 'max_tokens',
          refusal: 'refusal',
          'tool-calls': 'tool_use',
          other: null,
        }
        const answer: ModelAnswer = {
          id: one,
          model: 'm',
          parts: [...thought, ...words, ...calls],
          finishReason,
          rawFinishReason: raw[finishReason],
          stopSequence,
          usage: {
            tokens: used.tokens,
            providerTotals: { input: used.input, output: used.output, total: null },
          },
        }
        expect(
          anthropicMessages.decodeAnswer(overJson(anthropicMessages.encodeAnswer(answer, 1_700_000_000))),
        ).toEqual(answer)
      },
    ),
  )
})

test('no body makes a decoder throw', () => {
  fc.assert(
    fc.property(
      fc.oneof(
        fc.jsonValue(),
        fc.record({
          model: fc.jsonValue(),
          messages: fc.array(fc.jsonValue()),
          tools: fc.jsonValue(),
          system: fc.jsonValue(),
        }),
      ),
      (body) => {
        for (const format of [openAiChat, anthropicMessages]) {
          format.view(body)
          format.decodeRequest(body)
          format.readAnswer(body)
          format.decodeAnswer(body)
        }
      },
    ),
  )
})
