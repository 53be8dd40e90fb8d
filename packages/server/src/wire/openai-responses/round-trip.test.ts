// decode(encode(x)) = x over the message model, for what this format can say, in its own normal form.

import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Citation, Message, ModelRequest, Part } from '../../core/model/message.js'
import { NO_TOKENS } from '../../core/money/token-counts.js'
import type { ModelAnswer } from '../format.js'
import type { StreamEvent } from '../stream-event.js'
import { openAiResponses } from '../openai-responses.js'

const text = fc.string({ minLength: 1, unit: 'grapheme' })
const name = fc.stringMatching(/^[a-z][a-z0-9_]{0,8}$/)
const id = fc.stringMatching(/^[A-Za-z0-9_-]{1,12}$/)
const kind = <K extends Part['kind']>(value: K) => fc.constant(value)
const argumentsJson = fc
  .dictionary(name, fc.jsonValue({ maxDepth: 1 }))
  .map((value) => JSON.stringify(JSON.parse(JSON.stringify(value))))
const schema = fc.record({
  type: fc.constant('object'),
  properties: fc.dictionary(name, fc.record({ type: fc.constantFrom('string', 'number') })),
})

const textPart: fc.Arbitrary<Part> = fc.record({ kind: kind('text'), text })
const base64 = (mediaType: string) =>
  fc.record({
    kind: fc.constant('base64' as const),
    mediaType: fc.constant(mediaType),
    data: fc.base64String(),
  })
const url = fc.record({ kind: fc.constant('url' as const), url: fc.constant('https://example.com/a') })
const imagePart: fc.Arbitrary<Part> = fc.record(
  { kind: kind('image'), source: fc.oneof(base64('image/png'), url), detail: fc.constantFrom('low', 'high') },
  { requiredKeys: ['kind', 'source'] },
)
const words = fc.record({ kind: fc.constant('text' as const), text: fc.string({ unit: 'grapheme' }) })
const documentPart: fc.Arbitrary<Part> = fc.record(
  { kind: kind('document'), source: fc.oneof(base64('application/pdf'), url, words), title: text },
  { requiredKeys: ['kind', 'source'] },
)
const callPart: fc.Arbitrary<Part> = fc.record({ kind: kind('tool-call'), id, name, argumentsJson })
const refusalPart: fc.Arbitrary<Part> = fc.record({ kind: kind('refusal'), text })
const reasoningPart: fc.Arbitrary<Part> = fc.oneof(
  fc.record({ kind: kind('reasoning'), text, signature: text, id }),
  fc.record({ kind: kind('reasoning'), text: fc.constant(''), redacted: text, id }),
)
const given = fc.array(fc.oneof(textPart, imagePart, documentPart), { minLength: 1, maxLength: 3 })
const resultPart: fc.Arbitrary<Part> = fc.record({
  kind: kind('tool-result'),
  callId: id,
  content: fc.oneof(fc.constant([]), given),
  isError: fc.constant(false),
})
const user = fc.oneof(given, fc.array(resultPart, { minLength: 1, maxLength: 2 }))
const wrote = fc.array(fc.oneof(textPart, refusalPart, callPart, reasoningPart), {
  minLength: 1,
  maxLength: 4,
})

const conversation: fc.Arbitrary<Message[]> = fc
  .tuple(
    fc.option(fc.array(textPart, { minLength: 1, maxLength: 2 })),
    fc.array(fc.tuple(user, wrote), { maxLength: 3 }),
    user,
  )
  .map(([system, middle, last]) => [
    ...(system === null ? [] : [{ role: 'system' as const, parts: system }]),
    ...middle.flatMap(([asked, answered]): Message[] => [
      { role: 'user', parts: asked },
      { role: 'assistant', parts: answered },
    ]),
    { role: 'user' as const, parts: last },
  ])

const tool = fc.record(
  { name, parameters: schema, description: text, strict: fc.boolean() },
  { requiredKeys: ['name', 'parameters', 'strict'] },
)
const reasoningAsk = fc
  .record({
    effort: fc.option(fc.constantFrom('none' as const, 'minimal' as const, 'low' as const, 'xhigh' as const)),
    budgetTokens: fc.constant(null),
    visible: fc.boolean(),
  })
  .filter(({ effort, visible }) => effort !== null || visible)

