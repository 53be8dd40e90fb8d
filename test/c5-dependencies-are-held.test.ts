// C5: what a task needs beside models has the same timeouts, breakers, budgets and queues, through Spillway or with
// a permit, by the client library or by hand.

import {
  type IncomingMessage,
  type Server,
  type ServerResponse,
  createServer,
  request as ask,
} from 'node:http'
import type { AddressInfo } from 'node:net'
import { createClient } from '@spillway/client'
import type { CapacityJson } from '@spillway/protocol'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { Journey, providersOf } from './support/journey.js'

interface Seen {
  readonly method: string
  readonly url: string
  readonly headers: IncomingMessage['headers']
  readonly body: string
}

const seen: Seen[] = []
let reply: (request: Seen, response: ServerResponse) => void
let search: Server
let journey: Journey

const address = () => `http://127.0.0.1:${(search.address() as AddressInfo).port}`
const config = (simUrl: string) => `${providersOf(simUrl)}
models: { gpt-4o-mini: { tier: small, deployments: [{ provider: openai, model: gpt-4o-mini }] } }
dependencies:
  search:
    kind: retrieval
    base_url: "${address()}/v1"
    headers: { authorization: "Bearer search-secret" }
    timeout_ms: 400
    cost_usd: 0.001
  frail: { kind: custom, base_url: "${address()}/frail", max_attempts: 1, timeout_ms: 400 }
  orders-db: { timeout_ms: 300, limits: { concurrency: 1 } }
tasks: { answer: { budget: { max_tool_calls: 3, max_tool_ms: 5000, max_cost_usd: 0.01, max_latency_ms: 30000 } } }
`

beforeAll(async () => {
  search = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const { method = '', url = '', headers } = request
      const one = { method, url, headers, body: Buffer.concat(chunks).toString() }
      seen.push(one)
      reply(one, response)
    })
  })
  await new Promise<void>((resolve) => search.listen(0, '127.0.0.1', resolve))
  journey = await Journey.start({ config })
})
afterAll(async () => {
  await journey.stop()
  search.closeAllConnections()
  search.close()
})
beforeEach(() => {
  seen.length = 0
  reply = (_request, response) => response.setHeader('content-type', 'text/plain').end('found')
})

const client = () => createClient({ baseUrl: journey.server.url })
const open = async (): Promise<string> => (await journey.open({ contract: 'answer' })).id
const use = (task: string, path: string, init: RequestInit = {}) =>
  fetch(`${journey.server.url}/v1/tasks/${task}/dependencies/${path}`, init)

