// Whatever is sent, the answer says what is wrong and where, in the format of the route, and nothing is
// charged.

import { connect } from 'node:net'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Answered, type Sent, errorOf, request } from './support/http.js'
import { type RunningServer, startServer } from './support/server.js'

const KEY = 'acme-key-0001'
const MAX_BODY_BYTES = 65_536
const CONFIG = `
providers:
  sim: { kind: simulated }
models:
  gpt-4o-mini: { tier: small, deployments: [{ provider: sim, model: gpt-4o-mini }] }
tasks:
  support_reply: { route: { default: gpt-4o-mini } }
tenants:
  acme: { keys: ["${KEY}"] }
server: { max_body_bytes: ${MAX_BODY_BYTES} }
`
const AUTHORIZED = { authorization: `Bearer ${KEY}` }
const CHAT = { model: 'gpt-4o-mini', messages: [{ role: 'user', content: 'Hello?' }] }
const CHAT_ROUTE = '/v1/chat/completions'
const MESSAGES_ROUTE = '/v1/messages'

let server: RunningServer
beforeAll(async () => {
  server = await startServer({ config: CONFIG })
})
afterAll(() => server.stop())

const send = (path: string, sent: Sent = {}): Promise<Answered> =>
  request(server.url + path, { ...sent, headers: { ...AUTHORIZED, ...sent.headers } })

/** Sends and gives `[status, code, message]`. */
async function refusal(path: string, sent: Sent): Promise<readonly [number, unknown, string]> {
  const answered = await send(path, sent)
  const error = errorOf(answered)
  return [answered.status, error['code'], String(error['message'])]
}

describe('bodies', () => {
  const broken = '{"model": "gpt-4o-mini",\n "messages": [{"role": "user" "content": "my card 4242"}]}'

  test.each([CHAT_ROUTE, MESSAGES_ROUTE, '/v1/embeddings', '/v1/tasks'])(
    'malformed JSON on %s is refused with its place and without its text',
    async (path) => {
      const [status, code, message] = await refusal(path, { body: broken })
      expect([status, code]).toEqual([400, 'request.invalid'])
      expect(message).toMatch(/line 2\b.*column \d+/)
      expect(message).not.toContain('4242')
    },
  )

  test.each([
    ['nothing', ''],
    ['an array', '[]'],
    ['a string', '"hello"'],
    ['null', 'null'],
    ['bytes that are no text', '\u0000\u0001'],
  ])('%s is no request', async (_, body) => {
    for (const path of [CHAT_ROUTE, MESSAGES_ROUTE, '/v1/tasks']) {
      const [status, code] = await refusal(path, { body, method: 'POST' })
      expect([path, status, code]).toEqual([path, 400, 'request.invalid'])
    }
  })

  test.each([
    ['messages', { ...CHAT, messages: 7 }],
    ['messages', { model: CHAT.model }],
    ['messages', { ...CHAT, messages: [] }],
    ['messages[0]', { ...CHAT, messages: ['Hello?'] }],
    ['model', { ...CHAT, model: 7 }],
    ['max_tokens', { ...CHAT, max_tokens: 'many' }],
    ['max_tokens', { ...CHAT, max_tokens: -1 }],
    ['stream', { ...CHAT, stream: 'yes' }],
  ])('a wrong %s is named', async (at, body) => {
    const answered = await send(CHAT_ROUTE, { body })
    expect([answered.status, errorOf(answered)['code']]).toEqual([400, 'request.invalid'])
    expect(JSON.stringify(answered.body)).toContain(at)
  })

  test.each([CHAT_ROUTE, MESSAGES_ROUTE, '/v1/tasks'])(
    'a body over the limit is refused on %s',
    async (path) => {
      const body = { ...CHAT, messages: [{ role: 'user', content: 'x'.repeat(MAX_BODY_BYTES) }] }
      expect((await refusal(path, { body })).slice(0, 2)).toEqual([413, 'request.too_large'])
    },
  )

  test('a body over the limit is refused even when its length is not announced', async () => {
    const { hostname, port } = new URL(server.url)
    const head = `POST ${CHAT_ROUTE} HTTP/1.1\r\nhost: x\r\nauthorization: ${AUTHORIZED.authorization}\r\n`
    const chunk = `1000\r\n${'x'.repeat(0x1000)}\r\n`
    const answer = await new Promise<string>((resolve, reject) => {
      let text = ''
      const socket = connect(Number(port), hostname, () => {
        socket.write(`${head}content-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n`)
        for (let sent = 0; sent <= MAX_BODY_BYTES; sent += 0x1000) socket.write(chunk)
      })
      socket.on('data', (data) => {
        text += data.toString('latin1')
        if (!text.includes('request.too_large')) return
        socket.destroy()
        resolve(text)
      })
      socket.on('close', () => resolve(text))
      socket.on('error', reject)
    })
    expect(answer).toMatch(/^HTTP\/1\.1 413 /)
    expect(answer).toContain('request.too_large')
  })
})

