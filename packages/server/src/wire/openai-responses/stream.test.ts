// Response streams for callers of other formats, and whatever the bytes come in.

import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { responsesStream, valuesOf } from '../../testing/recorded-streams.js'
import {
  BROKEN_NAMES,
  RESPONSES_NAMES,
  accumulated,
  between,
  readByResponses,
} from '../../testing/responses-streams.js'
import { readByAnthropic, readByOpenAi } from '../../testing/translated-stream.js'
import type { StreamEvent } from '../stream-event.js'
import { formatOf } from '../formats.js'
import { openAiResponses } from '../openai-responses.js'

function decoded(bytes: Uint8Array): readonly StreamEvent[] {
  return openAiResponses.decoder().push(bytes)
}

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
    const events = decoded(responsesStream('reasoning-and-calls'))
    const thought = events.map((event) => (event.kind === 'reasoning-delta' ? event.text : '')).join('')
    expect(thought).toBe('**Looking** at both\n\nThen answer.')
    expect(events).toContainEqual({
      kind: 'reasoning-signature',
      signature: 'gAAAAABoyn-9kq1TzU5b0RZ',
      id: 'rs_0123456789abcdef0123456789abcd00fedcba9876543210',
    })
    expect(decoded(responsesStream('encrypted-reasoning'))).toContainEqual({
      kind: 'reasoning-redacted',
      data: 'gAAAAABoynEncryptedOnly',
      id: 'rs_0123456789abcdef0123456789abcd00fedcba9876543210',
    })
  })

  test('a limit, a refusal and a failure keep their meaning', () => {
    const finish = (name: string) => decoded(responsesStream(name)).find(({ kind }) => kind === 'finish')
    expect(finish('incomplete')).toMatchObject({ reason: 'length', raw: 'max_output_tokens' })
    expect(finish('refusal')).toMatchObject({ reason: 'refusal' })
    expect(decoded(responsesStream('failed')).at(-1)).toEqual({
      kind: 'error',
      error: { type: null, code: 'server_error', message: 'The model failed to generate a response.' },
    })
    expect(decoded(responsesStream('error-in-band')).at(-1)).toMatchObject({
      kind: 'error',
      error: { type: 'tokens', code: 'rate_limit_exceeded' },
    })
  })

  test('an error as documented, its words beside the type, is read alike', () => {
    const event = { type: 'error', code: 'server_error', message: 'Busy.', param: null, sequence_number: 1 }
    expect(decoded(Buffer.from(`data: ${JSON.stringify(event)}\n\n`))).toEqual([
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
      { kind: 'reasoning-signature', signature: 'e', id: 'rs' },
      { kind: 'text-delta', text: 'Yes' },
      { kind: 'tool-call-start', index: 2, id: 'c', name: 'f' },
      { kind: 'tool-call-delta', index: 2, argumentsJson: '{}' },
      { kind: 'finish', reason: 'tool-calls', raw: 'completed', stopSequence: null },
      { kind: 'end' },
    ]
    expect(decoded(Buffer.from(created + frames))).toEqual(said)
    const response = { id: 'r', model: 'm', status: 'completed', output: items }
    const last = `data: ${JSON.stringify({ type: 'response.completed', response })}\n\n`
    expect(decoded(Buffer.from(last))).toEqual(said)
  })
})

describe('in both directions', () => {
  test.each(RESPONSES_NAMES)('%s: decoded and encoded again it means the same', async (name) => {
    const bytes = responsesStream(name)
    const events = decoded(bytes)
    const encoder = openAiResponses.encoder({ model: 'gpt-5', includeUsage: true, createdSeconds: 1 })
    const frames = events.map((event) => encoder.encode(event)).join('')
    const again = decoded(Buffer.from(frames))
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

  // Calls that the API writes one after the other stay open here, because others write them side by side.
  test.each(RESPONSES_NAMES.filter((name) => name !== 'reasoning-and-calls'))(
    '%s: encoded again it has the events that the API sends, in their order',
    (name) => {
      const bytes = responsesStream(name)
      const encoder = openAiResponses.encoder({ model: 'gpt-5', includeUsage: true, createdSeconds: 1 })
      const frames = decoded(bytes).map((event) => encoder.encode(event))
      const shape = (text: string) =>
        valuesOf(text).map((event) => [event['type'], event['output_index'], Object.keys(event).toSorted()])
      const plain = bytes.toString().replaceAll(/,"obfuscation":"[^"]*"/g, '')
      expect(shape(frames.join(''))).toEqual(shape(plain))
    },
  )

  test('every split point gives the same events', () => {
    for (const name of [...RESPONSES_NAMES, ...BROKEN_NAMES]) {
      const bytes = responsesStream(name)
      const whole = decoded(bytes)
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
    // What is encoded here is named here.
    else if ('id' in event && event.kind.startsWith('reasoning')) others.push({ ...event, id: undefined })
    else others.push(event)
  }
  return [words, others]
}
