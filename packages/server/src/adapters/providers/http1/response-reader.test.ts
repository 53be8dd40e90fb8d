import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { ResponseHead } from './response-head.js'
import { ResponseReader } from './response-reader.js'

class Heard {
  readonly heads: ResponseHead[] = []
  body = ''
  ends = 0
  pieces = 0

  onHead(head: ResponseHead): void {
    this.heads.push(head)
  }

  onBody(bytes: Uint8Array): void {
    this.pieces += 1
    this.body += Buffer.from(bytes).toString('latin1')
  }

  onEnd(): void {
    this.ends += 1
  }
}

/** Pushes `text` cut at `cuts`; each piece in a buffer that is spoiled afterwards, as a socket's would be. */
function read(text: string, cuts: readonly number[] = []) {
  const heard = new Heard()
  const reader = new ResponseReader(heard)
  const places = [0, ...[...cuts].sort((a, b) => a - b), text.length]
  let problem: string | null = null
  for (let i = 1; i < places.length && problem === null; i += 1) {
    const piece = Buffer.from(text.slice(places[i - 1], places[i]), 'latin1')
    if (piece.length > 0) problem = reader.push(piece)
    piece.fill('!')
  }
  return { heard, reader, problem }
}

const OK = 'HTTP/1.1 200 OK\r\n'
const FIXED = `${OK}Content-Type: text/plain\r\nContent-Length: 5\r\n\r\nhello`
const CHUNKED = `${OK}transfer-encoding: chunked\r\n\r\n5\r\nhello\r\n6;a=b\r\n world\r\n0\r\nx-sum: 1\r\n\r\n`
const HINTED = `HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n${FIXED}`
const EMPTY = 'HTTP/1.1 204 No Content\r\nx-a: 1\r\nx-a: 2\r\n\r\n'

describe('wherever the bytes are cut, the same is heard', () => {
  test.each([
    ['a body with a length', FIXED, 'hello'],
    ['a body in chunks', CHUNKED, 'hello world'],
    ['interim responses before it', HINTED, 'hello'],
    ['no body', EMPTY, ''],
  ])('%s', (_what, text, body) => {
    const places = fc.array(fc.integer({ min: 0, max: text.length }), { maxLength: 12 })
    fc.assert(
      fc.property(places, (cuts) => {
        const { heard, problem, reader } = read(text, cuts)
        expect(problem).toBeNull()
        expect(heard).toMatchObject({ body, ends: 1 })
        expect(heard.heads).toHaveLength(1)
        expect(reader.hasExcess).toBe(false)
      }),
    )
    const bytewise = read(
      text,
      Array.from({ length: text.length }, (_, at) => at),
    )
    expect(bytewise.heard).toMatchObject({ body, ends: 1 })
  })
})

test('what one read brought of a body is one piece', () => {
  expect(read(CHUNKED).heard.pieces).toBe(1)
})

test('heads: names in lower case, repeated ones joined, those of the connection left out', () => {
  const text = `HTTP/1.1 429 Too Many\r\nRetry-After: 2\r\nX-A:1\r\nx-a: \t 2 \r\nSet-Cookie: s\r\nKeep-Alive: timeout=7, max=9\r\nContent-Length: 0\r\n\r\n`
  const [head] = read(text).heard.heads
  expect(head).toEqual({
    status: 429,
    headers: { 'retry-after': '2', 'x-a': '1, 2' },
    framing: { kind: 'fixed', bytes: 0 },
    reusable: true,
    idleSeconds: 7,
  })
})

test.each([
  ['that is asked to close', `${OK}connection: Close\r\ncontent-length: 0\r\n\r\n`],
  ['of HTTP/1.0', 'HTTP/1.0 200 OK\r\ncontent-length: 0\r\n\r\n'],
  ['with both a length and chunks', `${OK}content-length: 3\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n`],
])('a connection %s is not used again', (_what, text) => {
  const { heard, problem } = read(text)
  expect(problem).toBeNull()
  expect(heard.ends).toBe(1)
  expect(heard.heads[0]?.reusable).toBe(false)
})

