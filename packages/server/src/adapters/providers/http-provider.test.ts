import { type IncomingMessage, type ServerResponse, createServer } from 'node:http'
import { type AddressInfo, createServer as createTcpServer } from 'node:net'
import { afterEach, describe, expect, test } from 'vitest'
import type { Provider } from '../../engine/ports.js'
import { createFakeSystem } from '../../testing/fake-system.js'
import { createLiveSystem } from '../system/live-system.js'
import type { HttpProviderConfig } from './addresses/address-of.js'
import { type HttpProviderOptions, createHttpProvider } from './http-provider.js'
import { RecordingListener, upstreamRequest } from '../../testing/recording-listener.js'

const live = createLiveSystem()
const cleanups: (() => unknown)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

interface Seen {
  readonly url: string
  readonly headers: IncomingMessage['headers']
  readonly body: string
  readonly port: number | undefined
}

type Answer = (response: ServerResponse, seen: Seen, request: IncomingMessage) => void

async function upstream(answer: Answer): Promise<{ readonly url: string; readonly seen: Seen[] }> {
  const seen: Seen[] = []
  const server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const body = Buffer.concat(chunks).toString('utf8')
      const entry = {
        url: request.url ?? '',
        headers: request.headers,
        body,
        port: request.socket.remotePort,
      }
      seen.push(entry)
      answer(response, entry, request)
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  cleanups.push(() => {
    server.closeAllConnections()
    return new Promise((resolve) => server.close(resolve))
  })
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, seen }
}

function providerFor(
  url: string,
  more: Partial<HttpProviderConfig> = {},
  options: Partial<HttpProviderOptions> = {},
): Provider {
  const config = {
    name: 'test',
    kind: 'openai-compatible',
    hosting: 'hosted',
    region: null,
    retentionDays: null,
    trainsOnData: null,
    timeoutMs: 20_000,
    headers: {},
    apiKey: 'sk-very-secret',
    baseUrl: url,
    ...more,
  } as HttpProviderConfig
  const provider = createHttpProvider(config, { system: live, ...options })
  cleanups.push(() => provider.close())
  return provider
}

async function call(provider: Provider, request = upstreamRequest({ hello: 1 })) {
  const listener = new RecordingListener()
  provider.send(request, listener)
  await listener.done
  return listener
}

const closedPort = async (): Promise<number> => {
  const server = createTcpServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => server.close(resolve))
  return port
}

describe('requests', () => {
  test.each([
    ['openai-chat', '/v1', '/v1/chat/completions'],
    ['openai-embeddings', '/v1/', '/v1/embeddings'],
    ['openai-chat', '/some/prefix', '/some/prefix/chat/completions'],
    ['anthropic-messages', '', '/v1/messages'],
    ['anthropic-messages', '/anthropic/', '/anthropic/v1/messages'],
    ['anthropic-messages', '/v1', '/v1/messages'],
  ] as const)('%s under a base of "%s" goes to %s', async (wire, base, path) => {
    const { url, seen } = await upstream((response) => response.end('{}'))
    const kind = wire === 'anthropic-messages' ? 'anthropic' : 'openai-compatible'
    await call(providerFor(url + base, { kind }), upstreamRequest({}, { wire }))
    expect(seen[0]?.url).toBe(path)
  })

  test('the body goes out byte for byte, with the key of its kind', async () => {
    const { url, seen } = await upstream((response) => response.end('{}'))
    const body = '{"model":"m",  "unknown":[1,2.50],"text":"é\\u0000"}'
    await call(providerFor(url), upstreamRequest(body))
    expect(seen[0]?.body).toBe(body)
    expect(seen[0]?.headers['authorization']).toBe('Bearer sk-very-secret')
    expect(seen[0]?.headers['content-length']).toBe(String(Buffer.byteLength(body)))
    expect(seen[0]?.headers['x-api-key']).toBeUndefined()
  })

  test('anthropic gets its key and a version; the caller may choose the version and betas', async () => {
    const { url, seen } = await upstream((response) => response.end('{}'))
    const provider = providerFor(url, { kind: 'anthropic' })
    await call(provider, upstreamRequest({}, { wire: 'anthropic-messages' }))
    const headers = { 'anthropic-version': '2099-01-01', 'anthropic-beta': 'a,b' }
    await call(provider, upstreamRequest({}, { wire: 'anthropic-messages', headers }))
    expect(seen[0]?.headers).toMatchObject({
      'x-api-key': 'sk-very-secret',
      'anthropic-version': '2023-06-01',
    })
    expect(seen[1]?.headers).toMatchObject({ 'anthropic-version': '2099-01-01', 'anthropic-beta': 'a,b' })
    expect(seen[1]?.headers['authorization']).toBeUndefined()
  })

  test('a provider without a key sends none, and configured headers beat the caller', async () => {
    const { url, seen } = await upstream((response) => response.end('{}'))
    const provider = providerFor(url, {
      apiKey: null,
      headers: { 'X-Team': 'ours' },
    })
    await call(
      provider,
      upstreamRequest({}, { headers: { 'x-team': 'theirs', host: 'evil', 'content-length': '1' } }),
    )
    expect(seen[0]?.headers).toMatchObject({ 'x-team': 'ours', 'content-length': '2' })
    expect(seen[0]?.headers['host']).not.toBe('evil')
    expect(seen[0]?.headers['authorization']).toBeUndefined()
  })

  test('a key that cannot be sent is refused at the start, without being shown', () => {
    expect(() => providerFor('http://127.0.0.1:1', { apiKey: 'sk-secret\n' })).toThrow(/"authorization"/)
    expect(() => providerFor('http://127.0.0.1:1', { apiKey: 'sk-secret\n' })).not.toThrow(/sk-secret/)
    expect(() => providerFor('ftp://127.0.0.1:1')).toThrow(/http/)
  })
})

