// The framing, against frames made by hand and AWS's own codec.

import { crc32 } from 'node:zlib'
import { EventStreamCodec } from '@smithy/eventstream-codec'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { errorFrame, eventFrame, exceptionFrame } from '../../testing/converse-frames.js'
import { CONVERSE_STREAMS, converseEvents, converseStream } from '../../testing/recorded-streams.js'
import { EVENT_BYTES_MAX, EventFrames } from './event-frames.js'

const text = (value: string) => Buffer.from(value)
const word = (value: number) => {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(value >>> 0)
  return bytes
}

/** A frame by the letter of the specification: string headers only, as Bedrock sends them. */
function byHand(headers: Readonly<Record<string, string>>, payload: string): Buffer {
  const lines = Object.entries(headers).map(([name, value]) => {
    const length = Buffer.alloc(2)
    length.writeUInt16BE(text(value).length)
    return Buffer.concat([Buffer.of(text(name).length), text(name), Buffer.of(7), length, text(value)])
  })
  const head = Buffer.concat(lines)
  const sizes = Buffer.concat([word(16 + head.length + text(payload).length), word(head.length)])
  const unsigned = Buffer.concat([sizes, word(crc32(sizes)), head, text(payload)])
  return Buffer.concat([unsigned, word(crc32(unsigned))])
}

const HEADERS = {
  ':event-type': 'contentBlockDelta',
  ':content-type': 'application/json',
  ':message-type': 'event',
}
const PAYLOAD = '{"contentBlockIndex":0,"delta":{"text":"Grüße 😀"},"p":"abc"}'

describe('one frame', () => {
  test('made by hand is the one the official codec makes', () => {
    expect(eventFrame('contentBlockDelta', PAYLOAD)).toEqual(byHand(HEADERS, PAYLOAD))
  })

  test('has the checksums of the published example', () => {
    const published = '0000001d00000000fd528c5a7b27666f6f273a27626172277dc3653936'
    expect(byHand({}, "{'foo':'bar'}").toString('hex')).toBe(published)
  })

  test('is read', () => {
    expect(new EventFrames().push(byHand(HEADERS, PAYLOAD))).toEqual([
      { kind: 'event', type: 'contentBlockDelta', payload: JSON.parse(PAYLOAD) },
    ])
  })

  test('may have no payload', () => {
    const frame = byHand({ ...HEADERS, ':event-type': 'contentBlockStop' }, '')
    expect(new EventFrames().push(frame)).toEqual([{ kind: 'event', type: 'contentBlockStop', payload: {} }])
  })

  test('of any stream reads as the official codec reads it', () => {
    const codec = new EventStreamCodec(
      (bytes) => (typeof bytes === 'string' ? bytes : Buffer.from(bytes).toString('utf8')),
      (value) => Buffer.from(value),
    )
    for (const name of CONVERSE_STREAMS) {
      for (const [type, payload] of converseEvents(name)) {
        const frame = byHand({ ...HEADERS, ':event-type': type }, JSON.stringify(payload))
        const official = codec.decode(frame)
        expect(official.headers[':event-type']?.value).toBe(type)
        const { body } = official
        expect(new EventFrames().push(frame)).toEqual([
          { kind: 'event', type, payload: JSON.parse(Buffer.from(body).toString('utf8')) },
        ])
      }
    }
  })
})

describe('an error', () => {
  test.each([
    'throttlingException',
    'validationException',
    'internalServerException',
    'serviceUnavailableException',
    'modelStreamErrorException',
  ])('%s keeps its type and its message', (type) => {
    expect(new EventFrames().push(exceptionFrame(type, { message: 'Too many requests' }))).toEqual([
      { kind: 'error', error: { type, code: null, message: 'Too many requests' } },
    ])
  })

  test('of the model keeps the model’s own words', () => {
    const payload = {
      message: 'The model failed.',
      originalMessage: 'out of memory',
      originalStatusCode: 500,
    }
    expect(new EventFrames().push(exceptionFrame('modelStreamErrorException', payload))).toMatchObject([
      { error: { message: 'The model failed. (out of memory)' } },
    ])
  })

  test('of the framing itself is in its headers', () => {
    expect(new EventFrames().push(errorFrame('InternalFailure', 'The stream broke.'))).toEqual([
      { kind: 'error', error: { type: 'InternalFailure', code: null, message: 'The stream broke.' } },
    ])
  })

  test('has no key in it', () => {
    const message = 'The security token AKIAIOSFODNN7EXAMPLE is invalid'
    const [frame] = new EventFrames().push(exceptionFrame('validationException', { message }))
    expect(JSON.stringify(frame)).not.toContain('AKIAIOSFODNN7EXAMPLE')
  })
})