describe('a request through Spillway', () => {
  test('is passed on as it is, with the keys of the dependency and none of the caller’s', async () => {
    const task = await open()
    const answer = await use(task, 'search/query?q=tea%20time', {
      method: 'POST',
      body: '{"broken": ',
      headers: {
        'content-type': 'application/json',
        cookie: 'a=b',
        'x-api-key': 'mine',
        accept: 'text/plain',
      },
    })
    expect([answer.status, await answer.text()]).toEqual([200, 'found'])
    expect(answer.headers.get('content-type')).toBe('text/plain')
    expect(answer.headers.get('x-spillway-attempts')).toBe('1')
    const [sent] = seen
    expect([sent?.method, sent?.url, sent?.body]).toEqual(['POST', '/v1/query?q=tea%20time', '{"broken": '])
    expect(sent?.headers).toMatchObject({ authorization: 'Bearer search-secret', accept: 'text/plain' })
    expect(Object.keys(sent?.headers ?? {})).not.toContain('cookie')
    expect(Object.keys(sent?.headers ?? {})).not.toContain('x-api-key')
    const trace = await journey.trace(task)
    expect(trace.steps).toMatchObject([{ kind: 'retrieval', name: 'search', error: null }])
  })

  test('goes where its path says, however the name is encoded', async () => {
    expect((await use(await open(), 's%65arch/query?q=a%2Fb')).status).toBe(200)
    expect(seen.map(({ url }) => url)).toEqual(['/v1/query?q=a%2Fb'])
  })

  test('cannot leave the address of the dependency', async () => {
    const task = await open()
    for (const path of ['search/../../admin', 'search/%2e%2e/%2e%2e/admin', 'search/..%2f..%2fadmin']) {
      const status = await rawGet(task, path)
      expect({ path, isRefused: status === 400 || status === 404 }).toEqual({ path, isRefused: true })
    }
    expect(seen.filter(({ url }) => !url.startsWith('/v1/'))).toEqual([])
    expect((await use(task, 'nobody/x')).status).toBe(404)
    expect((await use(task, 'orders-db/x')).status).toBe(400)
  })

  test('is tried again when that is safe, and a failure that stays is handed back once', async () => {
    const task = await open()
    let calls = 0
    reply = (_request, response) => {
      calls += 1
      response.writeHead(calls === 1 ? 503 : 200).end('late')
    }
    const answer = await use(task, 'search/query')
    expect([answer.status, answer.headers.get('x-spillway-attempts')]).toEqual([200, '2'])
    reply = (_request, response) => response.writeHead(500).end('no')
    const failed = await use(task, 'search/query', { method: 'POST', body: 'x' })
    expect([failed.status, await failed.text()]).toEqual([500, 'no'])
    expect(failed.headers.get('x-should-retry')).toBe('false')
    expect(seen).toHaveLength(3)
  })

  test('that hangs ends in the dependency’s own time', async () => {
    reply = () => undefined
    const answer = await use(await open(), 'search/query', { method: 'POST', body: 'x' })
    expect(answer.status).toBe(504)
    expect(await answer.json()).toMatchObject({ error: { code: 'upstream.timeout' } })
    search.closeAllConnections()
  })

  test('does not reach one that is down for long: its breaker opens, is shown, and closes again', async () => {
    const task = await open()
    reply = (_request, response) => response.writeHead(500).end()
    for (let i = 0; i < 5; i += 1) await use(task, 'frail/x')
    const state = async () =>
      ((await (await fetch(`${journey.server.url}/v1/capacity`)).json()) as CapacityJson).dependencies?.find(
        ({ deployment }) => deployment === 'dependency:frail',
      )
    expect(await state()).toMatchObject({ failures: { http_500: 5 }, breaker_detail: { automatic: 'open' } })
    reply = (_request, response) => response.end('well')
    expect((await use(task, 'frail/x')).status).toBe(200)
    expect((await state())?.breaker).toBe('closed')
  })

  test('is a line of the client', async () => {
    const { value } = await client().task('answer', {}, async (t) => {
      const found = await t.fetch('search', '/query?q=tea')
      return found.text()
    })
    expect(value).toBe('found')
  })
})

describe('a permit', () => {
  test('lets one use in at a time, and the next when it has ended', async () => {
    const order: string[] = []
    const work = (name: string, ms: number) =>
      client().task('answer', {}, (t) =>
        t.dependency('orders-db', async ({ timeoutMs }) => {
          order.push(`${name} begins`)
          expect(timeoutMs).toBeLessThanOrEqual(300)
          await new Promise((resolve) => setTimeout(resolve, ms))
          order.push(`${name} ends`)
        }),
      )
    await Promise.all([work('a', 60), work('b', 1)])
    expect(order).toHaveLength(4)
    expect(order[1]).toBe(`${order[0]?.[0]} ends`)
  })

  test('that is not ended in its time is a step that timed out, and its place is free', async () => {
    const task = await open()
    const given = await journey.send(`/v1/tasks/${task}/permits`, { body: { dependency: 'orders-db' } })
    expect(given.status).toBe(201)
    const { permit, timeout_ms: timeoutMs } = given.body as { permit: string; timeout_ms: number }
    expect(timeoutMs).toBe(300)
    // The place is waited for: it is there when the first permit's time is up.
    const next = await journey.send(`/v1/tasks/${task}/permits`, { body: { dependency: 'orders-db' } })
    expect(next.status).toBe(201)
    const late = await journey.send(`/v1/tasks/${task}/steps`, {
      body: { kind: 'custom', name: 'db', started_at: new Date().toISOString(), duration_ms: 1, permit },
    })
    expect(late.status).toBe(409)
    const { steps } = await journey.trace(task)
    expect(steps).toMatchObject([{ kind: 'tool', name: 'orders-db', error: 'timeout' }])
  })
})

/** As it is: `fetch` would resolve the dots. */
function rawGet(task: string, path: string): Promise<number> {
  const url = new URL(journey.server.url)
  return new Promise((resolve, reject) => {
    const sent = ask(
      { host: url.hostname, port: url.port, path: `/v1/tasks/${task}/dependencies/${path}` },
      (response) => {
        response.resume()
        resolve(response.statusCode ?? 0)
      },
    )
    sent.on('error', reject)
    sent.end()
  })
}