describe('answers', () => {
  test('a whole answer arrives with status and lower-case headers', async () => {
    const { url } = await upstream((response) => {
      response.writeHead(201, {
        'Content-Type': 'application/json',
        'X-Request-ID': 'r1',
        'Set-Cookie': ['a=1', 'b=2'],
      })
      response.end('{"ok":true}')
    })
    const listener = await call(providerFor(url))
    expect(listener.status).toBe(201)
    expect(listener.headers).toMatchObject({ 'content-type': 'application/json', 'x-request-id': 'r1' })
    expect(listener.headers).not.toHaveProperty('set-cookie')
    expect(listener.body).toBe('{"ok":true}')
    expect(listener.ending).toBe('end')
  })

  test('a stream arrives whole wherever it is split, even inside a character', async () => {
    const text = 'data: {"a":"é€😀"}\n\ndata: [DONE]\n\n'
    const bytes = Buffer.from(text)
    const { url } = await upstream((response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' })
      const writeFrom = (at: number): void => {
        if (at === bytes.length) response.end()
        else response.write(bytes.subarray(at, at + 1), () => writeFrom(at + 1))
      }
      writeFrom(0)
    })
    const listener = await call(providerFor(url), upstreamRequest({}, { stream: true }))
    expect(listener.body).toBe(text)
    expect(listener.calls[0]).toBe('head')
    expect(listener.calls.at(-1)).toBe('end')
  })

  test('informational heads are not the head', async () => {
    const { url } = await upstream((response) => {
      response.writeEarlyHints({ link: '</x>; rel=preload' })
      response.end('{}')
    })
    const listener = await call(providerFor(url))
    expect(listener.calls.filter((name) => name === 'head')).toHaveLength(1)
    expect(listener.status).toBe(200)
  })

  test('connections are used again', async () => {
    const { url, seen } = await upstream((response) => response.end('{}'))
    const provider = providerFor(url)
    for (let round = 0; round < 10; round++) await call(provider)
    // Two, not one: a connection rests for one turn of the event loop between calls, and the next call does
    // not wait.
    expect(seen).toHaveLength(10)
    expect(new Set(seen.map((entry) => entry.port)).size).toBeLessThanOrEqual(2)
  })

  test('calls beyond the connections wait their turn and all are answered', async () => {
    const { url, seen } = await upstream((response) => response.end('{}'))
    const provider = providerFor(url, {}, { connections: 2 })
    const listeners = await Promise.all(Array.from({ length: 12 }, () => call(provider)))
    expect(listeners.every((listener) => listener.ending === 'end')).toBe(true)
    expect(new Set(seen.map((entry) => entry.port)).size).toBeLessThanOrEqual(2)
  })
})

