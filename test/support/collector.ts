// An OpenTelemetry collector of our own: takes traces over HTTP and keeps them decoded.

import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type DecodedSpan, decodeOtlp } from '../../packages/server/src/testing/decode-otlp.js'

export interface Collector extends AsyncDisposable {
  readonly url: string
  readonly spans: readonly DecodedSpan[]
  /** Every request as it came, for looking at the bytes. */
  readonly bodies: readonly Buffer[]
}

export async function startCollector(): Promise<Collector> {
  const spans: DecodedSpan[] = []
  const bodies: Buffer[] = []
  const server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const body = Buffer.concat(chunks)
      bodies.push(body)
      spans.push(...decodeOtlp(body).spans)
      response.end()
    })
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const close = async () => {
    server.closeAllConnections()
    server.close()
    await once(server, 'close')
  }
  return { url: `http://127.0.0.1:${port}`, spans, bodies, [Symbol.asyncDispose]: close }
}
