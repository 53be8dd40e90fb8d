import { type Server, createServer } from 'node:http'
import { type AddressInfo, type Socket, connect } from 'node:net'
import fc from 'fast-check'
import { afterEach, describe, expect, test } from 'vitest'
import { createFakeSystem } from '../../testing/fake-system.js'
import type { LaneCaller } from './lane-caller.js'
import type { LaneRequest } from './lane.js'
import { Lanes } from './lanes.js'

const cleanups: (() => unknown)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

type Serve = (request: LaneRequest, caller: LaneCaller) => void

const echo: Serve = ({ body }, caller) => {
  caller.begin(200, { 'content-type': 'text/plain', 'x-by': 'lane', 'content-length': String(body.length) })
  caller.end(body)
}

/** A server whose `node:http` side says so in `x-by`. */
async function world(serve: Serve = echo) {
  const system = createFakeSystem()
  const http: Server = createServer((request, response) => {
    const pieces: Buffer[] = []
    request.on('data', (piece: Buffer) => pieces.push(piece))
    request.on('end', () => {
      response.writeHead(200, { 'x-by': 'node' })
      response.end(Buffer.concat(pieces))
    })
  })
  const lanes = new Lanes(http, {
    system,
    maxBodyBytes: () => 100_000,
    wireOf: (path) => (path.startsWith('/v1/chat/completions') ? 'openai-chat' : undefined),
    serve,
  })
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve))
  cleanups.push(() => {
    lanes.closeAll()
    return new Promise((resolve) => http.close(resolve))
  })
  return { system, lanes, port: (http.address() as AddressInfo).port }
}

class Client {
  readonly socket: Socket
  text = ''
  readonly closed: Promise<void>
  #wake: () => void = () => undefined

  constructor(port: number) {
    this.socket = connect({ port, host: '127.0.0.1', noDelay: true })
    this.socket.on('data', (bytes: Buffer) => {
      this.text += bytes.toString('latin1')
      this.#wake()
    })
    this.socket.on('error', () => undefined)
    this.closed = new Promise((resolve) => {
      this.socket.on('close', () => {
        this.#wake()
        resolve()
      })
    })
    cleanups.push(() => this.socket.destroy())
  }