test('HTTP/1.0 may ask to stay', () => {
  const { heard } = read('HTTP/1.0 200 OK\r\nconnection: keep-alive\r\ncontent-length: 0\r\n\r\n')
  expect(heard.heads[0]?.reusable).toBe(true)
})

test('a body without a length ends when the server closes; any other is broken by that', () => {
  const open = read(`${OK}content-type: text/plain\r\n\r\nhello`)
  expect(open.heard).toMatchObject({ body: 'hello', ends: 0 })
  expect(open.reader.close()).toBe(true)
  expect(open.heard.ends).toBe(1)
  expect(read(FIXED.slice(0, -1)).reader.close()).toBe(false)
  expect(read(CHUNKED.slice(0, -2)).reader.close()).toBe(false)
  expect(read('HTTP/1.1 200').reader.close()).toBe(false)
})

test('bytes after the end are told of, and belong to nobody', () => {
  const { heard, reader, problem } = read(`${FIXED}HTTP/1.1 200 OK\r\n`)
  expect(problem).toBeNull()
  expect(heard).toMatchObject({ body: 'hello', ends: 1 })
  expect(reader.hasExcess).toBe(true)
})

test.each([
  ['no HTTP', 'SSH-2.0-OpenSSH\r\n\r\n'],
  ['HTTP/2', 'HTTP/2 200 OK\r\n\r\n'],
  ['a status of two digits', 'HTTP/1.1 20 OK\r\n\r\n'],
  ['another protocol', 'HTTP/1.1 101 Switching\r\nupgrade: x\r\n\r\n'],
  ['two lengths', `${OK}content-length: 1\r\ncontent-length: 2\r\n\r\nab`],
  ['a length that is none', `${OK}content-length: -1\r\n\r\n`],
  ['an encoding we did not ask for', `${OK}transfer-encoding: gzip, chunked\r\n\r\n`],
  ['a folded header', `${OK}x-a: 1\r\n  2\r\n\r\n`],
  ['a bare line feed', `${OK}x-a: 1\nx-b: 2\r\n\r\n`],
  ['a blank before the colon', `${OK}x-a : 1\r\n\r\n`],
  ['a chunk size that is none', `${OK}transfer-encoding: chunked\r\n\r\nxyz\r\nhello\r\n`],
  ['a negative chunk size', `${OK}transfer-encoding: chunked\r\n\r\n-5\r\nhello\r\n`],
  ['an empty chunk size', `${OK}transfer-encoding: chunked\r\n\r\n\r\nhello\r\n`],
  ['a chunk longer than it says', `${OK}transfer-encoding: chunked\r\n\r\n3\r\nhello\r\n`],
  ['a huge chunk size', `${OK}transfer-encoding: chunked\r\n\r\nfffffffffffffffff\r\n`],
])('%s is a fault, wherever it is cut', (_what, text) => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: text.length }), { maxLength: 4 }), (cuts) => {
      const { heard, problem } = read(text, cuts)
      expect(problem).not.toBeNull()
      expect(heard.ends).toBe(0)
    }),
  )
})

test.each([
  ['head', `${OK}x-a: ${'a'.repeat(70_000)}`],
  ['chunk size', `${OK}transfer-encoding: chunked\r\n\r\n5;${'a'.repeat(5_000)}`],
  ['trailer', `${OK}transfer-encoding: chunked\r\n\r\n0\r\n${'x-a: 1\r\n'.repeat(4_000)}`],
])('a %s without end is not waited for', (_what, text) => {
  const cuts = Array.from({ length: Math.floor(text.length / 1_000) }, (_, at) => at * 1_000)
  expect(read(text, cuts).problem).toMatch(/too long/)
})

test('random bytes never hang it, and never end a response that had none', () => {
  fc.assert(
    fc.property(fc.string({ maxLength: 300 }), fc.integer({ min: 0, max: 60 }), (noise, at) => {
      const text = FIXED.slice(0, at) + noise
      const { heard } = read(text, [at])
      expect(heard.ends).toBeLessThanOrEqual(1)
      expect(heard.heads.length).toBeGreaterThanOrEqual(heard.ends)
    }),
  )
})
