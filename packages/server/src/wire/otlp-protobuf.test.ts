import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { decodeOtlp } from '../testing/decode-otlp.js'
import { encodeSpans, rejectedSpans } from './otlp-protobuf.js'
import type { AttributeValue, SpanData } from './span-data.js'

const ORIGIN = {
  resource: { 'service.name': 'spillway' },
  scope: 'spillway',
  schemaUrl: 'https://schema.example',
}

const SPAN: SpanData = {
  traceId: '4bf92f3577b34da6a3ce929d0e0e4736',
  spanId: '00f067aa0ba902b7',
  parentSpanId: null,
  parentIsRemote: false,
  name: 'chat',
  kind: 'client',
  startMs: 1_795_498_869_000,
  endMs: 1_795_498_869_000,
  attributes: [],
  links: [],
  events: [],
  error: null,
}

function roundTrip(changes: Partial<SpanData>) {
  const [span] = decodeOtlp(encodeSpans([{ ...SPAN, ...changes }], ORIGIN)).spans
  if (span === undefined) throw new Error('one span went in')
  return span
}

const HEX_DIGITS = Array.from({ length: 16 }, (_, digit) => digit.toString(16))
const hex = (digits: number) =>
  fc
    .array(fc.constantFrom(...HEX_DIGITS), { minLength: digits, maxLength: digits })
    .map((chars) => chars.join(''))
const value: fc.Arbitrary<AttributeValue> = fc.oneof(
  fc.string({ unit: 'grapheme', maxLength: 300 }),
  fc.boolean(),
  fc.maxSafeInteger(),
  fc.double({ noNaN: true }).filter((number) => !Object.is(number, -0)),
  fc.array(fc.string({ unit: 'grapheme', maxLength: 60 }), { maxLength: 4 }),
)
const attributes = fc.dictionary(
  fc.string({ minLength: 1, maxLength: 80 }).filter((name) => name !== '__proto__'),
  value,
  {
    maxKeys: 30,
    noNullPrototype: true,
  },
)

describe('whatever is encoded reads back the same', () => {
  test('attributes of every kind and size', () => {
    fc.assert(
      fc.property(attributes, (set) => {
        expect(roundTrip({ attributes: [set] }).attributes).toEqual(set)
      }),
    )
  })

  test('ids, names, links, events and status', () => {
    const span = fc.record({
      traceId: hex(32),
      spanId: hex(16),
      parentSpanId: hex(16),
      name: fc.string({ unit: 'grapheme', maxLength: 200 }),
      links: fc.array(fc.record({ traceId: hex(32), spanId: hex(16), sampled: fc.boolean() }), {
        maxLength: 3,
      }),
      events: fc.array(fc.record({ name: fc.string(), atMs: fc.constant(1), attributes }), { maxLength: 3 }),
      error: fc.option(fc.string({ minLength: 1, maxLength: 200 })),
    })
    fc.assert(
      fc.property(span, (changes) => {
        const { traceId, spanId, parentSpanId, name, links, events, error } = changes
        expect(roundTrip(changes)).toMatchObject({
          traceId,
          spanId,
          parentSpanId,
          name,
          links: links.map((link) => ({ traceId: link.traceId, spanId: link.spanId })),
          events: events.map((event) => ({ name: event.name, attributes: event.attributes })),
          status: error === null ? 0 : 2,
        })
      }),
    )
  })

  test('times to the nanosecond, for thousands of years', () => {
    const microseconds = fc.integer({ min: 0, max: 2 ** 52 })
    fc.assert(
      fc.property(microseconds, (us) => {
        const ms = Math.floor(us / 1_000)
        expect(roundTrip({ startMs: ms }).startNano).toBe(BigInt(ms) * 1_000_000n)
      }),
    )
    expect(roundTrip({ endMs: 1_795_498_869_000.25 }).endNano).toBe(1_795_498_869_000_250_000n)
  })

  test('many spans, more than the first guess of the size', () => {
    const big = { text: 'x'.repeat(5_000) }
    const many = Array.from({ length: 40 }, (_, n) => ({
      ...SPAN,
      name: `span ${n}`,
      attributes: [big, { n }],
    }))
    const decoded = decodeOtlp(encodeSpans(many, ORIGIN))
    expect(decoded.spans.map((span) => span.attributes)).toEqual(many.map((_, n) => ({ ...big, n })))
    expect(decoded).toMatchObject({
      resource: ORIGIN.resource,
      scope: 'spillway',
      schemaUrl: ORIGIN.schemaUrl,
    })
  })
})

test('what is not known is left out', () => {
  expect(roundTrip({ attributes: [{ a: null, b: 1 }, { c: null }] }).attributes).toEqual({ b: 1 })
})

test.each([
  ['an empty answer', [], 0],
  ['three rejected', [0x0a, 0x02, 0x08, 0x03], 3],
  ['a reason before the count', [0x0a, 0x07, 0x12, 0x02, 0x6e, 0x6f, 0x08, 0xac, 0x02], 300],
  ['only a reason', [0x0a, 0x04, 0x12, 0x02, 0x6e, 0x6f], 0],
  ['JSON by mistake', [...Buffer.from('{"partialSuccess":{}}')], 0],
])('%s: %j says %i spans were not taken', (_name, bytes, rejected) => {
  expect(rejectedSpans(Uint8Array.from(bytes))).toBe(rejected)
})

test('an answer of any bytes is read without harm', () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => rejectedSpans(bytes) >= 0))
})