  /** Resolves when as many answers of this length are here, or the connection is closed. */
  async answers(count: number, body: string): Promise<readonly string[]> {
    const seen = () => this.text.split(body).length - 1
    while (seen() < count && !this.socket.destroyed) await new Promise<void>((run) => (this.#wake = run))
    return [...this.text.matchAll(/x-by: (\w+)/g)].map(([, by = '']) => by)
  }
}

const head = (length: number, more = '', line = 'POST /v1/chat/completions HTTP/1.1') =>
  `${line}\r\nhost: here\r\ncontent-type: text/plain\r\ncontent-length: ${length}\r\n${more}\r\n`
const plain = `${head(5)}hello`

describe('plain requests', () => {
  test('are answered one after the other on one connection', async () => {
    const { port } = await world()
    const client = new Client(port)
    client.socket.write(plain)
    expect(await client.answers(1, 'hello')).toEqual(['lane'])
    client.socket.write(plain)
    expect(await client.answers(2, 'hello')).toEqual(['lane', 'lane'])
    expect(client.text).toMatch(
      /^HTTP\/1\.1 200 OK\r\ncontent-type: text\/plain\r\nx-by: lane\r\ncontent-length: 5\r\ndate: [^\r]+ GMT\r\nconnection: keep-alive\r\nkeep-alive: timeout=65\r\n\r\nhello/,
    )
  })

  test('may come cut anywhere', async () => {
    const { port } = await world()
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: plain.length - 1 }), async (at) => {
        const client = new Client(port)
        client.socket.write(plain.slice(0, at))
        await new Promise((resolve) => setImmediate(resolve))
        client.socket.write(plain.slice(at))
        // A head that comes in pieces is node's.
        expect((await client.answers(1, 'hello')).length).toBe(1)
        client.socket.destroy()
      }),
      { numRuns: 60 },
    )
  })

  test('may be sent ahead: they wait their turn, and the answers keep the order', async () => {
    const waiting: (() => void)[] = []
    const { port } = await world((request, caller) => waiting.push(() => echo(request, caller)))
    const client = new Client(port)
    client.socket.write(Array.from({ length: 5 }, (_, n) => `${head(2)}a${n}`).join(''))
    for (let n = 0; n < 5; n += 1) {
      while (waiting.length === 0) await new Promise((resolve) => setImmediate(resolve))
      expect(waiting).toHaveLength(1)
      waiting.pop()?.()
    }
    await client.answers(1, 'a4')
    expect([...client.text.matchAll(/a\d/g)].map(String)).toEqual(['a0', 'a1', 'a2', 'a3', 'a4'])
  })

  test('of many reads are put together', async () => {
    const { port } = await world()
    const client = new Client(port)
    const body = 'x'.repeat(99_000)
    client.socket.write(head(body.length) + body)
    expect(await client.answers(1, body)).toEqual(['lane'])
  })

  test('an answer without a length that is given at once gets one; others are in chunks', async () => {
    const { port } = await world(({ body }, caller) => {
      caller.begin(200, { 'x-by': 'lane' })
      if (body.toString() === 'whole') return caller.end('whole answer')
      caller.write('first ')
      caller.write('')
      caller.write(Buffer.from('second'))
      caller.end()
    })
    const client = new Client(port)
    client.socket.write(`${head(5)}whole`)
    await client.answers(1, 'whole answer')
    expect(client.text).toContain('content-length: 12\r\n')
    client.text = ''
    client.socket.write(`${head(5)}parts`)
    await client.answers(1, '0\r\n\r\n')
    expect(client.text).toMatch(/transfer-encoding: chunked\r\n\r\n6\r\nfirst \r\n6\r\nsecond\r\n0\r\n\r\n$/)
  })

  test('a caller that does not read makes the answer wait, and is told when to go on', async () => {
    const piece = Buffer.alloc(64 * 1024, 'x')
    const written: number[] = []
    const { port } = await world((_request, caller) => {
      caller.begin(200, { 'x-by': 'lane' })
      const fill = () => {
        if (written.length === 400) return caller.end('the end')
        written.push(piece.length)
        if (caller.write(piece)) setImmediate(fill)
        else caller.onDrain(fill)
      }
      fill()
    })
    const client = new Client(port)
    client.socket.pause()
    client.socket.write(plain)
    const isFull = () => written.length > 0 && written.length === before
    let before = -1
    for (let quiet = 0; quiet < 50; quiet = isFull() ? quiet + 1 : 0) {
      before = written.length
      await new Promise((resolve) => setImmediate(resolve))
    }
    expect(written.length).toBeLessThan(400)
    client.socket.resume()
    await client.answers(1, 'the end')
    expect(written).toHaveLength(400)
  })

  test('a header that would begin another line is not sent', async () => {
    let fault: unknown
    const { port } = await world((_request, caller) => {
      try {
        caller.begin(200, { 'x-name': 'a\r\nset-cookie: b' })
      } catch (error) {
        fault = error
        caller.destroy()
      }
    })
    const client = new Client(port)
    client.socket.write(plain)
    await client.closed
    expect(String(fault)).toContain('x-name')
    expect(client.text).toBe('')
  })
})

const OTHERS: readonly (readonly [string, string, string])[] = [
  ['another route', head(5, '', 'POST /v1/tasks HTTP/1.1') + 'hello', 'hello'],
  ['another method', 'GET /healthz HTTP/1.1\r\nhost: here\r\n\r\n', 'x-by: node'],
  [
    'a body in chunks',
    'POST /v1/chat/completions HTTP/1.1\r\nhost: here\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n',
    'hello',
  ],
  ['a page in a browser', `${head(5, 'origin: http://there\r\n')}hello`, 'hello'],
  ['the wish to be told to go on', `${head(5, 'expect: 100-continue\r\n')}hello`, 'hello'],
  ['the wish to close', `${head(5, 'connection: close\r\n')}hello`, 'hello'],
  ['a header that comes twice', `${head(5, 'x-a: 1\r\nx-a: 2\r\n')}hello`, 'hello'],
  ['HTTP/1.0', head(5, '', 'POST /v1/chat/completions HTTP/1.0') + 'hello', 'hello'],
]
test.each(OTHERS)('%s is left to node, also after a plain request', async (_what, request, answer) => {
  const { port } = await world()
  const fresh = new Client(port)
  fresh.socket.write(request)
  expect(await fresh.answers(1, answer)).toEqual(['node'])
  const used = new Client(port)
  used.socket.write(plain)
  await used.answers(1, 'hello')
  used.socket.write(request)
  const answers = await used.answers(answer === 'hello' ? 2 : 1, answer)
  expect(answers).toEqual(['lane', 'node'])
})

test('what node got it keeps: a plain request after it is answered there', async () => {
  const { port } = await world()
  const client = new Client(port)
  client.socket.write('GET / HTTP/1.1\r\nhost: here\r\n\r\n')
  await client.answers(1, 'x-by: node')
  client.socket.write(plain)
  expect(await client.answers(1, 'hello')).toEqual(['node', 'node'])
})