describe('damage', () => {
  const stream = converseStream('text')
  const first = stream.readUInt32BE(0)

  test('to any single byte of a frame breaks the stream, or leaves it unfinished', () => {
    const whole = new EventFrames().push(stream).length
    for (let at = 0; at < first; at += 1) {
      const damaged = Buffer.from(stream)
      damaged[at] = (damaged[at] ?? 0) ^ 0x41
      const frames = new EventFrames()
      expect(frames.push(damaged).length).toBeLessThan(whole)
      expect(frames.broken || frames.restLength > 0).toBe(true)
    }
  })

  test('stops the reading: nothing after it counts', () => {
    const frames = new EventFrames()
    const damaged = Buffer.from(stream)
    damaged[first - 1] = (damaged[first - 1] ?? 0) ^ 1
    expect(frames.push(damaged)).toEqual([])
    expect(frames.broken).toBe(true)
    expect(frames.push(stream)).toEqual([])
  })

  test.each([
    ['a page', '<html><body>Bad gateway</body></html>'],
    ['a JSON body', '{"message":"no"}'],
    ['server-sent events', 'data: {"choices":[]}\n\n'],
    ['zeros', '\0'.repeat(64)],
  ])('%s is no stream', (_, bytes) => {
    const frames = new EventFrames()
    expect(frames.push(Buffer.from(bytes))).toEqual([])
    expect(frames.broken).toBe(true)
  })

  test('a frame that says it is larger than the format allows is not waited for', () => {
    const frames = new EventFrames()
    frames.push(Buffer.concat([word(EVENT_BYTES_MAX + 1), word(0), word(0)]))
    expect(frames.broken).toBe(true)
  })

  test.each([
    ['without a message type', { ':event-type': 'messageStart' }, '{}'],
    ['with a type that nobody knows', { ...HEADERS, ':message-type': 'song' }, '{}'],
    ['whose payload is not an object', HEADERS, '[1]'],
    ['whose payload is not JSON', HEADERS, '{"a":'],
  ])('a frame %s is not of this format', (_, headers, payload) => {
    const frames = new EventFrames()
    expect(frames.push(byHand(headers as Record<string, string>, payload))).toEqual([])
    expect(frames.broken).toBe(true)
  })
})

test('memory that is used again after a push does not change what was read', () => {
  const stream = converseStream('parallel-tools')
  const expected = new EventFrames().push(stream)
  const frames = new EventFrames()
  const found = []
  const memory = Buffer.alloc(7)
  for (let at = 0; at < stream.length; at += memory.length) {
    const length = stream.copy(memory, 0, at)
    found.push(...frames.push(memory.subarray(0, length)))
  }
  expect(found).toEqual(expected)
})

test('a large frame arrives in small chunks', () => {
  const payload = { delta: { text: 'x'.repeat(1_000_000) } }
  const stream = Buffer.concat([eventFrame('contentBlockDelta', payload), eventFrame('messageStop', {})])
  const frames = new EventFrames()
  const found = []
  for (let at = 0; at < stream.length; at += 1_000)
    found.push(...frames.push(stream.subarray(at, at + 1_000)))
  expect(found).toMatchObject([{ payload }, { type: 'messageStop' }])
})

test('no bytes make it throw', () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 64 })), (chunks) => {
      const frames = new EventFrames()
      for (const chunk of chunks) frames.push(chunk)
    }),
  )
})
