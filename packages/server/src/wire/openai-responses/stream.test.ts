// Response streams across formats, read by the official client as well.

import OpenAI from 'openai'
import { makeParseableTextFormat } from 'openai/lib/parser'
import { accumulateResponse } from 'openai/lib/responses/ResponseAccumulator'
import type { Response, ResponseStreamEvent } from 'openai/resources/responses/responses'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Wire } from '../../core/release/release.js'
import { anthropicStream, openAiStream, responsesStream, valuesOf } from '../../testing/recorded-streams.js'
import {
  BROKEN_NAMES,
  RESPONSES_NAMES,
  between,
  clientFor,
  readByResponses,
} from '../../testing/responses-streams.js'
import {
  ANTHROPIC_NAMES,
  OPENAI_NAMES,
  readByAnthropic,
  readByOpenAi,
} from '../../testing/translated-stream.js'
import type { ModelAnswer, StreamEvent } from '../format.js'
import { formatOf, providerFormatOf } from '../formats.js'
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

/** What the client's accumulator has before the last event, and what the last event says. */
function accumulated(frames: string): { readonly grown: Response | undefined; readonly final: Response } {
  const events = valuesOf(frames) as unknown as ResponseStreamEvent[]
  let grown: Response | undefined
  for (const event of events.slice(0, -1)) grown = accumulateResponse(event, grown)
  return { grown, final: accumulateResponse(events.at(-1) as ResponseStreamEvent, grown) }
}

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
    const thoughts = (events: readonly StreamEvent[]) =>
      events.filter(({ kind }) => kind.startsWith('reasoning')).filter(({ kind }) => kept.includes(kind))
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

describe('a response stream for callers of other formats', () => {
  test('text, id, usage and finish arrive', async () => {
    const bytes = responsesStream('text')
    const chat = await readByOpenAi(between([bytes], { from: 'openai-responses', to: 'openai-chat' }).frames)
    expect(chat).toMatchObject({
      choices: [{ message: { content: 'Grüße, "usage": 😀' }, finish_reason: 'stop' }],
      usage: { prompt_tokens: 19, completion_tokens: 7, prompt_tokens_details: { cached_tokens: 8 } },
    })
    const message = await readByAnthropic(
      between([bytes], { from: 'openai-responses', to: 'anthropic-messages' }).frames,
    )
    expect(message).toMatchObject({
      content: [{ type: 'text', text: 'Grüße, "usage": 😀' }],
      usage: { input_tokens: 11, cache_read_input_tokens: 8, output_tokens: 7 },
    })
  })

  test.each(['reasoning-and-calls', 'interleaved-calls'])('%s: both calls arrive whole', async (name) => {
    const bytes = responsesStream(name)
    const chat = await readByOpenAi(between([bytes], { from: 'openai-responses', to: 'openai-chat' }).frames)
    expect(chat.choices[0]).toMatchObject({
      message: {
        tool_calls: [
          { id: 'call_A1', function: { arguments: '{"city":"Paris"}' } },
          { id: 'call_B2', function: { arguments: '{"city":"Rome"}' } },
        ],
      },
      finish_reason: 'tool_calls',
    })
    const message = await readByAnthropic(
      between([bytes], { from: 'openai-responses', to: 'anthropic-messages' }).frames,
    )
    const calls = message.content.filter((block) => block.type === 'tool_use')
    expect(calls.map((call) => call.input)).toEqual([{ city: 'Paris' }, { city: 'Rome' }])
  })

  test('parts of a summary are set apart, and the thought is proved', () => {
    const events = decoded('openai-responses', responsesStream('reasoning-and-calls'))
    const thought = events.map((event) => (event.kind === 'reasoning-delta' ? event.text : '')).join('')
    expect(thought).toBe('**Looking** at both\n\nThen answer.')
    expect(events).toContainEqual({ kind: 'reasoning-signature', signature: 'gAAAAABoyn-9kq1TzU5b0RZ' })
    expect(decoded('openai-responses', responsesStream('encrypted-reasoning'))).toContainEqual({
      kind: 'reasoning-redacted',
      data: 'gAAAAABoynEncryptedOnly',
    })
  })

  test('a limit, a refusal and a failure keep their meaning', () => {
    const finish = (name: string) =>
      decoded('openai-responses', responsesStream(name)).find(({ kind }) => kind === 'finish')
    expect(finish('incomplete')).toMatchObject({ reason: 'length', raw: 'max_output_tokens' })
    expect(finish('refusal')).toMatchObject({ reason: 'refusal' })
    expect(decoded('openai-responses', responsesStream('failed')).at(-1)).toEqual({
      kind: 'error',
      error: { type: null, code: 'server_error', message: 'The model failed to generate a response.' },
    })
    expect(decoded('openai-responses', responsesStream('error-in-band')).at(-1)).toMatchObject({
      kind: 'error',
      error: { type: 'tokens', code: 'rate_limit_exceeded' },
    })
  })

  test('an error as documented, its words beside the type, is read alike', () => {
    const event = { type: 'error', code: 'server_error', message: 'Busy.', param: null, sequence_number: 1 }
    expect(decoded('openai-responses', Buffer.from(`data: ${JSON.stringify(event)}\n\n`))).toEqual([
      { kind: 'error', error: { type: null, code: 'server_error', message: 'Busy.' } },
    ])
  })

  test('a server that sends whole items only is understood', () => {
    const items = [
      {
        id: 'rs',
        type: 'reasoning',
        summary: [{ type: 'summary_text', text: 'Hm' }],
        encrypted_content: 'e',
      },
      { id: 'm', type: 'message', role: 'assistant', content: [{ type: 'output_text', text: 'Yes' }] },
      { id: 'f', type: 'function_call', call_id: 'c', name: 'f', arguments: '{}' },
    ]
    const events = [
      ...items.map((item, index) => ({ type: 'response.output_item.done', output_index: index, item })),
      { type: 'response.completed', response: { id: 'r', model: 'm', status: 'completed' } },
    ]
    const frames = events.map((event) => `data: ${JSON.stringify(event)}\n\n`).join('')
    const created = 'data: {"type":"response.created","response":{"id":"r","model":"m"}}\n\n'
    const said: StreamEvent[] = [
      { kind: 'start', id: 'r', model: 'm', usage: null },
      { kind: 'reasoning-delta', text: 'Hm' },
      { kind: 'reasoning-signature', signature: 'e' },
      { kind: 'text-delta', text: 'Yes' },
      { kind: 'tool-call-start', index: 2, id: 'c', name: 'f' },
      { kind: 'tool-call-delta', index: 2, argumentsJson: '{}' },
      { kind: 'finish', reason: 'tool-calls', raw: 'completed', stopSequence: null },
      { kind: 'end' },
    ]
    expect(decoded('openai-responses', Buffer.from(created + frames))).toEqual(said)
    const response = { id: 'r', model: 'm', status: 'completed', output: items }
    const last = `data: ${JSON.stringify({ type: 'response.completed', response })}\n\n`
    expect(decoded('openai-responses', Buffer.from(last))).toEqual(said)
  })
})