describe('failures', () => {
  test('nobody listening is a connection failure, told after send returned and without the key', async () => {
    const provider = providerFor(`http://user:pass@127.0.0.1:${await closedPort()}/v1`)
    const listener = new RecordingListener()
    provider.send(upstreamRequest({}), listener)
    expect(listener.calls).toEqual([])
    await listener.done
    expect(listener.ending).toMatch(/^connection: ECONNREFUSED \(127\.0\.0\.1:\d+\)$/)
    expect(listener.calls).toEqual(['failure'])
  })

  test('a closed provider fails calls, never from inside send', async () => {
    const provider = providerFor('http://127.0.0.1:9')
    await provider.close()
    cleanups.pop()
    const listener = new RecordingListener()
    provider.send(upstreamRequest({}), listener)
    expect(listener.calls).toEqual([])
    await listener.done
    expect(listener.ending).toMatch(/^connection: POOL_CLOSED/)
  })

  test('a connection closed before the head is a connection failure', async () => {
    const { url } = await upstream((_response, _seen, request) => request.socket.destroy())
    expect((await call(providerFor(url))).ending).toMatch(/^connection: CLOSED_BY_SERVER/)
  })

  test.each([
    ['reset', (request: IncomingMessage) => request.socket.resetAndDestroy()],
    ['closed', (request: IncomingMessage) => request.socket.destroySoon()],
  ])('a stream that is %s in the middle is broken, after its data and without an end', async (_name, cut) => {
    const { url } = await upstream((response, _seen, request) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' })
      response.write('data: 1\n\n')
      release = () => cut(request)
    })
    let release = (): void => {}
    const listener = new RecordingListener()
    providerFor(url).send(upstreamRequest({}, { stream: true }), listener)
    await listener.nextChunk()
    release()
    await listener.done
    expect(listener.body).toBe('data: 1\n\n')
    expect(listener.ending).toMatch(/^broken: /)
    expect(listener.calls).toEqual(['head', 'data', 'failure'])
  })

  test('a body shorter than announced is broken', async () => {
    const { url } = await upstream((response, _seen, request) => {
      response.writeHead(200, { 'content-length': '100' })
      response.write('short')
      setImmediate(() => request.socket.destroySoon())
    })
    expect((await call(providerFor(url))).ending).toMatch(/^broken: /)
  })

  test('a head that does not come in time ends the call, and the connection', async () => {
    const system = createFakeSystem()
    let closed = (): void => {}
    const gone = new Promise<void>((resolve) => {
      closed = resolve
    })
    let arrived = (): void => {}
    const arrival = new Promise<void>((resolve) => {
      arrived = resolve
    })
    const { url } = await upstream((response) => {
      response.on('close', () => closed())
      arrived()
    })
    const listener = new RecordingListener()
    providerFor(url, {}, { system }).send(upstreamRequest({}, { headTimeoutMs: 5_000 }), listener)
    await arrival
    await system.advance(4_999)
    expect(listener.calls).toEqual([])
    await system.advance(1)
    expect(listener.ending).toMatch(/^timeout: no response head within 5000 ms/)
    await gone
    expect(listener.calls).toEqual(['failure'])
    expect(system.pendingTimers()).toBe(0)
  })

  test('silence between chunks ends the call, but only unbroken silence', async () => {
    const system = createFakeSystem()
    let write = (_text: string): void => {}
    const { url } = await upstream((response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' })
      write = (text) => void response.write(text)
      write('a')
    })
    const listener = new RecordingListener()
    providerFor(url, {}, { system }).send(
      upstreamRequest({}, { stream: true, idleTimeoutMs: 1_000 }),
      listener,
    )
    await listener.nextChunk()
    await system.advance(900)
    write('b')
    await listener.nextChunk()
    await system.advance(900)
    expect(listener.ending).toBeNull()
    await system.advance(100)
    expect(listener.ending).toMatch(/^timeout: no data for 1000 ms/)
    expect(listener.body).toBe('ab')
  })

  test('an answer larger than the limit is cut off, a stream of that size is not', async () => {
    const size = 200_000
    const { url } = await upstream((response, seen) => {
      response.writeHead(200, {
        'content-type': seen.body.includes('stream') ? 'text/event-stream' : 'text/html',
      })
      response.end('x'.repeat(size))
    })
    const provider = providerFor(url, {}, { bodyBytesMax: 100_000 })
    const whole = await call(provider)
    expect(whole.ending).toMatch(/^too-large: /)
    expect(whole.bodyBytes).toBeLessThanOrEqual(100_000)
    const streamed = await call(provider, upstreamRequest({ stream: true }, { stream: true }))
    expect(streamed.ending).toBe('end')
    expect(streamed.bodyBytes).toBe(size)
    const html = await call(provider, upstreamRequest({ html: true }, { stream: true }))
    expect(html.ending).toMatch(/^too-large: /)
  })
})

