// What providers tell about themselves, asked over real connections.

import { type IncomingMessage, type ServerResponse, createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, describe, expect, test } from 'vitest'
import type { Provider, System } from '../../../engine/ports.js'
import { createFakeSystem } from '../../../testing/fake-system.js'
import { loadBody, modelListBody } from '../../../testing/told-bodies.js'
import { createLiveSystem } from '../../system/live-system.js'
import type { HttpProviderConfig } from '../addresses/address-of.js'
import { createHttpProvider } from '../http-provider.js'
import { TOLD_BYTES_MAX } from './ask.js'
import { INSPECT_MS_MAX } from './inspect-provider.js'

const cleanups: (() => unknown)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

type Answer = (response: ServerResponse, request: IncomingMessage) => unknown

/** A server with these paths, without their queries; everything else is 404, as FastAPI says it. */
async function serverWith(paths: Readonly<Record<string, Answer>>) {
  const seen: IncomingMessage[] = []
  const server = createServer((request, response) => {
    seen.push(request)
    const answer = paths[(request.url ?? '').replace(/\?.*$/, '')]
    if (answer === undefined) text(404, '{"detail":"Not Found"}')(response, request)
    else answer(response, request)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  cleanups.push(() => {
    server.closeAllConnections()
    return new Promise((resolve) => server.close(resolve))
  })
  const urls = () => seen.map(({ url }) => url ?? '').sort((a, b) => (a < b ? -1 : 1))
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, seen, urls }
}

function text(status: number, body: string, type = 'application/json'): Answer {
  return (response) => response.writeHead(status, { 'content-type': type }).end(body)
}

const COMMON = {
  name: 'own',
  hosting: 'self-hosted',
  region: null,
  retentionDays: null,
  trainsOnData: null,
  timeoutMs: 20_000,
  headers: {},
}

const KEY = 'sk-very-secret-0123456789'

function providerFor(
  baseUrl: string,
  more: Readonly<Record<string, unknown>> = {},
  system: System = createLiveSystem(),
): Provider {
  const config = { ...COMMON, kind: 'openai-compatible', apiKey: KEY, baseUrl, ...more }
  const provider = createHttpProvider(config as HttpProviderConfig, { system })
  cleanups.push(() => provider.close())
  return provider
}

const VLLM = {
  '/v1/models': text(200, modelListBody('vllm.json')),
  '/health': text(200, '', 'text/plain'),
  '/metrics': text(200, loadBody('vllm.txt'), 'text/plain; version=0.0.4; charset=utf-8'),
}
const CUSTOM = { 'X-Team': 'ours' }

describe('a self-hosted server', () => {
  test('tells its models, health and load, to whoever shows the provider’s key', async () => {
    const { url, seen, urls } = await serverWith(VLLM)
    expect(await providerFor(`${url}/v1`, { headers: CUSTOM }).inspect?.()).toEqual({
      models: { ids: ['meta-llama/Llama-3.1-8B-Instruct', 'sql-lora'], isComplete: true, namesCalls: true },
      health: 'ok',
      load: { server: 'vllm', running: 12, waiting: 3, cacheUsedShare: 0.4213 },
      untold: {},
    })
    expect(urls()).toEqual(['/health', '/health/readiness', '/metrics', '/v1/models'])
    for (const { method, headers } of seen) {
      expect([method, headers.authorization, headers['x-team']]).toEqual(['GET', `Bearer ${KEY}`, 'ours'])
      expect([headers['content-length'], headers['content-type']]).toEqual([undefined, undefined])
    }
  })

  test.each([
    ['/v1', '/metrics'],
    ['/v1/', '/metrics'],
    ['/team/a/v1', '/team/a/metrics'],
    ['/openai', '/openai/metrics'],
    ['', '/metrics'],
  ])('with the base "%s" has its metrics at %s', async (base, path) => {
    const { url, urls } = await serverWith({})
    await providerFor(url + base).inspect?.()
    expect(urls()).toContain(path)
  })

  test.each<[string, Readonly<Record<string, Answer>>, string | null]>([
    ['is up', { '/health': text(200, '{"status":"ok"}') }, 'ok'],
    ['loads its model', { '/health': text(503, '{"error":{"message":"Loading model"}}') }, 'not-ready'],
    ['has a dead engine', { '/health': text(500, '') }, 'not-ready'],
    ['is an Ollama', { '/api/version': text(200, '{"version":"0.12.6"}') }, 'ok'],
    ['answers everything with a page', { '/health': text(200, '<!doctype html>', 'text/html') }, null],
    ['was built without health', { '/health': text(501, '{}') }, null],
    ['asks for another key', { '/health': text(401, '{"error":"Unauthorized"}') }, null],
  ])('that %s', async (_, paths, health) => {
    const { url } = await serverWith(paths)
    const facts = await providerFor(`${url}/v1`).inspect?.()
    expect(facts?.health).toBe(health)
    expect(facts?.untold.health === undefined).toBe(health !== null)
  })

  test.each([
    [200, 'ok'],
    [503, 'not-ready'],
  ])('that is a proxy is not asked to call its models: readiness %i', async (status, health) => {
    const { url, urls } = await serverWith({
      '/health/readiness': text(status, '{"status":"healthy"}'),
      '/health': text(200, '{"healthy_endpoints":[]}'),
    })
    expect((await providerFor(`${url}/v1`).inspect?.())?.health).toBe(health)
    expect(urls()).not.toContain('/health')
  })
})

describe('a failure is a fact', () => {
  test('nobody is there', async () => {
    const { url } = await serverWith({})
    for (const cleanup of cleanups.splice(0)) await cleanup()
    const facts = await providerFor(`${url}/v1`).inspect?.()
    expect(facts).toMatchObject({ models: null, health: null, load: null })
    expect(new Set(Object.keys(facts?.untold ?? {}))).toEqual(new Set(['health', 'load', 'models']))
    expect(facts?.untold.models).toMatch(/^connection: ECONNREFUSED/)
  })

  test('a wrong key, told without showing it', async () => {
    const body = JSON.stringify({ error: { message: `Incorrect API key provided: ${KEY}.` } })
    const { url } = await serverWith({ '/v1/models': text(401, body), '/metrics': text(401, body) })
    const facts = await providerFor(`${url}/v1`).inspect?.()
    expect(facts?.untold.models).toBe('HTTP 401: Incorrect API key provided: [redacted]')
    expect(JSON.stringify(facts)).not.toContain(KEY)
  })

  test.each<[string, Answer, string]>([
    ['a page', text(200, '<html>hello</html>', 'text/html'), 'a web page came instead'],
    ['a page that says it is JSON', text(200, '\n<html>'), 'a web page came instead'],
    ['something else', text(200, '{"hello":1}'), 'what came is no list of models'],
    ['half of it', text(200, '{"data":[{"id":"a"}'), 'what came is no list of models'],
    ['another place', (response) => response.writeHead(302, { location: '/x' }).end(), 'HTTP 302'],
    [
      'too much',
      (response) => response.end(Buffer.alloc(TOLD_BYTES_MAX + 1, ' ')),
      `too-large: the answer is larger than ${TOLD_BYTES_MAX} bytes`,
    ],
    [
      'a broken connection',
      (response) => {
        response.writeHead(200, { 'content-length': '100' })
        response.write('{', () => response.destroy())
      },
      'broken: ',
    ],
  ])('%s instead of the models', async (_, answer, reason) => {
    const { url } = await serverWith({ ...VLLM, '/v1/models': answer })
    const facts = await providerFor(`${url}/v1`).inspect?.()
    expect(facts).toMatchObject({ models: null, health: 'ok', load: { server: 'vllm' } })
    expect(facts?.untold.models).toContain(reason)
  })

  test.each(['never begins', 'never ends'])(
    'an answer that %s is waited for no longer than 5 s',
    async (how) => {
      let begin: () => void = () => undefined
      const begun = new Promise<void>((resolve) => (begin = resolve))
      const stalled: Answer = (response) => {
        if (how === 'never ends') response.write('{"data":[')
        begin()
      }
      const { url } = await serverWith({ ...VLLM, '/v1/models': stalled })
      const system = createFakeSystem()
      const inspecting = providerFor(`${url}/v1`, {}, system).inspect?.()
      await begun
      await system.advance(INSPECT_MS_MAX)
      const facts = await inspecting
      expect(facts?.models).toBeNull()
      expect(facts?.untold.models).toMatch(/^timeout: |^it takes too long$/)
    },
  )
})

describe('a list of models', () => {
  test('of Gemini is read page by page', async () => {
    const { url, urls } = await serverWith({
      '/v1beta/models': (response, request) => {
        const isSecond = request.url?.includes('pageToken=') === true
        const second = '{"models":[{"name":"models/gemini-2.5-pro"}]}'
        response.end(isSecond ? second : modelListBody('gemini.json'))
      },
    })
    const facts = await providerFor(url, { kind: 'gemini' }).inspect?.()
    expect(facts?.models).toEqual({
      ids: ['gemini-2.5-flash', 'gemini-embedding-001', 'gemini-2.5-pro'],
      isComplete: true,
      namesCalls: true,
    })
    expect(facts?.untold.health).toBe('only servers of kind openai-compatible are asked')
    expect(urls()).toEqual([
      '/v1beta/models?pageSize=1000',
      '/v1beta/models?pageSize=1000&pageToken=Ch5tb2RlbHMv',
    ])
  })

  test('that goes on for ever is cut, and says that it is', async () => {
    const { url, seen } = await serverWith({ '/v1/models': text(200, modelListBody('anthropic.json')) })
    const facts = await providerFor(url, { kind: 'anthropic' }).inspect?.()
    expect(facts?.models).toMatchObject({
      ids: ['claude-sonnet-4-20250514', 'claude-3-5-haiku-20241022'],
      isComplete: false,
    })
    expect(seen).toHaveLength(5)
    expect(seen[1]?.url).toBe('/v1/models?limit=1000&after_id=claude-2.1')
    expect(seen[0]?.headers).toMatchObject({ 'x-api-key': KEY, 'anthropic-version': '2023-06-01' })
  })

  test('of more than a thousand is cut', async () => {
    const data = Array.from({ length: 1_200 }, (_, index) => ({ id: `m${index}` }))
    const { url } = await serverWith({ '/v1/models': text(200, JSON.stringify({ data })) })
    const facts = await providerFor(`${url}/v1`, { kind: 'openai' }).inspect?.()
    expect(facts?.models?.ids).toHaveLength(1_000)
    expect(facts?.models?.isComplete).toBe(false)
  })

  test.each([
    ['2024-10-21', '/openai/models?api-version=2024-10-21'],
    ['v1', '/openai/v1/models'],
    ['preview', '/openai/v1/models?api-version=preview'],
  ])('of Azure %s is at %s, and does not name deployments', async (apiVersion, path) => {
    const list = text(200, modelListBody('openai.json'))
    const { url, urls } = await serverWith({ '/openai/models': list, '/openai/v1/models': list })
    const access = { from: 'key', apiKey: KEY }
    const facts = await providerFor(url, { kind: 'azure', apiVersion, access }).inspect?.()
    expect(urls()).toEqual([path])
    expect(facts?.models).toMatchObject({ isComplete: true, namesCalls: false })
  })

  test.each([
    { kind: 'bedrock', region: 'us-east-1', access: { from: 'chain' } },
    { kind: 'vertex', region: 'global', project: 'p', access: { from: 'chain' } },
  ])('is not there: %o', async (more) => {
    const { url, seen } = await serverWith({})
    const facts = await providerFor(url, more).inspect?.()
    expect(facts?.models).toBeNull()
    expect(facts?.untold.models).toMatch(/models/)
    expect(seen).toEqual([])
  })
})

test('who asks while it is being asked gets the same answer', async () => {
  const { url, seen } = await serverWith(VLLM)
  const provider = providerFor(`${url}/v1`)
  const [first, second] = await Promise.all([provider.inspect?.(), provider.inspect?.()])
  expect(first).toBe(second)
  expect(seen).toHaveLength(4)
  expect(await provider.inspect?.()).not.toBe(first)
})
