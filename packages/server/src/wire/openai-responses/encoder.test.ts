// Streams of other formats for callers of responses, read by the official client.

import OpenAI from 'openai'
import { makeParseableTextFormat } from 'openai/lib/parser'
import { describe, expect, test } from 'vitest'
import type { Wire } from '../../core/release/release.js'
import { anthropicStream, openAiStream, responsesStream, valuesOf } from '../../testing/recorded-streams.js'
import { accumulated, between, clientFor, readByResponses } from '../../testing/responses-streams.js'
import { ANTHROPIC_NAMES, OPENAI_NAMES } from '../../testing/translated-stream.js'
import type { ModelAnswer } from '../format.js'
import type { StreamEvent } from '../stream-event.js'
import { providerFormatOf } from '../formats.js'
import { openAiResponses } from '../openai-responses.js'

const STREAMS: readonly (readonly [string, Wire, Buffer])[] = [
  ...OPENAI_NAMES.map((name) => [`openai-chat ${name}`, 'openai-chat', openAiStream(name)] as const),
  ...ANTHROPIC_NAMES.map(
    (name) => [`anthropic-messages ${name}`, 'anthropic-messages', anthropicStream(name)] as const,
  ),
]

const WEATHER = [
  { type: 'function_call', call_id: 'call_A1', name: 'get_weather', arguments: '{"city":"Paris"}' },
  { type: 'function_call', call_id: 'call_B2', name: 'get_weather', arguments: '{"city":"Rome"}' },
]

function decoded(wire: Wire, bytes: Uint8Array): readonly StreamEvent[] {
  return providerFormatOf(wire).decoder().push(bytes)
}

const textOf = (events: readonly StreamEvent[]): string =>
  events.map((event) => (event.kind === 'text-delta' ? event.text : '')).join('')