describe('abort and pace', () => {
  test('after an abort there is silence, and the provider sees the connection close', async () => {
    let closed = (): void => {}
    const gone = new Promise<void>((resolve) => {
      closed = resolve
    })
    const { url } = await upstream((response) => {
      response.on('close', () => closed())
      response.writeHead(200, { 'content-type': 'text/event-stream' })
      const flood = (): void => {
        if (!response.destroyed) response.write('data: x\n\n'.repeat(100), () => setImmediate(flood))
      }
      flood()
    })
    let abort = (): void => {}
    const listener = new RecordingListener(() => abort())
    const handle = providerFor(url).send(upstreamRequest({}, { stream: true }), listener)
    abort = () => handle.abort()
    await gone
    await new Promise((resolve) => setImmediate(resolve))
    expect(listener.calls).toEqual(['head', 'data'])
    handle.abort()
    handle.resume()
    expect(listener.calls).toEqual(['head', 'data'])
  })

  test('a call aborted before it was sent never is, and the connection stays usable', async () => {
    let answer = (): void => {}
    const { url, seen } = await upstream((response) => {
      answer = () => response.end('{}')
      if (seen.length > 1) answer()
    })
    const provider = providerFor(url, {}, { connections: 1 })
    const first = new RecordingListener()
    provider.send(upstreamRequest({ n: 1 }), first)
    const waiting = new RecordingListener()
    const handle = provider.send(upstreamRequest({ n: 2 }), waiting)
    const third = new RecordingListener()
    provider.send(upstreamRequest({ n: 3 }), third)
    while (seen.length === 0) await new Promise((resolve) => setImmediate(resolve))
    handle.abort()
    answer()
    await Promise.all([first.done, third.done])
    expect(seen.map((entry) => entry.body)).toEqual(['{"n":1}', '{"n":3}'])
    expect(new Set(seen.map((entry) => entry.port)).size).toBe(1)
    expect(waiting.calls).toEqual([])
  })

  test('a paused call is held, never times out, and goes on when resumed', async () => {
    const system = createFakeSystem()
    const size = 8 * 1024 * 1024
    const { url } = await upstream((response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' })
      response.end(Buffer.alloc(size, 'x'))
    })
    let pause = (): void => {}
    const listener = new RecordingListener(() => pause())
    const handle = providerFor(url, {}, { system }).send(
      upstreamRequest({}, { stream: true, idleTimeoutMs: 1_000 }),
      listener,
    )
    pause = () => handle.pause()
    await listener.nextChunk()
    await system.advance(10_000)
    expect(listener.calls).toEqual(['head', 'data'])
    expect(listener.ending).toBeNull()
    pause = () => {}
    handle.resume()
    await listener.done
    expect(listener.ending).toBe('end')
    expect(listener.bodyBytes).toBe(size)
  })

  test('a call that is paused with its last bytes leaves the connection to the next one', async () => {
    const { url, seen } = await upstream((response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' })
      response.end('data: 1\n\n')
    })
    const provider = providerFor(url, {}, { connections: 1 })
    let pause = (): void => {}
    const first = new RecordingListener(() => pause())
    const handle = provider.send(upstreamRequest({ n: 1 }, { stream: true }), first)
    pause = () => handle.pause()
    await first.done
    const second = await call(provider, upstreamRequest({ n: 2 }, { stream: true, headTimeoutMs: 2_000 }))
    expect(second.ending).toBe('end')
    expect(new Set(seen.map(({ port }) => port)).size).toBe(1)
  })
})
