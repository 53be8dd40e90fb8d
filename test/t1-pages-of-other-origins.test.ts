// T1: what a browser asks before and reads after a call from a page of another origin, on every kind of route
// of the built server. A real browser does the same in t1-client-in-the-browser.test.ts.

import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Answered, request } from './support/http.js'
import { type RunningServer, startServer } from './support/server.js'
import { waitFor } from './support/wait-for.js'

const KEY = 'page-key-0001'
const APP = 'https://app.example'
const LATER = 'https://later.example'

const config = (server: string) => `
providers:
  sim: { kind: simulated, output_tokens: 20 }
models:
  gpt-4o-mini:
    tier: small
    deployments: [{ provider: sim, model: gpt-4o-mini, price: { input: 0.15, output: 0.60 } }]
tasks:
  one_call: { budget: { max_model_calls: 1 }, degrade: [], route: { default: gpt-4o-mini } }
tenants:
  acme: { keys: ["${KEY}"] }
server: ${server}
`

type Headers = Readonly<Record<string, string>>

let server: RunningServer
beforeAll(async () => {
  server = await startServer({ config: config(`{ allowed_origins: ["${APP}"] }`) })
})
afterAll(() => server.stop())

const signed = (origin: string): Headers => ({ origin, authorization: `Bearer ${KEY}` })
const send = (path: string, sent: { headers: Headers; body?: unknown; method?: string }) =>
  request(server.url + path, sent)

function preflight(path: string, origin: string, method = 'POST'): Promise<Answered> {
  const asked = 'authorization,content-type,x-spillway-task-id,x-stainless-lang,x-not-ours'
  return send(path, {
    method: 'OPTIONS',
    headers: {
      origin,
      'access-control-request-method': method,
      'access-control-request-headers': asked,
    },
  })
}

const letsIn = ({ headers }: Answered) => headers.get('access-control-allow-origin')
const cors = ({ headers }: Answered) =>
  [...headers.keys()].filter((name) => name.startsWith('access-control'))

describe('a page of an allowed origin', () => {
  test.each([
    ['POST', '/v1/chat/completions'],
    ['POST', '/v1/messages'],
    ['POST', '/v1/messages/count_tokens'],
    ['POST', '/v1/embeddings'],
    ['POST', '/openai/v1/chat/completions'],
    ['GET', '/v1/models'],
    ['POST', '/v1/tasks'],
    ['POST', '/v1/tasks/task_1/steps'],
    ['POST', '/v1/tasks/task_1/outcome'],
    ['GET', '/v1/tasks/task_1/trace'],
    ['GET', '/v1/report?since=1h'],
    ['GET', '/v1/capacity'],
    ['GET', '/healthz'],
    ['POST', '/v1/responses'],
  ])('may ask before %s %s, without a key', async (method, path) => {
    const answer = await preflight(path, APP, method)
    expect(answer).toMatchObject({ status: 204, body: '' })
    expect(letsIn(answer)).toBe(APP)
    expect(answer.headers.get('access-control-allow-methods')?.split(', ')).toContain(method)
    expect(answer.headers.get('access-control-allow-headers')).toBe(
      'authorization, content-type, x-spillway-task-id, x-stainless-lang',
    )
    expect(answer.headers.get('vary')).toBe('Origin')
  })

  const body = { model: 'one_call', messages: [{ role: 'user', content: 'Where is it?' }] }

  test.each([
    ['a whole answer', '/v1/chat/completions', body, 200],
    ['a stream', '/v1/chat/completions', { ...body, stream: true }, 200],
    ['a message', '/v1/messages', { ...body, max_tokens: 20 }, 200],
    ['a task', '/v1/tasks', { contract: 'one_call' }, 201],
    ['a list', '/v1/models', undefined, 200],
    ['a refused call', '/v1/chat/completions', '{', 400],
    ['a refused task', '/v1/tasks', { contract: 'nobody' }, 404],
    ['a route that is not there', '/v1/nothing', undefined, 404],
  ])('may read %s and all of its headers', async (_, path, sent, status) => {
    const answer = await send(path, { headers: signed(APP), ...(sent !== undefined && { body: sent }) })
    expect(answer.status).toBe(status)
    expect(letsIn(answer)).toBe(APP)
    expect(answer.headers.get('vary')).toBe('Origin')
    const exposed = new Set(answer.headers.get('access-control-expose-headers')?.split(', '))
    const ours = [...answer.headers.keys()].filter((name) => name.startsWith('x-spillway-'))
    expect([...ours, 'x-request-id'].filter((name) => !exposed.has(name))).toEqual([])
  })

  test('may read that its key is wrong', async () => {
    for (const path of ['/v1/models', '/v1/report']) {
      const answer = await send(path, { headers: { origin: APP, authorization: 'Bearer wrong' } })
      expect(answer.status).toBe(401)
      expect(letsIn(answer)).toBe(APP)
    }
  })
})

describe('a page of any other origin', () => {
  test.each(['https://evil.example', 'http://app.example', 'null'])('%s is not let in', async (origin) => {
    for (const path of ['/v1/chat/completions', '/v1/tasks']) {
      expect(cors(await preflight(path, origin))).toEqual([])
    }
    const answer = await send('/v1/models', { headers: signed(origin) })
    expect(cors(answer)).toEqual([])
    expect(answer.headers.get('vary')).toBe('Origin')
  })

  test('is let in by a reload that allows it, which shuts the other out', async () => {
    await writeFile(join(server.dir, 'spillway.yaml'), config(`{ allowed_origins: ["${LATER}"] }`))
    server.process.kill('SIGHUP')
    await waitFor('the later origin', async () => letsIn(await preflight('/v1/tasks', LATER)) === LATER)
    expect(cors(await preflight('/v1/tasks', APP))).toEqual([])
  })
})

test('a server that allows no origin says nothing about them', async () => {
  await using plain = await startServer({ config: config('{}') })
  const answers = [
    await request(`${plain.url}/v1/models`, { headers: signed(APP) }),
    await request(`${plain.url}/v1/tasks`, {
      method: 'OPTIONS',
      headers: { origin: APP, 'access-control-request-method': 'POST' },
    }),
  ]
  for (const answer of answers) {
    expect(cors(answer)).toEqual([])
    expect(answer.headers.get('vary')).toBeNull()
  }
})