const request: fc.Arbitrary<ModelRequest> = fc.record({
  model: name,
  messages: conversation,
  tools: fc.array(tool, { minLength: 1, maxLength: 2 }),
  toolChoice: fc.oneof(
    fc.constantFrom('auto' as const, 'required' as const, 'none' as const).map((one) => ({ kind: one })),
    name.map((one) => ({ kind: 'tool' as const, name: one })),
  ),
  parallelToolCalls: fc.option(fc.boolean()),
  maxOutputTokens: fc.option(fc.integer({ min: 1, max: 9999 })),
  temperature: fc.option(fc.constantFrom(0, 0.25, 1)),
  topP: fc.option(fc.constantFrom(0.5, 1)),
  topK: fc.constant(null),
  seed: fc.constant(null),
  presencePenalty: fc.constant(null),
  frequencyPenalty: fc.constant(null),
  topLogprobs: fc.option(fc.nat({ max: 20 })),
  reasoning: fc.option(reasoningAsk),
  stop: fc.constant([]),
  stream: fc.boolean(),
  includeUsage: fc.constant(true),
  json: fc.oneof(
    fc.constant(null),
    fc.constant({ name: 'answer', schema: null, strict: false }),
    fc.record({ name, schema, strict: fc.boolean() }),
  ),
  user: fc.option(name),
})

const overJson = (value: unknown): unknown => JSON.parse(JSON.stringify(value))

test('requests survive encoding and decoding', () => {
  fc.assert(
    fc.property(request, (one) => {
      const encoded = openAiResponses.encodeRequest(one)
      expect(encoded).toMatchObject({ kind: 'ok' })
      const body = encoded.kind === 'ok' ? encoded.value : null
      expect(openAiResponses.decodeRequest(overJson(body))).toEqual({ kind: 'ok', value: one })
      expect(openAiResponses.view(overJson(body)).kind).toBe('ok')
      expect(openAiResponses.leavesOut(one)).toEqual([])
    }),
  )
})

const nowhere = { citedText: null, location: null, span: null, url: null, documentIndex: null }
const citation: fc.Arbitrary<Citation> = fc.oneof(
  fc.record({ title: text }).map(({ title }) => ({
    ...nowhere,
    title,
    url: 'https://example.com',
    span: { start: 0, end: 1 },
  })),
  fc.record({ title: text, documentIndex: fc.nat() }).map((one) => ({ ...nowhere, ...one })),
)
const citedPart: fc.Arbitrary<Part> = fc.record({
  kind: kind('text'),
  text,
  citations: fc.array(citation, { minLength: 1, maxLength: 2 }),
})
const token = fc.record({ token: text, logprob: fc.integer({ min: -9, max: -1 }) })
const logprobs = fc.array(fc.record({ token: text, logprob: fc.constant(-0.5), top: fc.array(token) }), {
  minLength: 1,
})
const usage = fc
  .record({
    input: fc.nat(),
    cacheRead: fc.nat(),
    cacheWrite: fc.nat(),
    output: fc.nat(),
    reasoning: fc.nat(),
  })
  .map((counts) => {
    const input = counts.input + counts.cacheRead + counts.cacheWrite
    const output = counts.output + counts.reasoning
    const providerTotals = { input, output, total: input + output }
    return { tokens: { ...NO_TOKENS, ...counts }, providerTotals }
  })

function ending(parts: readonly Part[], cut: string): Pick<ModelAnswer, 'finishReason' | 'rawFinishReason'> {
  if (cut === 'length') return { finishReason: 'length', rawFinishReason: 'max_output_tokens' }
  const has = (one: Part['kind']) => parts.some((part) => part.kind === one)
  if (has('tool-call')) return { finishReason: 'tool-calls', rawFinishReason: 'completed' }
  if (has('refusal')) return { finishReason: 'refusal', rawFinishReason: 'completed' }
  if (cut === 'filter') return { finishReason: 'refusal', rawFinishReason: 'content_filter' }
  return { finishReason: 'stop', rawFinishReason: 'completed' }
}

const foreignThought: fc.Arbitrary<Part> = fc.oneof(
  fc.record({ kind: kind('reasoning'), text }, { requiredKeys: ['kind', 'text'] }),
  fc.record({ kind: kind('reasoning'), text, signature: text }),
  fc.record({ kind: kind('reasoning'), text: fc.constant(''), redacted: text }),
)
const signedCall: fc.Arbitrary<Part> = fc.record({
  kind: kind('tool-call'),
  id,
  name,
  argumentsJson,
  signature: text,
})

