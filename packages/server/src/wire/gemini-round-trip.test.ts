// decode(encode(x)) = x over the message model, through Gemini's format as its side of the wire reads it.

import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Message, ModelRequest, Part, ReasoningAsk } from '../core/model/message.js'
import { NO_TOKENS } from '../core/money/token-counts.js'
import { encodeGeminiAnswer, geminiEncoder } from '../testing/gemini-answer.js'
import { decodeGeminiRequest } from '../testing/gemini-request.js'
import type { ModelAnswer } from './format.js'
import type { StreamEvent } from './stream-event.js'
import { gemini } from './gemini.js'

const text = fc.string({ minLength: 1, unit: 'grapheme' })
const name = fc.stringMatching(/^[a-z][a-z0-9_]{0,8}$/)
const signature = fc.base64String({ minLength: 4 }).map((raw) => `gemini:${raw}`)
const argumentsJson = fc
  .dictionary(name, fc.jsonValue({ maxDepth: 1 }))
  .map((value) => JSON.stringify(JSON.parse(JSON.stringify(value))))
const parameters = fc.record({
  type: fc.constant('object'),
  properties: fc.dictionary(name, fc.record({ type: fc.constantFrom('string', 'number') })),
  additionalProperties: fc.constant(false),
})
const maybe = <T>(value: fc.Arbitrary<T>) => fc.option(value)
const some = <T>(value: fc.Arbitrary<T>) => fc.array(value, { maxLength: 2 })

const textPart: fc.Arbitrary<Part> = fc.record({ kind: fc.constant('text' as const), text })
const mediaPart: fc.Arbitrary<Part> = fc
  .constantFrom(['image', 'image/png', 'png'], ['document', 'application/pdf', 'pdf'])
  .chain(([kind, mediaType, ending]) =>
    fc.record({
      kind: fc.constant(kind),
      source: fc.oneof(
        fc.base64String().map((data) => ({ kind: 'base64' as const, mediaType: mediaType ?? '', data })),
        fc
          .constantFrom('https://example.com/a', 'gs://bucket/a')
          .map((url) => ({ kind: 'url' as const, url: `${url}.${ending ?? ''}` })),
      ),
    }),
  )
const thoughtPart: fc.Arbitrary<Part> = fc.oneof(
  fc.record({ kind: fc.constant('reasoning' as const), text }),
  fc.record({ kind: fc.constant('reasoning' as const), text, signature }),
  fc.record({ kind: fc.constant('reasoning' as const), text: fc.constant(''), signature }),
)
const callParts = fc.array(fc.tuple(name, argumentsJson, maybe(signature)), { maxLength: 2 })

function callPart(id: string, [called, json, signed]: readonly [string, string, string | null]): Part {
  const call: Part = { kind: 'tool-call', id, name: called, argumentsJson: json }
  return signed === null ? call : { ...call, signature: signed }
}

/** A turn of the model, and the user's answer to it: a result for every call, then more words. */
const exchange = fc.tuple(
  some(thoughtPart),
  fc.array(textPart, { minLength: 1, maxLength: 2 }),
  callParts,
  fc.array(fc.tuple(some(textPart).map(merged), fc.boolean()), { minLength: 2, maxLength: 2 }),
  fc.array(fc.oneof(textPart, mediaPart), { minLength: 1, maxLength: 2 }),
)

/** A result is one text here. */
function merged(parts: readonly Part[]): readonly Part[] {
  const words = parts.map((part) => (part.kind === 'text' ? part.text : '')).join('')
  return words === '' ? [] : [{ kind: 'text', text: words }]
}

const messages = fc
  .tuple(maybe(fc.array(textPart, { minLength: 1 })), fc.array(mediaPart, { minLength: 1 }), some(exchange))
  .map(([system, asked, exchanges]): Message[] => [
    ...(system === null ? [] : [{ role: 'system' as const, parts: system }]),
    { role: 'user', parts: asked },
    ...exchanges.flatMap(([thoughts, words, calls, results, more], turn): Message[] => {
      const id = (index: number) => `call_${turn}_${index}`
      const made = calls.map((call, index) => callPart(id(index), call))
      const answered = calls.map((_, index): Part => {
        const [content, isError] = results[index] ?? [[], false]
        return { kind: 'tool-result', callId: id(index), content, isError }
      })
      return [
        { role: 'assistant', parts: [...thoughts, ...words, ...made] },
        { role: 'user', parts: [...answered, ...more] },
      ]
    }),
  ])

const efforts = fc.constantFrom<ReasoningAsk['effort']>('minimal', 'low', 'medium', 'high')
const reasoning: fc.Arbitrary<ReasoningAsk> = fc.oneof(
  fc.record({ effort: fc.constant(null), budgetTokens: fc.nat(), visible: fc.boolean() }),
  fc.record({ effort: efforts, budgetTokens: fc.constant(null), visible: fc.boolean() }),
)

