// decode(encode(x)) = x over the message model, in each format's own normal form.

import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { ModelRequest, Part } from '../core/model/message.js'
import { NO_TOKENS } from '../core/money/token-counts.js'
import {
  text,
  name,
  id,
  parameters,
  textPart,
  imagePart,
  marked,
  mark,
  filePart,
  documentPart,
  ofDocument,
  ofPage,
  cited,
  logprobs,
  callPart,
  resultPart,
  signedPart,
  joined,
  some,
  conversation,
  request,
  toolFields,
  requiredKeys,
  closed,
  complete,
} from '../testing/arbitrary-messages.js'
import { anthropicMessages } from './anthropic-messages.js'
import type { ModelAnswer, WireFormat } from './format.js'
import { openAiChat } from './openai-chat.js'

const overJson = (value: unknown): unknown => JSON.parse(JSON.stringify(value))

function requestSurvives(format: WireFormat, one: ModelRequest): void {
  const encoded = format.encodeRequest(one)
  expect(encoded).toMatchObject({ kind: 'ok' })
  const body = encoded.kind === 'ok' ? encoded.value : null
  expect(format.decodeRequest(overJson(body))).toEqual({ kind: 'ok', value: one })
}

test('OpenAI requests survive encoding and decoding', () => {
  const spoken = fc.array(fc.oneof(textPart, imagePart, filePart), { minLength: 1, maxLength: 3 })
  const user = fc.oneof(spoken, fc.array(resultPart(fc.constant(false)), { minLength: 1, maxLength: 2 }))
  // Results of one turn, then a user's words, are two messages here.
  const assistant = joined(fc.array(textPart, { minLength: 1, maxLength: 1 }), some(callPart))
  const schema = fc.oneof(
    fc.record({ name, schema: parameters, strict: fc.constant(false) }),
    fc.record({ name, schema: complete, strict: fc.constant(true) }),
  )
  const json = fc.oneof(
    fc.constant(null),
    fc.constant({ name: 'answer', schema: null, strict: false }),
    schema,
  )
  const tool = fc.oneof(
    fc.record({ ...toolFields, strict: fc.constant(false) }, { requiredKeys }),
    fc.record({ ...toolFields, parameters: complete, strict: fc.constant(true) }, { requiredKeys }),
  )
  const effort = fc.constantFrom(...(['none', 'minimal', 'low', 'medium', 'high', 'xhigh'] as const))
  const asks = fc.record({
    seed: fc.option(fc.integer()),
    presencePenalty: fc.option(fc.constantFrom(-2, 0.5)),
    frequencyPenalty: fc.option(fc.constantFrom(-0.25, 2)),
    topLogprobs: fc.option(fc.integer({ min: 0, max: 20 })),
    reasoning: fc.option(effort.map((one) => ({ effort: one, budgetTokens: null, visible: false }))),
  })
  fc.assert(
    fc.property(request(conversation(user, assistant), { tool, json, asks }), (one) => {
      const said = { ...one, includeUsage: one.stream }
      requestSurvives(openAiChat, said)
      expect(openAiChat.leavesOut(said)).toEqual([])
    }),
  )
})

/** Thinking allows no other sampling, and no forced call, beside it. */
const thinking = fc
  .record({
    reasoning: fc.record({
      effort: fc.option(
        fc.constantFrom('low' as const, 'medium' as const, 'high' as const, 'xhigh' as const),
      ),
      budgetTokens: fc.constant(null),
      visible: fc.boolean(),
    }),
    toolChoice: fc.constant({ kind: 'auto' as const }),
  })
  .map((asks) => ({ ...asks, temperature: 1, topP: null }))