const answer: fc.Arbitrary<ModelAnswer> = fc
  .tuple(
    fc.array(
      fc.oneof(textPart, citedPart, refusalPart, callPart, signedCall, reasoningPart, foreignThought),
      { maxLength: 4 },
    ),
    fc.constantFrom('length', 'filter', 'none'),
    fc.record({ id, used: fc.option(usage), logprobs: fc.option(logprobs) }),
  )
  .map(([parts, cut, rest]) => {
    const told = rest.logprobs !== null && parts.some((part) => part.kind === 'text')
    return {
      id: `resp_${rest.id}`,
      model: 'm',
      parts,
      ...ending(parts, cut),
      stopSequence: null,
      usage: rest.used,
      ...(told ? { logprobs: rest.logprobs ?? [] } : {}),
    }
  })

test('answers survive encoding and decoding', () => {
  fc.assert(
    fc.property(answer, (one) => {
      expect(openAiResponses.decodeAnswer(overJson(openAiResponses.encodeAnswer(one, 1)))).toEqual(one)
    }),
  )
})

/** The same answer as a stream says it. */
function streamed(one: ModelAnswer): readonly StreamEvent[] {
  const blocks = one.parts.flatMap((part, index): readonly StreamEvent[] => {
    switch (part.kind) {
      case 'text':
        return [
          { kind: 'text-delta', text: part.text },
          ...(part.citations ?? []).map((cited): StreamEvent => ({ kind: 'citation', citation: cited })),
        ]
      case 'refusal':
        return [{ kind: 'refusal-delta', text: part.text }]
      case 'reasoning':
        return part.redacted === undefined
          ? [
              { kind: 'reasoning-delta', text: part.text },
              ...(part.signature === undefined
                ? []
                : [{ kind: 'reasoning-signature', signature: part.signature } as const]),
            ]
          : [{ kind: 'reasoning-redacted', data: part.redacted }]
      case 'tool-call':
        return [
          {
            kind: 'tool-call-start',
            index,
            id: part.id,
            name: part.name,
            ...(part.signature === undefined ? {} : { signature: part.signature }),
          },
          { kind: 'tool-call-delta', index, argumentsJson: part.argumentsJson },
        ]
      default:
        return []
    }
  })
  const { finishReason: reason, rawFinishReason: raw } = one
  return [
    { kind: 'start', id: one.id, model: one.model, usage: null },
    ...blocks,
    { kind: 'finish', reason, raw, stopSequence: null },
    ...(one.usage === null ? [] : [{ kind: 'usage', usage: one.usage } as const]),
    { kind: 'end' },
  ]
}

/** Block indexes count items here, and text and refusals side by side are one. */
const unnumbered = (events: readonly StreamEvent[]) =>
  events.map((event) => ('index' in event ? { ...event, index: 0 } : event))

test('streams survive encoding and decoding, and end with the response they add up to', () => {
  fc.assert(
    fc.property(answer, (one) => {
      const events = streamed(one)
      const encoder = openAiResponses.encoder({ model: one.model, includeUsage: true, createdSeconds: 1 })
      const frames = events.map((event) => encoder.encode(event)).join('')
      expect(unnumbered(openAiResponses.decoder().push(Buffer.from(frames)))).toEqual(unnumbered(events))
      const last = frames.trimEnd().split('\ndata: ').at(-1) ?? ''
      const whole = openAiResponses.decodeAnswer((JSON.parse(last) as { response: unknown }).response)
      expect(whole).toMatchObject({ id: one.id, finishReason: one.finishReason, usage: one.usage })
      const said = (parts: readonly Part[] | undefined, what: Part['kind']) =>
        parts?.map((part) => (part.kind === what && 'text' in part ? part.text : '')).join('')
      for (const what of ['text', 'refusal', 'reasoning'] as const) {
        expect(said(whole?.parts, what)).toBe(said(one.parts, what))
      }
    }),
  )
})

test('no body makes a decoder throw', () => {
  const item = fc.oneof(
    fc.jsonValue(),
    fc.record({
      type: fc.constantFrom('message', 'reasoning', 'function_call', 'function_call_output'),
      role: fc.constantFrom('user', 'assistant'),
      content: fc.jsonValue(),
      summary: fc.jsonValue(),
      output: fc.jsonValue(),
    }),
  )
  const body = fc.record({
    object: fc.constant('response'),
    model: fc.jsonValue(),
    input: fc.array(item),
    output: fc.array(item),
    tools: fc.jsonValue(),
    tool_choice: fc.jsonValue(),
    text: fc.jsonValue(),
    reasoning: fc.jsonValue(),
  })
  fc.assert(
    fc.property(fc.oneof(fc.jsonValue(), body), (one) => {
      openAiResponses.view(one)
      openAiResponses.decodeRequest(one)
      openAiResponses.unsaid(one)
      openAiResponses.readAnswer(one)
      openAiResponses.decodeAnswer(one)
    }),
  )
})
