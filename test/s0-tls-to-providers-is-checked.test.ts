// S0: what goes to a provider is for that provider. Its certificate is checked before a byte of a prompt or a
// key leaves, and connections are used again. The certificate in `fixtures/tls` is for tests alone.

import { readFileSync } from 'node:fs'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { errorOf, request } from './support/http.js'
import { startServer } from './support/server.js'

const CERTIFICATE = fileURLToPath(new URL('fixtures/tls/localhost-cert.pem', import.meta.url))
const KEY = fileURLToPath(new URL('fixtures/tls/localhost-key.pem', import.meta.url))

const seen: { readonly body: string; readonly port: number | undefined; readonly reused: boolean }[] = []
const usage = { prompt_tokens: 12, completion_tokens: 2, total_tokens: 14 }

function answer(body: string, response: ServerResponse): void {
  const common = { id: 'c1', created: 1, model: 'm' }
  if (!body.includes('"stream":true')) {
    const choice = { index: 0, message: { role: 'assistant', content: 'Hello.' }, finish_reason: 'stop' }
    response.setHeader('content-type', 'application/json')
    response.end(JSON.stringify({ ...common, object: 'chat.completion', choices: [choice], usage }))
    return
  }
  response.setHeader('content-type', 'text/event-stream')
  const chunk = (more: object) =>
    response.write(`data: ${JSON.stringify({ ...common, object: 'chat.completion.chunk', ...more })}\n\n`)
  chunk({ choices: [{ index: 0, delta: { content: 'Hello.' }, finish_reason: null }] })
  chunk({ choices: [{ index: 0, delta: {}, finish_reason: 'stop' }] })
  chunk({ choices: [], usage })
  response.end('data: [DONE]\n\n')
}

function onRequest(incoming: IncomingMessage, response: ServerResponse): void {
  const pieces: Buffer[] = []
  incoming.on('data', (piece: Buffer) => pieces.push(piece))
  incoming.on('end', () => {
    const body = Buffer.concat(pieces).toString()
    const socket = incoming.socket as typeof incoming.socket & { isSessionReused?(): boolean }
    seen.push({ body, port: socket.remotePort, reused: socket.isSessionReused?.() ?? false })
    answer(body, response)
  })
}

const provider = createServer({ cert: readFileSync(CERTIFICATE), key: readFileSync(KEY) }, onRequest)
let base = ''
beforeAll(async () => {
  await new Promise<void>((resolve) => provider.listen(0, '127.0.0.1', resolve))
  base = `https://localhost:${(provider.address() as AddressInfo).port}/v1`
})
afterAll(() => {
  provider.closeAllConnections()
  return new Promise((resolve) => provider.close(resolve))
})

const config = () => `
providers:
  secure: { kind: openai-compatible, base_url: "${base}", api_key: "sk-secret" }
models:
  little: { tier: small, deployments: [{ provider: secure, model: m, price: { input: 1, output: 1 } }] }
tasks:
  default: { degrade: [], route: { default: little } }
`
const body = (text: string, stream = false) => ({
  model: 'default',
  messages: [{ role: 'user', content: text }],
  stream,
})

test('a provider nobody vouches for gets nothing, and the caller is told so', async () => {
  await using server = await startServer({ config: config() })
  const refused = await request(`${server.url}/v1/chat/completions`, { body: body('A secret question') })
  expect(refused.status).toBe(502)
  expect(errorOf(refused)['code']).toBe('upstream.failed')
  expect(seen).toEqual([])
  expect(server.output()).not.toContain('sk-secret')
})

test('a provider whose certificate is trusted answers, whole and streamed, over one connection', async () => {
  await using server = await startServer({ config: config(), env: { NODE_EXTRA_CA_CERTS: CERTIFICATE } })
  for (const stream of [false, true, false]) {
    const answered = await request(`${server.url}/v1/chat/completions`, { body: body('Hello?', stream) })
    expect(answered.status).toBe(200)
    expect(JSON.stringify(answered.body)).toContain('Hello.')
  }
  expect(seen).toHaveLength(3)
  expect(new Set(seen.map(({ port }) => port)).size).toBe(1)
})

test('a large request over TLS arrives whole', async () => {
  await using server = await startServer({ config: config(), env: { NODE_EXTRA_CA_CERTS: CERTIFICATE } })
  const text = 'long '.repeat(40_000)
  const answered = await request(`${server.url}/v1/chat/completions`, { body: body(text) })
  expect(answered.status).toBe(200)
  expect(seen.at(-1)?.body).toContain(text)
})
