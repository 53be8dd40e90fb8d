import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { decodeOtlp } from '../testing/decode-otlp.js'
import { rejectedSpans, requestFrame } from './otlp-protobuf.js'
import {
  type AttributeValue,
  type SpanPlace,
  SpanWriter,
  attributeName,
  attributesTemplate,
  eventTemplate,
  spanTemplate,
} from './span-writer.js'

const ORIGIN = {
  resource: { 'service.name': 'spillway' },
  scope: 'spillway',
  schemaUrl: 'https://schema.example',
}

const PLACE = {
  traceId: [1, 2, 3, 4],
  spanId: [5, 6],
  parentSpanId: null,
  parentIsRemote: false,
  startMs: 1_795_498_869_000,
  endMs: 1_795_498_869_000,
} as const

const CHAT = spanTemplate({ name: 'chat', kind: 'client', attributes: {}, error: null })

/** The first guess of the size is too small for any span. */
function written(write: (to: SpanWriter) => void) {
  const writer = new SpanWriter(16)
  write(writer)
  const bytes = writer.take()
  const { before, after } = requestFrame(ORIGIN, bytes.length)
  return decodeOtlp(Buffer.concat([before, bytes, after]))
}

function roundTrip(fill: (to: SpanWriter) => void, place: Partial<SpanPlace> = {}) {
  const [span] = written((to) => {
    to.begin({ ...PLACE, ...place })
    to.template(CHAT)
    fill(to)
    to.end()
  }).spans
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

function hexOf(words: readonly number[]): string {
  return words.map((word) => (word >>> 0).toString(16).padStart(8, '0')).join('')
}

describe('whatever is written reads back the same', () => {
  test('attributes of every kind and size', () => {
    fc.assert(
      fc.property(attributes, (set) => {
        expect(roundTrip((to) => to.template(attributesTemplate(set))).attributes).toEqual(set)
      }),
    )
  })

  test('spans whose length takes one, two and three bytes', () => {
    for (const length of [0, 20, 60, 100, 16_000, 16_300, 16_400, 40_000]) {
      const template = attributesTemplate({ text: 'x'.repeat(length) })
      const write = (to: SpanWriter) => {
        to.begin(PLACE)
        to.template(template)
        to.end()
      }
      const texts = written((to) => [1, 2].map(() => write(to))).spans.map((span) => span.attributes['text'])
      expect(texts.map((text) => String(text).length)).toEqual([length, length])
    }
  })

  test('prepared attributes, whatever their value', () => {
    const text = fc.oneof(fc.string({ maxLength: 150 }), fc.string({ unit: 'grapheme', maxLength: 150 }))
    const number = fc.oneof(fc.nat(300), fc.maxSafeInteger(), fc.double({ noNaN: true }))
    const name = fc.string({ minLength: 1, maxLength: 60 })
    fc.assert(
      fc.property(name, text, number, fc.array(text, { maxLength: 3 }), (base, some, count, list) => {
        const decoded = roundTrip((to) => {
          to.text(attributeName(`${base}.text`), some)
          to.number(attributeName(`${base}.number`), count)
          to.texts(attributeName(`${base}.list`), list)
          to.text(attributeName('none'), null)
          to.number(attributeName('none'), null)
          to.count(attributeName('none'), 0)
        })
        expect(decoded.attributes).toEqual({
          [`${base}.text`]: some,
          [`${base}.number`]: Object.is(count, -0) ? 0 : count,
          [`${base}.list`]: list,
        })
      }),
    )
  })

  test('ids, names, links, events and status', () => {
    const word = fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 })
    const span = fc.record({
      traceId: fc.tuple(word, word, word, word),
      spanId: fc.tuple(word, word),
      parentSpanId: fc.tuple(word, word),
      name: fc.string({ unit: 'grapheme', maxLength: 200 }),
      links: fc.array(fc.record({ traceId: hex(32), spanId: hex(16), sampled: fc.boolean() }), {
        maxLength: 3,
      }),
      events: fc.array(fc.record({ name: fc.string(), atMs: fc.nat(), attributes }), { maxLength: 3 }),
      error: fc.option(fc.string({ minLength: 1, maxLength: 200 })),
    })
    fc.assert(
      fc.property(span, ({ traceId, spanId, parentSpanId, name, links, events, error }) => {
        const [decoded] = written((to) => {
          to.begin({ ...PLACE, traceId, spanId, parentSpanId })
          to.template(spanTemplate({ name, kind: 'internal', attributes: {}, error }))
          for (const event of events) to.event(eventTemplate(event.name, event.attributes), event.atMs)
          for (const link of links) to.link(link)
          to.end()
        }).spans
        expect(decoded).toMatchObject({
          traceId: hexOf(traceId),
          spanId: hexOf(spanId),
          parentSpanId: hexOf(parentSpanId),
          name,
          kind: 1,
          links: links.map((link) => ({
            traceId: link.traceId,
            spanId: link.spanId,
            flags: link.sampled ? 0x301 : 0x300,
          })),
          events: events.map((event) => ({
            name: event.name,
            atNano: BigInt(event.atMs) * 1_000_000n,
            attributes: event.attributes,
          })),
          status: error === null ? 0 : 2,
          error: error ?? '',
        })
      }),
    )
  })

  test('times to the nanosecond, for thousands of years', () => {
    const microseconds = fc.integer({ min: 0, max: 2 ** 52 })
    fc.assert(
      fc.property(microseconds, (us) => {
        const startMs = Math.floor(us / 1_000)
        expect(roundTrip(() => undefined, { startMs }).startNano).toBe(BigInt(startMs) * 1_000_000n)
      }),
    )
    const { endNano } = roundTrip(() => undefined, { endMs: 1_795_498_869_000.25 })
    expect(endNano).toBe(1_795_498_869_000_250_000n)
  })

  test('many spans, in one request', () => {
    const decoded = written((to) => {
      for (let n = 0; n < 40; n += 1) {
        to.begin(PLACE)
        to.template(spanTemplate({ name: `span ${n}`, kind: 'client', attributes: {}, error: null }))
        to.text(attributeName('text'), 'x'.repeat(5_000))
        to.number(attributeName('n'), n)
        to.end()
      }
      expect(to.spans).toBe(40)
    })
    expect(decoded.spans.map(({ attributes: { n } }) => n)).toEqual(Array.from({ length: 40 }, (_, n) => n))
    expect(decoded).toMatchObject({
      resource: ORIGIN.resource,
      scope: 'spillway',
      schemaUrl: ORIGIN.schemaUrl,
    })
  })
})

test('what is not known is left out', () => {
  const template = attributesTemplate({ a: null, b: 1, c: null })
  expect(roundTrip((to) => to.template(template)).attributes).toEqual({ b: 1 })
})

test('a buffer that was given back is written to again, and only from the start', () => {
  const writer = new SpanWriter(4_096)
  const write = (name: string) => {
    writer.begin(PLACE)
    writer.template(spanTemplate({ name, kind: 'client', attributes: {}, error: null }))
    writer.end()
    return writer.take()
  }
  const first = write('a')
  const second = write('b')
  writer.giveBack(first.buffer)
  const third = write('c')
  expect(third.buffer).toBe(first.buffer)
  expect(third.length).toBe(second.length)
  expect(write('d').buffer).not.toBe(first.buffer)
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