describe('in both directions', () => {
  test.each(RESPONSES_NAMES)('%s: decoded and encoded again it means the same', async (name) => {
    const bytes = responsesStream(name)
    const events = decoded('openai-responses', bytes)
    const encoder = openAiResponses.encoder({ model: 'gpt-5', includeUsage: true, createdSeconds: 1 })
    const frames = events.map((event) => encoder.encode(event)).join('')
    const again = decoded('openai-responses', Buffer.from(frames))
    expect(wordsOf(again)).toEqual(wordsOf(events))
    const { grown, final } = accumulated(frames)
    expect(grown?.output).toEqual(final.output)
    const original = await readByResponses(bytes.toString())
    expect(final.output_text).toBe(original.response.output_text)
    expect(final.usage).toEqual({
      ...original.response.usage,
      input_tokens_details: { ...original.response.usage?.input_tokens_details, cache_write_tokens: 0 },
    })
  })

  test('every split point gives the same events', () => {
    for (const name of [...RESPONSES_NAMES, ...BROKEN_NAMES]) {
      const bytes = responsesStream(name)
      const whole = decoded('openai-responses', bytes)
      const wanted = JSON.stringify(whole)
      const every = name === 'text' || name === 'failed' ? 1 : 13
      for (let at = 1; at < bytes.length; at += every) {
        const decoder = openAiResponses.decoder()
        const pieces = [...decoder.push(bytes.subarray(0, at)), ...decoder.push(bytes.subarray(at))]
        expect(JSON.stringify(pieces) === wanted, `${name} split at ${at}`).toBe(true)
      }
      const decoder = openAiResponses.decoder()
      expect([...bytes].flatMap((byte) => decoder.push(Uint8Array.of(byte)))).toEqual(whole)
    }
  })

  test('a stream cut anywhere before its last event never ends cleanly', () => {
    for (const name of RESPONSES_NAMES) {
      const bytes = responsesStream(name)
      for (let at = 0; at < bytes.lastIndexOf('}'); at += 31) {
        const { frames, scanner } = between([bytes.subarray(0, at)], {
          from: 'openai-responses',
          to: 'openai-chat',
        })
        expect(scanner.facts.ended).toBe(false)
        expect(frames).not.toContain('[DONE]')
      }
    }
  })

  test('garbage never throws and never ends a stream', () => {
    const piece = fc.oneof(
      fc.string(),
      fc.constantFrom(
        'data: {"type":"response.output_item.added","item":{"type":"function_call"}}\n\n',
        'data: {"type":"response.output_item.done","output_index":-1,"item":{"type":"reasoning","summary":3}}\n\n',
        'data: {"type":"response.output_text.delta","delta":{}}\n\n',
        'event: response.output_text.delta\ndata: {"type":"response.output_text.delta","delta":"x","output_index":0}\n\n',
        'data: {"type":"response.created","response":[]}\n\n',
        '\n\n',
        '{"error":1}',
      ),
    )
    const clean = piece.filter((text) => !/completed|incomplete/.test(text))
    fc.assert(
      fc.property(fc.array(clean), fc.boolean(), (pieces, collect) => {
        const chunks = pieces.map((text) => Buffer.from(text))
        for (const to of ['openai-chat', 'anthropic-messages', 'openai-responses'] as const) {
          const { frames, scanner } = between(chunks, { from: 'openai-responses', to, collect })
          expect(scanner.facts.ended).toBe(false)
          expect(frames).not.toMatch(/\[DONE\]|message_stop/)
          formatOf(to).cutFrames(scanner)
        }
      }),
      { numRuns: 300 },
    )
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

/** Deltas of one kind in a row as one; ids are not compared. */
function wordsOf(events: readonly StreamEvent[]): readonly unknown[] {
  const words: { kind: string; text: string }[] = []
  const others: unknown[] = []
  for (const event of events) {
    if (event.kind === 'text-delta' || event.kind === 'refusal-delta' || event.kind === 'reasoning-delta') {
      const last = words.at(-1)
      if (last?.kind === event.kind) last.text += event.text
      else words.push({ kind: event.kind, text: event.text })
    } else if (event.kind === 'start') others.push(event.kind)
    else others.push(event)
  }
  return [words, others]
}