test('Anthropic requests survive encoding and decoding, signatures and cache marks included', () => {
  const user = joined(
    some(mark(resultPart(fc.boolean()))),
    fc.array(mark(fc.oneof(textPart, imagePart, documentPart)), { minLength: 1, maxLength: 3 }),
  )
  const assistant = joined(
    some(signedPart),
    fc.array(fc.oneof(textPart, cited(ofDocument)), { minLength: 1, maxLength: 2 }),
    some(mark(callPart)),
  )
  const tool = fc.oneof(
    fc.record({ ...toolFields, ...marked }, { requiredKeys }),
    fc.record({ ...toolFields, parameters: closed, strict: fc.constant(true) }, { requiredKeys }),
  )
  const json = fc.option(closed.map((schema) => ({ name: 'answer', schema, strict: true })))
  const asks = fc.oneof(fc.record({ topK: fc.option(fc.integer({ min: 1, max: 99 })) }), thinking)
  fc.assert(
    fc.property(request(conversation(user, assistant), { tool, json, asks }), (one) => {
      // Asked to cite, this format gives no JSON.
      const cites = one.messages.some(({ parts }) =>
        parts.some((part) => part.kind === 'document' && part.cite),
      )
      const said = cites ? { ...one, json: null } : one
      requestSurvives(anthropicMessages, said)
      expect(anthropicMessages.leavesOut(said)).toEqual([])
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
  const spanned = ofPage.map((one) => ({ ...one, citedText: null, title: 't', span: { start: 0, end: 1 } }))
  const answered = fc.tuple(
    fc.array(reasoning, { maxLength: 1 }),
    fc.array(fc.oneof(textPart, cited(spanned)), { maxLength: 1 }),
    some(callPart),
    fc.oneof(fc.constant({}), fc.record({ logprobs })),
  )
  fc.assert(
    fc.property(
      id,
      answered,
      usage,
      fc.constantFrom('stop', 'length', 'refusal'),
      (one, [thought, words, calls, told], used, reason) => {
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
          ...told,
        }
        expect(openAiChat.decodeAnswer(overJson(openAiChat.encodeAnswer(answer, 1_700_000_000)))).toEqual(
          answer,
        )
      },
    ),
  )
})

test('Anthropic answers survive encoding and decoding', () => {
  const words = fc.oneof(textPart, cited(fc.oneof(ofDocument, ofPage)))
  const answered = fc.tuple(some(signedPart), some(words), some(callPart))
  fc.assert(
    fc.property(
      id,
      answered,
      usage,
      fc.constantFrom('stop', 'length', 'refusal', 'sequence'),
      (one, [thought, said, calls], used, reason) => {
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
          parts: [...thought, ...said, ...calls],
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

/** Bodies that begin as the formats do and go on as they like. */
const part = fc.record(
  {
    type: fc.constantFrom(
      'text',
      'image',
      'document',
      'thinking',
      'tool_use',
      'tool_result',
      'file',
      'image_url',
    ),
    source: fc.oneof(
      fc.jsonValue(),
      fc.record({ type: fc.constantFrom('base64', 'content'), content: fc.jsonValue() }),
    ),
    file: fc.oneof(fc.jsonValue(), fc.record({ file_data: fc.jsonValue(), filename: fc.jsonValue() })),
    text: fc.jsonValue(),
    citations: fc.oneof(fc.jsonValue(), fc.array(fc.record({ type: fc.constantFrom('char_location', 'x') }))),
    content: fc.jsonValue(),
  },
  { requiredKeys: ['type'] },
)
const message = fc.record({
  role: fc.constantFrom('user', 'assistant', 'tool', 'system'),
  content: fc.oneof(fc.jsonValue(), fc.array(part)),
  annotations: fc.jsonValue(),
})
const body = fc.record(
  {
    model: fc.jsonValue(),
    messages: fc.array(fc.oneof(fc.jsonValue(), message)),
    tools: fc.jsonValue(),
    tool_choice: fc.oneof(
      fc.jsonValue(),
      fc.record({ type: fc.constant('allowed_tools'), allowed_tools: fc.jsonValue() }),
    ),
    system: fc.jsonValue(),
    thinking: fc.oneof(
      fc.jsonValue(),
      fc.record({ type: fc.constant('enabled'), budget_tokens: fc.jsonValue() }),
    ),
    output_config: fc.oneof(fc.jsonValue(), fc.record({ effort: fc.jsonValue() })),
    reasoning_effort: fc.jsonValue(),
    top_logprobs: fc.jsonValue(),
  },
  { requiredKeys: ['model', 'messages'] },
)
const choice = fc.record({
  message,
  logprobs: fc.oneof(fc.jsonValue(), fc.record({ content: fc.array(fc.jsonValue()) })),
})
const answerBody = fc.record({
  type: fc.constant('message'),
  content: fc.array(part),
  choices: fc.array(choice),
})

test('no body makes a format throw', () => {
  fc.assert(
    fc.property(fc.oneof(fc.jsonValue(), body, answerBody), (one) => {
      for (const format of [openAiChat, anthropicMessages]) {
        format.view(one)
        format.unsaid(one)
        format.readAnswer(one)
        const decoded = format.decodeRequest(one)
        const answer = format.decodeAnswer(one)
        for (const other of [openAiChat, anthropicMessages]) {
          if (decoded.kind === 'ok') other.encodeRequest(decoded.value)
          if (decoded.kind === 'ok') other.leavesOut(decoded.value)
          if (answer !== null) other.encodeAnswer(answer, 1)
        }
      }
    }),
    { numRuns: 500 },
  )
})