describe('names', () => {
  test.each([
    ['a model', CHAT_ROUTE, { body: { ...CHAT, model: 'gpt-9' } }, [404, 'model.unknown']],
    ['a task as model', CHAT_ROUTE, { body: { ...CHAT, model: 'task:refund' } }, [404, 'task.unknown']],
    [
      'a contract',
      CHAT_ROUTE,
      { body: CHAT, headers: { 'x-spillway-task': 'refund' } },
      [404, 'task.unknown'],
    ],
    [
      'a task id',
      CHAT_ROUTE,
      { body: CHAT, headers: { 'x-spillway-task-id': 'task_nope' } },
      [404, 'task.unknown'],
    ],
    ['a task to read', '/v1/tasks/task_nope', {}, [404, 'task.unknown']],
    ['a trace to read', '/v1/tasks/task_nope/trace', {}, [404, 'task.unknown']],
    ['a task to end', '/v1/tasks/task_nope/outcome', { body: { status: 'failed' } }, [404, 'task.unknown']],
    ['a contract to open', '/v1/tasks', { body: { contract: 'refund' } }, [404, 'task.unknown']],
    ['a path', '/v1/completely/unknown', { body: CHAT }, [404, 'route.unknown']],
  ] as const)('%s that does not exist', async (_, path, sent, expected) => {
    expect((await refusal(path, sent)).slice(0, 2)).toEqual(expected)
  })

  test.each([
    ['GET', CHAT_ROUTE],
    ['GET', MESSAGES_ROUTE],
    ['PUT', '/v1/tasks'],
    ['DELETE', '/v1/tasks/task_1'],
    ['POST', '/v1/models'],
  ])('%s on %s is no route', async (method, path) => {
    const [status, code] = await refusal(path, { method, ...(method === 'POST' && { body: {} }) })
    expect([404, 405]).toContain(status)
    expect(code).toBe('route.unknown')
  })

  test('what the data plane cannot do yet is refused, not passed on', async () => {
    for (const path of ['/v1/completions', '/v1/images/generations', '/v1/audio/speech']) {
      const [status, code] = await refusal(path, { body: CHAT })
      expect([404, 501]).toContain(status)
      expect(code).toMatch(/^(route\.unknown|request\.unsupported)$/)
    }
  })
})

describe('headers', () => {
  test.each(['{"a":', '[1]', '"text"', '7', `{"a":"${'x'.repeat(8_192)}"}`])(
    'attributes that are no small object (%#) are refused by the name of the header',
    async (attributes) => {
      const answered = await send(CHAT_ROUTE, {
        body: CHAT,
        headers: { 'x-spillway-attributes': attributes },
      })
      expect([answered.status, errorOf(answered)['code']]).toEqual([400, 'request.invalid'])
      expect(JSON.stringify(answered.body)).toContain('x-spillway-attributes')
    },
  )

  test('a priority that there is none of is refused', async () => {
    const answered = await send(CHAT_ROUTE, { body: CHAT, headers: { 'x-spillway-priority': 'asap' } })
    expect(errorOf(answered)['code']).toBe('request.invalid')
    expect(JSON.stringify(answered.body)).toContain('x-spillway-priority')
  })

  test('a trace context that is none is ignored, as its standard says', async () => {
    const answered = await send(CHAT_ROUTE, { body: CHAT, headers: { traceparent: 'garbage' } })
    expect(answered.status).toBe(200)
  })

  test('no key, and a key that belongs to nobody', async () => {
    const answer = async (headers: Readonly<Record<string, string>>) => {
      const answered = await request(server.url + CHAT_ROUTE, { body: CHAT, headers })
      return [answered.status, errorOf(answered)['code']]
    }
    expect(await answer({})).toEqual([401, 'auth.missing'])
    expect(await answer({ authorization: 'Bearer nobody' })).toEqual([401, 'auth.unknown'])
    expect(await answer({ 'x-api-key': 'nobody' })).toEqual([401, 'auth.unknown'])
    expect(await answer({ authorization: 'Basic YWJjOmRlZg==' })).toEqual([401, 'auth.missing'])
  })
})