describe('a stream of another format for a caller of responses', () => {
  test.each(STREAMS)(
    '%s: the client reads it, and its own sum is the final output',
    async (_name, from, bytes) => {
      const { frames } = between([bytes], { from, to: 'openai-responses' })
      const { response, said, sequence } = await readByResponses(frames)
      expect(sequence).toEqual([...sequence.keys()])
      expect(response.status).toBe('completed')
      expect(response.output_text).toBe(textOf(decoded(from, bytes)))
      expect(said.text).toBe(response.output_text)
      const calls = response.output.filter((item) => item.type === 'function_call')
      expect(calls.map((call) => call.arguments)).toEqual([...said.calls.values()])
      expect(new Set(response.output.map(({ id }) => id)).size).toBe(response.output.length)
      expect(response.usage?.total_tokens).toBe(
        (response.usage?.input_tokens ?? 0) + (response.usage?.output_tokens ?? 0),
      )
      const { grown, final } = accumulated(frames)
      expect(grown?.output).toEqual(final.output)
    },
  )

  test.each([
    'parallel-tools',
    'interleaved-tools',
    'parallel-tools-all-index-zero',
    'parallel-tools-without-index',
  ])('%s: both calls arrive whole', async (name) => {
    const { frames } = between([openAiStream(name)], { from: 'openai-chat', to: 'openai-responses' })
    const { response } = await readByResponses(frames)
    const calls = response.output.filter((item) => item.type === 'function_call')
    expect(
      calls.map((call) => ({ ...call, arguments: JSON.stringify(JSON.parse(call.arguments)) })),
    ).toMatchObject(WEATHER)
  })

  test('thoughts arrive as a summary with what proves them, and go back as they were', () => {
    const bytes = anthropicStream('thinking-and-tools')
    const { frames } = between([bytes], { from: 'anthropic-messages', to: 'openai-responses' })
    const { final } = accumulated(frames)
    const kept = [
      'reasoning-delta',
      'reasoning-signature',
      'text-delta',
      'tool-call-start',
      'tool-call-delta',
    ]
    // Only the end of an item says that it is proved: on the way nobody is told that a proof follows.
    const thoughts = (events: readonly StreamEvent[]) =>
      events
        .filter(({ kind }) => kind.startsWith('reasoning'))
        .filter(({ kind }) => kept.includes(kind))
        .map((event) => (event.kind === 'reasoning-delta' ? { kind: event.kind, text: event.text } : event))
    expect(thoughts(decoded('openai-responses', Buffer.from(frames)))).toEqual(
      thoughts(decoded('anthropic-messages', bytes)),
    )
    expect(final.output.map(({ type }) => type)).toEqual([
      'reasoning',
      'message',
      'function_call',
      'function_call',
    ])
  })

  test('a refusal is a part of its own', async () => {
    const { frames } = between([openAiStream('refusal')], { from: 'openai-chat', to: 'openai-responses' })
    const { response } = await readByResponses(frames)
    expect(response).toMatchObject({
      status: 'completed',
      output: [{ content: [{ type: 'refusal', refusal: "I can't help." }] }],
    })
  })

  test('what was asked is repeated, and defaults stand in for the rest', () => {
    const request = { model: 'r', input: 'Hi', instructions: 'Be brief.', temperature: 0.5, tools: [] }
    const { frames } = between([openAiStream('text')], {
      from: 'openai-chat',
      to: 'openai-responses',
      request,
    })
    for (const event of valuesOf(frames).filter((one) => one['response'] !== undefined)) {
      expect(event['response']).toMatchObject({
        model: 'asked-for',
        instructions: 'Be brief.',
        temperature: 0.5,
        top_p: 1,
        tool_choice: 'auto',
        metadata: {},
        created_at: 1_700_000_000,
      })
    }
  })

  test('what is too long to be repeated in every event is not', () => {
    const tools = [{ type: 'function', name: 'f', description: 'x'.repeat(200_000) }]
    const request = { model: 'r', input: 'Hi', instructions: 'y'.repeat(200_000), tools }
    const { frames } = between([openAiStream('text')], {
      from: 'openai-chat',
      to: 'openai-responses',
      request,
    })
    expect(frames.length).toBeLessThan(50_000)
    expect(valuesOf(frames).at(-1)).toMatchObject({ response: { instructions: null, tools: [] } })
  })

  test('a citation that comes before its text waits for it', () => {
    const encoder = openAiResponses.encoder({ model: 'm', includeUsage: true, createdSeconds: 1 })
    const cited = { citedText: null, documentIndex: null, location: null, span: null }
    const frames = [
      { kind: 'citation', citation: { ...cited, title: 'T', url: 'https://example.com' } } as const,
      { kind: 'text-delta', text: 'Paris' } as const,
      { kind: 'end' } as const,
    ].map((event) => encoder.encode(event))
    const { grown, final } = accumulated(frames.join(''))
    expect(final.output).toEqual(grown?.output)
    expect(final.output).toMatchObject([
      { content: [{ text: 'Paris', annotations: [{ url: 'https://example.com', end_index: 5 }] }] },
    ])
  })

  test('a call without arguments has none, unless it was cut', () => {
    const argumentsAfter = (reason: 'stop' | 'length') => {
      const encoder = openAiResponses.encoder({ model: 'm', includeUsage: true, createdSeconds: 1 })
      const events: StreamEvent[] = [
        { kind: 'tool-call-start', index: 0, id: 'c', name: 'f' },
        { kind: 'finish', reason, raw: null, stopSequence: null },
        { kind: 'end' },
      ]
      const { final } = accumulated(events.map((event) => encoder.encode(event)).join(''))
      return final.output[0]
    }
    expect(argumentsAfter('stop')).toMatchObject({ arguments: '{}', status: 'completed' })
    expect(argumentsAfter('length')).toMatchObject({ arguments: '', status: 'incomplete' })
  })

  test('the last event waits for the books, and carries what is spliced in', () => {
    const { passed, kept } = between([openAiStream('text')], {
      from: 'openai-chat',
      to: 'openai-responses',
      extra: { cost_usd: 2 },
    })
    expect(passed).not.toContain('response.completed')
    expect(valuesOf(kept)).toMatchObject([
      { type: 'response.completed', response: { status: 'completed', spillway: { cost_usd: 2 } } },
    ])
  })

  test('a stream that is cut ends as incomplete, with all that was said', async () => {
    const bytes = openAiStream('parallel-tools')
    const cut = between([bytes.subarray(0, bytes.indexOf('call_B2'))], {
      from: 'openai-chat',
      to: 'openai-responses',
    })
    const frames = cut.passed + openAiResponses.cutFrames(cut.scanner)
    const { response, said, sequence } = await readByResponses(frames)
    expect(sequence).toEqual([...sequence.keys()])
    expect(response).toMatchObject({
      status: 'incomplete',
      incomplete_details: { reason: 'max_output_tokens' },
      output: [{ type: 'function_call', call_id: 'call_A1', arguments: said.calls.get(0) }],
    })
  })

  test('an error in band makes the client throw', async () => {
    const half = openAiStream('text').subarray(0, 600)
    const { passed, scanner } = between([half], { from: 'openai-chat', to: 'openai-responses' })
    const error = {
      code: 'upstream.failed',
      status: 502,
      message: 'The stream broke off.',
      hint: 'Try again.',
      taskId: null,
      requestId: 'r',
    }
    const frame = openAiResponses.errorFrame(error, scanner)
    const events = valuesOf(passed)
    expect(valuesOf(frame)).toMatchObject([
      {
        type: 'error',
        sequence_number: events.length,
        code: 'upstream.failed',
        message: 'The stream broke off.',
      },
    ])
    await expect(readByResponses(passed + frame)).rejects.toThrow(OpenAI.APIError)
  })
})

describe('the official client', () => {
  const answer: ModelAnswer = {
    id: 'msg_01',
    model: 'claude',
    parts: [{ kind: 'text', text: '{"city":"Paris"}' }],
    finishReason: 'stop',
    rawFinishReason: null,
    stopSequence: null,
    usage: null,
  }
  const format = {
    type: 'json_schema' as const,
    name: 'city',
    schema: { type: 'object', properties: { city: { type: 'string' } } },
    strict: true,
  }

  test('parses structured output of a whole response', async () => {
    const request = { model: 'r', input: 'Hi', text: { format } }
    const body = JSON.stringify(openAiResponses.encodeAnswer(answer, 1, request))
    const client = new OpenAI({
      apiKey: 'none',
      maxRetries: 0,
      fetch: async () => new Response(body, { headers: { 'content-type': 'application/json' } }),
    })
    const response = await client.responses.parse({ model: 'r', input: 'Hi', text: { format } })
    expect(response.output_text).toBe('{"city":"Paris"}')
    expect(response.output_parsed).toEqual({ city: 'Paris' })
    expect(response).toMatchObject({ id: 'resp_msg_01', text: { format: { name: 'city' } } })
  })

  test('parses structured output of a stream', async () => {
    const parseable = makeParseableTextFormat(format, (text): unknown => JSON.parse(text))
    const stream = clientFor(responsesStream('structured').toString()).responses.stream({
      model: 'r',
      input: 'Hi',
      text: { format: parseable },
    })
    expect((await stream.finalResponse()).output_parsed).toEqual({ city: 'Paris' })
  })
})
