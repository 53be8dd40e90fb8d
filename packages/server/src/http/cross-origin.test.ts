import { once } from 'node:events'
import { type IncomingHttpHeaders, type Server, createServer, request } from 'node:http'
import type { AddressInfo } from 'node:net'
import { REQUEST_HEADERS, RESPONSE_HEADERS } from '@spillway/protocol'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { answersPreflight } from './cross-origin.js'

const APP = 'https://app.example'
const ALLOWED = ['http://localhost:5173', APP]

let allowed: readonly string[] = ALLOWED
let server: Server
beforeAll(async () => {
  server = createServer((incoming, response) => {
    if (answersPreflight(allowed, { request: incoming, response })) return
    response.writeHead(200, { 'content-type': 'text/plain' }).end('served')
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
})
afterAll(() => server.close())

interface Answer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly text: string
}

async function ask(method: string, headers: Readonly<Record<string, string>>): Promise<Answer> {
  const { port } = server.address() as AddressInfo
  const sent = request({ host: '127.0.0.1', port, path: '/v1/tasks', method, headers }).end()
  const [response] = await once(sent, 'response')
  let text = ''
  for await (const chunk of response) text += String(chunk)
  return { status: response.statusCode, headers: response.headers, text }
}

function preflight(origin: string, asked: string): Promise<Answer> {
  return ask('OPTIONS', {
    origin,
    'access-control-request-method': 'POST',
    'access-control-request-headers': asked,
  })
}

const corsHeaders = ({ headers }: Answer) =>
  Object.keys(headers).filter((name) => name.startsWith('access-control-'))

test('a preflight of an allowed origin is answered at once: who, how, with what, for how long', async () => {
  const answer = await preflight(APP, 'authorization,content-type,x-spillway-task-id')
  expect(answer).toMatchObject({ status: 204, text: '' })
  expect(answer.headers).toMatchObject({
    'access-control-allow-origin': APP,
    'access-control-allow-methods': 'GET, POST',
    'access-control-allow-headers': 'authorization, content-type, x-spillway-task-id',
    'access-control-max-age': '7200',
    vary: 'Origin',
  })
  expect(answer.headers).not.toHaveProperty('access-control-allow-credentials')
})

test.each([
  ...Object.values(REQUEST_HEADERS),
  'authorization',
  'x-api-key',
  'content-type',
  'anthropic-version',
  'anthropic-beta',
  'anthropic-dangerous-direct-browser-access',
  'openai-organization',
  'x-spillway-not-yet-known',
  'x-stainless-runtime-version',
  'X-Stainless-OS',
])('%s may be sent', async (name) => {
  const { headers } = await preflight(APP, name)
  expect(headers['access-control-allow-headers']).toBe(name.toLowerCase())
})

test('a header that nobody needs may not be sent, whatever stands beside it', async () => {
  const { headers } = await preflight(APP, 'cookie, x-internal, authorization ,x-spillway, *')
  expect(headers['access-control-allow-headers']).toBe('authorization')
})

test('an answer says which origin may read it, and every header of ours', async () => {
  const answer = await ask('POST', { origin: APP })
  expect(answer).toMatchObject({ status: 200, text: 'served' })
  expect(answer.headers).toMatchObject({ 'access-control-allow-origin': APP, vary: 'Origin' })
  const exposed = String(answer.headers['access-control-expose-headers']).split(', ')
  expect(exposed).toEqual(expect.arrayContaining([...Object.values(RESPONSE_HEADERS), 'date', 'retry-after']))
  expect(new Set(exposed).size).toBe(exposed.length)
})

test.each([
  ['another site', 'https://evil.example'],
  ['a longer name', `${APP}.evil.example`],
  ['another scheme', 'http://app.example'],
  ['another port', `${APP}:8443`],
  ['a sandboxed frame', 'null'],
])('%s gets no header that lets it in, neither before the call nor with the answer', async (_, origin) => {
  for (const answer of [await preflight(origin, 'authorization'), await ask('POST', { origin })]) {
    expect(answer).toMatchObject({ text: 'served', headers: { vary: 'Origin' } })
    expect(corsHeaders(answer)).toEqual([])
  }
})

test('OPTIONS that is no preflight is passed on', async () => {
  expect(await ask('OPTIONS', { origin: APP })).toMatchObject({ status: 200, text: 'served' })
})

test('without an Origin a call is not touched, and what a cache may keep says that it depends', async () => {
  const call = await ask('POST', {})
  expect(corsHeaders(call)).toEqual([])
  expect(call.headers).not.toHaveProperty('vary')
  const read = await ask('GET', {})
  expect(corsHeaders(read)).toEqual([])
  expect(read.headers).toMatchObject({ vary: 'Origin' })
})

test('where no origin is configured nobody gets a header', async () => {
  allowed = []
  try {
    for (const answer of [await preflight(APP, 'authorization'), await ask('GET', { origin: APP })]) {
      expect(answer).toMatchObject({ status: 200, text: 'served' })
      expect(corsHeaders(answer)).toEqual([])
      expect(answer.headers).not.toHaveProperty('vary')
    }
  } finally {
    allowed = ALLOWED
  }
})