describe('the control API', () => {
  test('names every problem of a body at once, with the nearest known key', async () => {
    const answered = await send('/v1/tasks', {
      body: { contract: 7, atributes: {}, budget: { max_cost_usd: -1 } },
    })
    expect([answered.status, errorOf(answered)['code']]).toEqual([400, 'request.invalid'])
    expect(errorOf(answered)['problems']).toEqual([
      { at: 'body', message: 'unknown key "atributes"; did you mean "attributes"?' },
      { at: 'contract', message: 'must be a string, not a number' },
      { at: 'budget.max_cost_usd', message: 'must be above 0' },
    ])
  })

  test('a step and an outcome that cannot be read change nothing', async () => {
    const opened = await send('/v1/tasks', { body: { contract: 'support_reply' } })
    const { id } = opened.body as { id: string }
    for (const [what, body] of [
      ['steps', { kind: 'tool' }],
      ['outcome', { status: 'fine' }],
    ] as const) {
      expect((await refusal(`/v1/tasks/${id}/${what}`, { body })).slice(0, 2)).toEqual([
        400,
        'request.invalid',
      ])
    }
    expect((await send(`/v1/tasks/${id}`)).body).toMatchObject({ status: 'open', steps: 0, outcome: null })
  })

  test.each(['limit=0', 'limit=501', 'limit=x', 'status=fine', 'since=yesterday', 'degraded=maybe'])(
    'a list cannot be asked for with %s',
    async (query) => {
      expect((await refusal(`/v1/tasks?${query}`, {})).slice(0, 2)).toEqual([400, 'request.invalid'])
    },
  )

  test.each(['by=colour', 'since=yesterday', 'tenant=another'])(
    'a report cannot be asked for with %s',
    async (query) => {
      expect((await refusal(`/v1/report?${query}`, {})).slice(0, 2)).toEqual([400, 'request.invalid'])
    },
  )
})

test('every refusal has a hint, a request id, and tells clients not to repeat it', async () => {
  for (const path of [CHAT_ROUTE, MESSAGES_ROUTE]) {
    const answered = await send(path, { body: {}, headers: { 'x-request-id': 'mine-1' } })
    const error = errorOf(answered)
    expect(error['hint']).toMatch(/\w/)
    expect(error['type']).toBe('invalid_request_error')
    expect(answered.headers.get('content-type')).toContain('application/json')
    expect(answered.headers.get('x-should-retry')).toBe('false')
    expect(answered.headers.get('x-request-id')).toBe('mine-1')
  }
})

test("on Anthropic's route a refusal is Anthropic's, elsewhere OpenAI's", async () => {
  expect((await send(MESSAGES_ROUTE, { body: {} })).body).toMatchObject({ type: 'error' })
  expect((await send(CHAT_ROUTE, { body: {} })).body).toMatchObject({ error: { param: expect.any(String) } })
})

test('after all that the server serves, and has charged nothing for what it refused', async () => {
  const before = await send('/v1/report?by=none')
  for (const body of ['{', '[]', JSON.stringify({ ...CHAT, messages: 7 })]) await send(CHAT_ROUTE, { body })
  const after = await send('/v1/report?by=none')
  const costs = (answered: Answered) =>
    (answered.body as { groups: { cost_usd: number }[] }).groups.map(({ cost_usd: usd }) => usd)
  expect(costs(after)).toEqual(costs(before))
  expect((await send(CHAT_ROUTE, { body: CHAT })).status).toBe(200)
  expect((await request(`${server.url}/healthz`)).status).toBe(200)
})