const requests = fc.record<ModelRequest>({
  // Before Gemini 3 nothing is added for a lost signature, but effort becomes a budget.
  model: fc.constant('gemini-2.5-flash'),
  messages,
  tools: fc.array(
    fc.record({ name, parameters, description: text }, { requiredKeys: ['name', 'parameters'] }),
    { minLength: 1, maxLength: 2 },
  ),
  toolChoice: maybe(
    fc.oneof(
      fc.constantFrom('auto', 'required', 'none').map((kind) => ({ kind: kind as 'auto' })),
      name.map((one) => ({ kind: 'tool' as const, name: one })),
    ),
  ),
  parallelToolCalls: fc.constant(null),
  maxOutputTokens: maybe(fc.integer({ min: 1, max: 9999 })),
  temperature: maybe(fc.constantFrom(0, 0.25, 2)),
  topP: maybe(fc.constantFrom(0.5, 1)),
  topK: maybe(fc.integer({ min: 1, max: 40 })),
  seed: maybe(fc.integer({ min: -5, max: 2 ** 31 - 1 })),
  presencePenalty: maybe(fc.constantFrom(-2, 0.5)),
  frequencyPenalty: maybe(fc.constantFrom(-2, 0.5)),
  topLogprobs: maybe(fc.integer({ min: 0, max: 20 })),
  reasoning: maybe(reasoning),
  stop: fc.array(text, { maxLength: 5 }),
  stream: fc.boolean(),
  includeUsage: fc.constant(true),
  json: maybe(
    fc.record({ name: fc.constant('answer'), schema: maybe(parameters), strict: fc.constant(true) }),
  ),
  user: fc.constant(null),
})

const overJson = (value: unknown): unknown => JSON.parse(JSON.stringify(value))

/** On the other side, by way of the bytes; an effort as the model that was asked understands it. */
function received(request: ModelRequest) {
  const encoded = gemini.encodeRequest(request)
  expect(encoded).toMatchObject({ kind: 'ok' })
  const body = encoded.kind === 'ok' ? overJson(encoded.value) : null
  return decodeGeminiRequest(body, { model: request.model, stream: request.stream })
}

test('requests survive encoding and decoding', () => {
  fc.assert(
    // With tools, JSON becomes one of them: its own tests are in gemini.test.ts.
    fc.property(
      requests.map((one) => ({ ...one, json: null })),
      (request) => {
        const budget = { minimal: 1_024, low: 1_024, medium: 8_192, high: 24_576 }
        const ask = request.reasoning
        const { effort } = ask ?? { effort: null }
        const asBudget =
          ask === null || effort === null
            ? ask
            : { ...ask, effort: null, budgetTokens: budget[effort as keyof typeof budget] }
        const visible =
          ask?.visible === false && effort === null && ask.budgetTokens === null ? null : asBudget
        expect(received(request)).toEqual({ kind: 'ok', value: { ...request, reasoning: visible } })
      },
    ),
  )
})

test('since Gemini 3 efforts survive as they are', () => {
  fc.assert(
    fc.property(requests, (request) => {
      const withoutCalls = request.messages.filter(({ parts }) => !parts.some(isOfTools))
      const turns = withoutCalls.filter(({ role }) => role === 'system').concat(withoutCalls.slice(-1))
      const one = { ...request, model: 'gemini-3-pro-preview', messages: turns }
      fc.pre(turns.at(-1)?.role === 'user')
      expect(received(one)).toEqual({ kind: 'ok', value: one })
    }),
  )
})

function isOfTools({ kind }: Part): boolean {
  return kind === 'tool-call' || kind === 'tool-result'
}

const counts = fc
  .record({
    input: fc.nat({ max: 99_999 }),
    cacheRead: fc.nat({ max: 99_999 }),
    output: fc.nat({ max: 99_999 }),
    reasoning: fc.nat({ max: 99_999 }),
    audioInput: fc.nat({ max: 999 }),
    audioOutput: fc.nat({ max: 999 }),
  })
  .map((told) => ({ ...NO_TOKENS, ...told }))
const usage = counts.map((tokens) => {
  const input = tokens.input + tokens.cacheRead + tokens.audioInput
  const output = tokens.output + tokens.reasoning + tokens.audioOutput
  return { tokens, providerTotals: { input, output, total: input + output } }
})
const logprob = fc.record({
  token: text,
  logprob: fc.double({ min: -20, max: 0, noNaN: true }).map((x) => x + 0),
})
const logprobs = fc.array(
  fc.tuple(logprob, some(logprob)).map(([chosen, top]) => ({ ...chosen, top })),
  { minLength: 1, maxLength: 3 },
)

