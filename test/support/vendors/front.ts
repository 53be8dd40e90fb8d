// A paid provider that the tests cannot call, as a server on this machine: the simulator thinks up the
// answers, a front gives them the vendor's address, key check, format and quirks. Each front is written from
// the vendor's documentation; where the vendor has a client of its own, a test shows that it accepts the
// front.

import { once } from 'node:events'
import { type IncomingHttpHeaders, type ServerResponse, createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'

export interface VendorCall {
  readonly method: string
  /** Percent-encoded, as it came. */
  readonly path: string
  readonly query: URLSearchParams
  readonly headers: IncomingHttpHeaders
  readonly body: Buffer
}

export interface VendorAnswer {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  /** A list of pieces is sent piece by piece. */
  readonly body: string | Uint8Array | AsyncIterable<Uint8Array | string>
}

export interface Vendor extends AsyncDisposable {
  readonly url: string
  readonly seen: readonly VendorCall[]
}

export async function startVendor(answer: (call: VendorCall) => Promise<VendorAnswer>): Promise<Vendor> {
  const seen: VendorCall[] = []
  const server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const url = new URL(request.url ?? '/', 'http://vendor')
      const call = {
        method: request.method ?? '',
        path: url.pathname,
        query: url.searchParams,
        headers: request.headers,
        body: Buffer.concat(chunks),
      }
      seen.push(call)
      void answer(call)
        .then((answered) => send(response, answered))
        .catch(() => response.destroy())
    })
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const close = async () => {
    server.closeAllConnections()
    server.close()
    await once(server, 'close')
  }
  return { url: `http://127.0.0.1:${port}`, seen, [Symbol.asyncDispose]: close }
}

/** A stream that breaks inside breaks the connection, as at the vendor's. */
async function send(response: ServerResponse, { status, headers, body }: VendorAnswer): Promise<void> {
  response.writeHead(status, headers)
  if (typeof body === 'string' || body instanceof Uint8Array) return void response.end(body)
  response.flushHeaders()
  await pipeline(Readable.from(body), response)
}

export function json(status: number, body: unknown, headers: Readonly<Record<string, string>> = {}) {
  return {
    status,
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
  } satisfies VendorAnswer
}

export interface SimAnswer {
  readonly status: number
  readonly headers: Headers
  readonly body: AsyncIterable<Uint8Array>
}

/** The simulator's own answer to the same question in OpenAI's format. */
export async function askSim(simUrl: string, path: string, body: unknown): Promise<SimAnswer> {
  const response = await fetch(`${simUrl}${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: 'Bearer any' },
    body: JSON.stringify(body),
  })
  if (response.body === null) throw new Error('the simulator always answers with a body')
  return { status: response.status, headers: response.headers, body: response.body }
}

export async function textOf({ body }: SimAnswer): Promise<string> {
  const chunks: Uint8Array[] = []
  for await (const chunk of body) chunks.push(chunk)
  return Buffer.concat(chunks).toString('utf8')
}

/** The `data:` texts of an event stream, as they arrive; throws where the stream breaks. */
export async function* dataOf(body: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  let rest = ''
  for await (const chunk of body) {
    rest += Buffer.from(chunk).toString('utf8')
    const frames = rest.split('\n\n')
    rest = frames.pop() ?? ''
    for (const frame of frames) {
      const data = /^data: (.*)$/m.exec(frame)?.[1]
      if (data !== undefined) yield data
    }
  }
}