const SMUGGLED: readonly (readonly [string, string])[] = [
  ['two lengths', `${head(5, 'content-length: 6\r\n')}hello`],
  ['a length and chunks', `${head(5, 'transfer-encoding: chunked\r\n')}0\r\n\r\n`],
  [
    'a blank before the colon',
    'POST /v1/chat/completions HTTP/1.1\r\nhost: here\r\ncontent-length : 5\r\n\r\nhello',
  ],
  ['a signed length', 'POST /v1/chat/completions HTTP/1.1\r\nhost: here\r\ncontent-length: +5\r\n\r\nhello'],
  ['a bare line feed in a header', `${head(5, 'x-a: 1\nx-b: 2\r\n')}hello`],
  ['a bare carriage return in a header', `${head(5, 'x-a: 1\rx-b: 2\r\n')}hello`],
  ['a header without a name', `${head(5, ': 1\r\n')}hello`],
  ['no host', 'POST /v1/chat/completions HTTP/1.1\r\ncontent-length: 5\r\n\r\nhello'],
  ['a NUL', `${head(5, 'x-a: \u0000\r\n')}hello`],
]
test.each(SMUGGLED)('%s never reaches the lane, and node refuses it', async (_what, request) => {
  const { port } = await world()
  const client = new Client(port)
  client.socket.write(request)
  await client.answers(1, '400 Bad Request')
  expect(client.text).toContain('HTTP/1.1 400 Bad Request')
  expect(client.text).not.toContain('x-by')
})

describe('ends', () => {
  test('a caller that hangs up is gone, once, and told to whoever answers', async () => {
    const gone: string[] = []
    const answering: LaneCaller[] = []
    const { port } = await world((_request, caller) => {
      answering.push(caller)
      caller.onGone(() => gone.push('gone'))
    })
    const client = new Client(port)
    client.socket.write(plain)
    while (answering.length === 0) await new Promise((resolve) => setImmediate(resolve))
    client.socket.destroy()
    while (gone.length === 0) await new Promise((resolve) => setImmediate(resolve))
    const [caller] = answering
    expect(caller?.gone).toBe(true)
    caller?.onGone(() => gone.push('at once'))
    caller?.begin(200, {})
    caller?.end('late')
    expect(gone).toEqual(['gone', 'at once'])
  })

  test('a connection that is silent for long is closed, one that waits for its answer is not', async () => {
    const waiting: (() => void)[] = []
    const { port, system } = await world((request, caller) => waiting.push(() => echo(request, caller)))
    // In this order they are accepted: when the last is served, all are there.
    const [silent, stalled, busy] = [new Client(port), new Client(port), new Client(port)]
    stalled.socket.write(`${head(5)}he`)
    busy.socket.write(plain)
    while (waiting.length === 0) await new Promise((resolve) => setImmediate(resolve))
    await system.advance(80_000)
    await Promise.all([silent.closed, stalled.closed])
    waiting.pop()?.()
    expect(await busy.answers(1, 'hello')).toEqual(['lane'])
  })

  test('a server that closes answers what runs, says that it leaves, and closes what is idle', async () => {
    const waiting: (() => void)[] = []
    const { port, lanes } = await world((request, caller) => waiting.push(() => echo(request, caller)))
    const [idle, busy] = [new Client(port), new Client(port)]
    busy.socket.write(plain)
    while (waiting.length === 0) await new Promise((resolve) => setImmediate(resolve))
    lanes.closeIdle()
    await idle.closed
    waiting.pop()?.()
    await busy.closed
    expect(busy.text).toContain('connection: close\r\n')
    expect(busy.text).toContain('hello')
  })

  test('a server that closes lets a slow reader have its whole answer', async () => {
    const size = 16 * 1024 * 1024
    const given: LaneCaller[] = []
    const { port, lanes } = await world((_request, caller) => {
      caller.begin(200, { 'x-by': 'lane', 'content-length': String(size) })
      caller.end(Buffer.alloc(size, 'x'))
      given.push(caller)
    })
    const client = new Client(port)
    client.socket.pause()
    client.socket.write(plain)
    while (given.length === 0) await new Promise((resolve) => setImmediate(resolve))
    lanes.closeIdle()
    client.socket.resume()
    // As the server does while it closes.
    while (!client.socket.destroyed) {
      lanes.closeIdle()
      await new Promise((resolve) => setImmediate(resolve))
    }
    expect(client.text.split('\r\n\r\n')[1]).toHaveLength(size)
  })
})
