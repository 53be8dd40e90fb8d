// What holds for the encoders whatever order the events come in.

import fc from 'fast-check'
import { accumulateResponse } from 'openai/lib/responses/ResponseAccumulator'
import type { Response, ResponseStreamEvent } from 'openai/resources/responses/responses'
import { expect, test } from 'vitest'
import type { CallerWire } from '../core/release/release.js'
import { NO_TOKENS } from '../core/money/token-counts.js'
import type { StreamEvent } from './stream-event.js'
import { formatOf } from './formats.js'
import { valuesOf } from '../testing/recorded-streams.js'

const wire = fc.constantFrom<CallerWire>('openai-chat', 'openai-responses', 'anthropic-messages')
const index = fc.nat({ max: 3 })
const event: fc.Arbitrary<StreamEvent> = fc.oneof(
  fc.constant<StreamEvent>({ kind: 'start', id: 'x', model: 'm', usage: null }),
  fc.string({ minLength: 1 }).map((text): StreamEvent => ({ kind: 'text-delta', text })),
  fc.constant<StreamEvent>({ kind: 'reasoning-delta', text: 'hm' }),
  fc.constant<StreamEvent>({ kind: 'reasoning-delta', text: 'hm', signed: true }),
  fc.constant<StreamEvent>({ kind: 'reasoning-signature', signature: 's' }),
  fc.constant<StreamEvent>({ kind: 'reasoning-redacted', data: 'r' }),
  fc.constant<StreamEvent>({ kind: 'refusal-delta', text: 'no' }),
  fc.constant<StreamEvent>({ kind: 'logprobs', logprobs: [{ token: 'a', logprob: -1, top: [] }] }),
  fc.constant<StreamEvent>({
    kind: 'citation',
    citation: {
      citedText: null,
      title: 'T',
      url: 'https://example.com',
      documentIndex: null,
      location: null,
      span: null,
    },
  }),
  index.map((at): StreamEvent => ({ kind: 'tool-call-start', index: at, id: `c${at}`, name: 'f' })),
  index.map((at): StreamEvent => ({ kind: 'tool-call-delta', index: at, argumentsJson: '{}' })),
  fc.constant<StreamEvent>({ kind: 'finish', reason: 'stop', raw: null, stopSequence: null }),
  fc.constant<StreamEvent>({
    kind: 'usage',
    usage: { tokens: NO_TOKENS, providerTotals: { input: 0, output: 0, total: 0 } },
  }),
)

function encoded(to: CallerWire, events: readonly StreamEvent[]): string {
  const encoder = formatOf(to).encoder({ model: 'm', includeUsage: true, createdSeconds: 1 })
  return events.map((one) => encoder.encode(one)).join('')
}

test('Anthropic: one message_start, first; blocks whole and in order; nothing after message_stop', () => {
  fc.assert(
    fc.property(fc.array(event), (events) => {
      const frames = encoded('anthropic-messages', [...events, { kind: 'end' }, ...events])
      const order = valuesOf(frames).map((one) => String(one['type']).replace('content_block_', ''))
      expect(order.join(' ')).toMatch(/^message_start (start (delta )*stop )*message_delta message_stop$/)
    }),
  )
})

test('OpenAI: the role once, first; usage once at most, right before the end marker; nothing after it', () => {
  fc.assert(
    fc.property(fc.array(event, { minLength: 1 }), (events) => {
      const values = valuesOf(encoded('openai-chat', [...events, { kind: 'end' }, ...events]))
      const kinds = values.map((one) => {
        if (one['done'] === true) return 'done'
        if (one['usage'] !== null) return 'usage'
        return JSON.stringify(one).includes('"role"') ? 'role' : 'chunk'
      })
      expect(kinds.join(' ')).toMatch(/^(role( chunk)* )?(usage )?done$/)
    }),
  )
})

test('responses: numbered from 0; what the client adds up is what the last event repeats', () => {
  fc.assert(
    fc.property(fc.array(event), (events) => {
      const values = valuesOf(encoded('openai-responses', [...events, { kind: 'end' }, ...events]))
      expect(values.map((one) => one['sequence_number'])).toEqual([...values.keys()])
      const types = values.map((one) => String(one['type']))
      expect(types.join(' ')).toMatch(/^response.created response.in_progress .*response.completed$/)
      const read = values as unknown as ResponseStreamEvent[]
      let grown: Response | undefined
      for (const one of read.slice(0, -1)) grown = accumulateResponse(one, grown)
      const last = read.at(-1)
      expect(last?.type === 'response.completed' ? last.response.output : null).toEqual(grown?.output)
    }),
  )
})

test('text comes out of a stream as it went in, through either format', () => {
  fc.assert(
    fc.property(wire, fc.array(fc.string({ minLength: 1, unit: 'binary' })), (to, texts) => {
      const deltas = texts.map((text): StreamEvent => ({ kind: 'text-delta', text }))
      const start: StreamEvent = { kind: 'start', id: 'x', model: 'm', usage: null }
      const frames = encoded(to, [start, ...deltas, { kind: 'end' }])
      const decoded = formatOf(to).decoder().push(Buffer.from(frames))
      const words = decoded.flatMap((one) => (one.kind === 'text-delta' ? [one.text] : []))
      expect(words.join('')).toBe(texts.join(''))
      expect(decoded.at(-1)).toEqual({ kind: 'end' })
    }),
  )
})

test('a call that ends with "stop" ends with the word that makes clients run it', () => {
  const call: StreamEvent = { kind: 'tool-call-start', index: 0, id: 'c', name: 'f' }
  const events: StreamEvent[] = [
    call,
    { kind: 'finish', reason: 'stop', raw: null, stopSequence: null },
    { kind: 'end' },
  ]
  expect(encoded('openai-chat', events)).toContain('"finish_reason":"tool_calls"')
  expect(encoded('anthropic-messages', events)).toContain('"stop_reason":"tool_use"')
})

test('after an error nothing follows, least of all an end', () => {
  const error: StreamEvent = {
    kind: 'error',
    error: { type: 'overloaded_error', code: null, message: 'busy' },
  }
  for (const to of ['openai-chat', 'openai-responses', 'anthropic-messages'] as const) {
    const frames = encoded(to, [error, { kind: 'text-delta', text: 'x' }, { kind: 'end' }])
    expect(valuesOf(frames)).toMatchObject([{ error: { message: 'busy' } }])
  }
})
