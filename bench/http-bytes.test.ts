import { expect, test } from 'vitest'
import { MessageReader } from './http-bytes.js'

const WIRE =
  'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello' +
  'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n' +
  'HTTP/1.1 204 No Content\r\n\r\n'

function read(pieces: readonly string[]): readonly string[] {
  const seen: string[] = []
  let body = ''
  const reader = new MessageReader({
    onHead: (head) => seen.push(head.slice(9, 12)),
    onBody: (piece) => (body += piece.toString()),
    onEnd: () => {
      seen.push(body)
      body = ''
    },
  })
  for (const piece of pieces) reader.push(Buffer.from(piece))
  return seen
}

test('messages end where they end, however their bytes are split', () => {
  const whole = ['200', 'hello', '200', 'abcde', '204', '']
  expect(read([WIRE])).toEqual(whole)
  expect(read(WIRE.split(''))).toEqual(whole)
  for (let at = 1; at < WIRE.length; at += 1) expect(read([WIRE.slice(0, at), WIRE.slice(at)])).toEqual(whole)
})
