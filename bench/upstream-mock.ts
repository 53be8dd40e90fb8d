// A provider that costs next to nothing: fixed OpenAI-shaped bytes over raw sockets. JSON at once; streams as
// 50 content chunks, one per tick and stream, so that each is its own read for the gateway. A second port
// counts what was served and swallows OTLP exports.

import { createServer as createHttpServer } from 'node:http'
import { type Socket, createServer } from 'node:net'
import { MessageReader } from './http-bytes.js'
import { endWithParent, portOf } from './processes.js'

const CHUNKS = 50
const TICK_MS = 2
const MODEL = 'bench-small'

const USAGE = { prompt_tokens: 512, completion_tokens: CHUNKS, total_tokens: 512 + CHUNKS }
const TEXT = 'Thank you for your message; we have looked into it. '.repeat(10)

const ANSWER = JSON.stringify({
  id: 'chatcmpl-bench',
  object: 'chat.completion',
  created: 1_700_000_000,
  model: MODEL,
  choices: [
    { index: 0, message: { role: 'assistant', content: TEXT }, finish_reason: 'stop', logprobs: null },
  ],
  usage: USAGE,
})

const WHOLE = Buffer.from(
  `HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(ANSWER)}\r\n\r\n${ANSWER}`,
)
const STREAM_HEAD = 'HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n'

function frame(data: string): Buffer {
  const text = `data: ${data}\n\n`
  return Buffer.from(`${Buffer.byteLength(text).toString(16)}\r\n${text}\r\n`)
}

function chunk(choices: readonly unknown[], usage: unknown): Buffer {
  const shape = {
    id: 'chatcmpl-bench',
    object: 'chat.completion.chunk',
    created: 1_700_000_000,
    model: MODEL,
  }
  return frame(JSON.stringify({ ...shape, choices, usage }))
}

const CONTENT = chunk([{ index: 0, delta: { content: ' word' }, logprobs: null, finish_reason: null }], null)
const LAST = Buffer.concat([
  chunk([{ index: 0, delta: {}, logprobs: null, finish_reason: 'stop' }], null),
  chunk([], USAGE),
  frame('[DONE]'),
  Buffer.from('0\r\n\r\n'),
])

const served = { json: 0, streams: 0, exports: 0, exportedBytes: 0 }
const streams = new Map<Socket, number>()

function tick(): void {
  for (const [socket, left] of streams) {
    if (left > 0) {
      socket.write(CONTENT)
      streams.set(socket, left - 1)
    } else {
      streams.delete(socket)
      socket.write(LAST)
    }
  }
}

function answer(socket: Socket, body: Buffer): void {
  if (!body.includes('"stream":true')) {
    served.json += 1
    socket.write(WHOLE)
    return
  }
  served.streams += 1
  socket.write(STREAM_HEAD)
  streams.set(socket, CHUNKS)
}

function onConnection(socket: Socket): void {
  let pieces: Buffer[] = []
  const reader = new MessageReader({
    onBody: (piece) => pieces.push(piece),
    onEnd: () => {
      answer(socket, Buffer.concat(pieces))
      pieces = []
    },
  })
  socket.setNoDelay(true)
  socket.on('data', (bytes: Buffer) => reader.push(bytes))
  socket.on('error', () => socket.destroy())
  socket.on('close', () => streams.delete(socket))
}

const control = createHttpServer((request, response) => {
  if (request.method === 'GET') {
    response.end(JSON.stringify(served))
    return
  }
  served.exports += 1
  request.on('data', (piece: Buffer) => (served.exportedBytes += piece.length))
  request.on('end', () => response.writeHead(200, { 'content-type': 'application/x-protobuf' }).end())
})

endWithParent()
const server = createServer(onConnection)
setInterval(tick, TICK_MS)
control.listen(0, '127.0.0.1', () => {
  server.listen(0, '127.0.0.1', () => {
    process.stdout.write(`control on http://127.0.0.1:${portOf(control)}\n`)
    process.stdout.write(`listening on http://127.0.0.1:${portOf(server)}\n`)
  })
})
