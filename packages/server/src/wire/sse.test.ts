import { Buffer } from 'node:buffer'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { FRAME_BYTES_MAX, SseSplitter, readFrame } from './sse.js'

function framesOf(chunks: readonly Uint8Array[]): string[] {
  const splitter = new SseSplitter()
  return chunks.flatMap((chunk) => splitter.push(chunk)).map((frame) => frame.toString('utf8'))
}

const line = fc.constantFrom('data: {"a":1}', 'data: äöü 😀', 'event: ping', ': comment', 'data:', 'id: 7')
const newline = fc.constantFrom('\n', '\r\n')
const stream = fc
  .array(fc.tuple(fc.array(line, { minLength: 1, maxLength: 3 }), newline), { minLength: 1, maxLength: 5 })
  .map((frames) => frames.map(([lines, end]) => lines.join(end) + end + end))

describe('the frame splitter', () => {
  test('gives the same frames at every split point, and in single bytes', () => {
    fc.assert(
      fc.property(stream, (frames) => {
        const bytes = Buffer.from(frames.join(''))
        for (let at = 0; at <= bytes.length; at += 1) {
          expect(framesOf([bytes.subarray(0, at), bytes.subarray(at)])).toEqual(frames)
        }
        expect(framesOf([...bytes].map((byte) => Uint8Array.of(byte)))).toEqual(frames)
      }),
      { numRuns: 40 },
    )
  })

  test('keeps every byte: frames and rest together are the input', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 40 })), (chunks) => {
        const splitter = new SseSplitter()
        const frames = chunks.flatMap((chunk) => splitter.push(chunk))
        expect(Buffer.concat([...frames, splitter.rest()])).toEqual(Buffer.concat(chunks))
      }),
    )
  })

  test('frames given out earlier are not overwritten by later bytes', () => {
    const splitter = new SseSplitter()
    splitter.push(Buffer.from('data: on'))
    const [first] = splitter.push(Buffer.from('e\n\ndata: tw'))
    splitter.push(Buffer.from('o\n\n'))
    splitter.push(Buffer.from('data: three'))
    expect(first?.toString()).toBe('data: one\n\n')
  })

  test('a frame beyond the limit is overflow, in one chunk or in many, and nothing is read after it', () => {
    const long = `data: ${'x'.repeat(FRAME_BYTES_MAX)}\n\n`
    for (const size of [long.length, 65_536]) {
      const splitter = new SseSplitter()
      expect(splitter.push(Buffer.from('data: fine\n\n'))).toHaveLength(1)
      for (let at = 0; at < long.length; at += size) splitter.push(Buffer.from(long.slice(at, at + size)))
      expect(splitter.overflowed).toBe(true)
      expect(splitter.push(Buffer.from('data: late\n\n'))).toEqual([])
    }
  })
})

describe('a frame', () => {
  test.each([
    ['data: a\n\n', { event: null, data: 'a', foreign: false }],
    ['data:a\r\ndata: b\r\n\r\n', { event: null, data: 'a\nb', foreign: false }],
    ['event: ping\ndata: {}\n\n', { event: 'ping', data: '{}', foreign: false }],
    [': keep-alive\n\n', { event: null, data: null, foreign: false }],
    ['\ufeffdata: a\n\n', { event: null, data: 'a', foreign: false }],
    ['id: 1\nretry: 10\ndata\n\n', { event: null, data: '', foreign: false }],
    ['<html>\n\n', { event: null, data: null, foreign: true }],
    ['{"error":"no"}\n\n', { event: null, data: null, foreign: true }],
  ])('%j is read by the standard', (text, fields) => {
    expect(readFrame(Buffer.from(text))).toEqual(fields)
  })
})