const answers = fc
  .record({
    id: name,
    thoughts: some(thoughtPart),
    words: some(textPart),
    calls: callParts,
    usage: maybe(usage),
    reason: fc.constantFrom(
      ['stop', 'STOP'],
      ['length', 'MAX_TOKENS'],
      ['refusal', 'SAFETY'],
      ['other', 'OTHER'],
    ),
    logprobs: maybe(logprobs),
  })
  .map(({ id, thoughts, words, calls, usage: used, reason: [reason, raw], logprobs: told }): ModelAnswer => {
    const called = reason === 'stop' && calls.length > 0
    return {
      id,
      model: 'gemini-3-pro-preview',
      parts: [...thoughts, ...words, ...calls.map((call, index) => callPart(`c${index}`, call))],
      finishReason: called ? 'tool-calls' : reason,
      rawFinishReason: raw ?? null,
      stopSequence: null,
      usage: used,
      ...(told === null ? {} : { logprobs: told }),
    }
  })

test('answers survive encoding and decoding', () => {
  fc.assert(
    fc.property(answers, (answer) => {
      expect(gemini.decodeAnswer(overJson(encodeGeminiAnswer(answer)))).toEqual(overJson(answer))
    }),
  )
})

function streamed({ id, parts, finishReason, rawFinishReason, usage: used }: ModelAnswer): StreamEvent[] {
  return [
    { kind: 'start', id, model: 'gemini-3-pro-preview', usage: null },
    ...parts.flatMap((part, index): StreamEvent[] => {
      if (part.kind === 'text') return [{ kind: 'text-delta', text: part.text }]
      if (part.kind === 'reasoning') {
        return [
          ...(part.text === '' ? [] : [{ kind: 'reasoning-delta', text: part.text } as const]),
          ...(part.signature === undefined
            ? []
            : [{ kind: 'reasoning-signature', signature: part.signature } as const]),
        ]
      }
      if (part.kind !== 'tool-call') return []
      const { name: called, argumentsJson: json, signature: signed } = part
      const start = { kind: 'tool-call-start', index, id: part.id, name: called } as const
      return [
        signed === undefined ? start : { ...start, signature: signed },
        { kind: 'tool-call-delta', index, argumentsJson: json },
      ]
    }),
    ...(used === null ? [] : [{ kind: 'usage', usage: used } as const]),
    { kind: 'finish', reason: finishReason, raw: rawFinishReason, stopSequence: null },
    { kind: 'end' },
  ]
}

test('streams survive encoding and decoding, split anywhere', () => {
  fc.assert(
    fc.property(answers, fc.nat(), (answer, at) => {
      const events = streamed(answer)
      const encoder = geminiEncoder({ model: answer.model })
      const bytes = Buffer.from(events.map((event) => encoder.encode(event)).join(''))
      const decoder = gemini.decoder()
      const cut = at % (bytes.length + 1)
      const seen = [...decoder.push(bytes.subarray(0, cut)), ...decoder.push(bytes.subarray(cut))]
      const all = [...seen, ...(decoder.finish?.() ?? [])]
      expect(comparable(all)).toEqual(comparable(events))
    }),
  )
})

/** Blocks are numbered by whoever writes; usage may come with any frame, and the last one stands. */
function comparable(events: readonly StreamEvent[]): readonly unknown[] {
  const used = events.findLast(({ kind }) => kind === 'usage') ?? null
  const rest = events
    .filter(({ kind }) => kind !== 'usage')
    .map((event) => {
      if (event.kind === 'start') return { ...event, usage: null }
      return event.kind === 'tool-call-start' || event.kind === 'tool-call-delta'
        ? { ...event, index: 0 }
        : event
    })
  return [...rest, used]
}

test('no body makes a decoder throw', () => {
  const part = fc.record(
    { text: fc.jsonValue(), functionCall: fc.jsonValue(), thoughtSignature: fc.jsonValue() },
    { requiredKeys: [] },
  )
  const candidate = fc.record(
    {
      content: fc.oneof(fc.jsonValue(), fc.record({ parts: fc.array(part) })),
      finishReason: fc.jsonValue(),
      groundingMetadata: fc.jsonValue(),
      citationMetadata: fc.record({ citations: fc.jsonValue() }),
      logprobsResult: fc.jsonValue(),
      index: fc.jsonValue(),
    },
    { requiredKeys: [] },
  )
  const body = fc.record(
    { candidates: fc.array(candidate), promptFeedback: fc.jsonValue(), usageMetadata: fc.jsonValue() },
    { requiredKeys: [] },
  )
  fc.assert(
    fc.property(fc.oneof(fc.jsonValue(), body), (one) => {
      gemini.readAnswer(one)
      gemini.decodeAnswer(one)
      gemini.readError(500, JSON.stringify(one))
    }),
  )
})
