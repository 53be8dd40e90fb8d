import { onTestFinished, expect, test } from 'vitest'
import { createClient } from './client.js'
import { CLIENT_CODES, SpillwayError } from './spillway-error.js'
import { createManualClock } from './testing/manual-clock.js'
import { type Script, startScriptedServer } from './testing/scripted-server.js'
import { taskScript } from './testing/task-script.js'
import { RETRY_WAITS_MS } from './transport.js'

async function start(script: Script) {
  const server = await startScriptedServer(script)
  onTestFinished(() => server[Symbol.asyncDispose]())
  const clock = createManualClock()
  return { server, clock, client: createClient({ baseUrl: server.url, apiKey: 'key-1', clock }) }
}

const failureOf = (promise: Promise<unknown>) =>
  promise.then(
    () => null,
    (error: unknown) => error,
  )

test('a control call that loses its connection is sent again with the same idempotency key', async () => {
  const clock = createManualClock()
  const answered = taskScript(clock)
  const { server, client } = await start((request, count) =>
    request.path === '/v1/tasks' && count < 2 ? { end: 'drop' } : answered(request, count),
  )
  const { value } = await client.task('support_reply', {}, (t) => t.id)
  expect(value).toBe('task_1')
  const opens = server.received.filter(({ path }) => path === '/v1/tasks')
  expect(opens).toHaveLength(3)
  expect(new Set(opens.map(({ headers }) => headers['idempotency-key'])).size).toBe(1)
  expect(opens[0]?.headers['idempotency-key']).toMatch(/^[0-9a-f]{32}$/)
  const outcome = server.received.find(({ path }) => path.endsWith('/outcome'))
  expect(outcome?.headers['idempotency-key']).not.toBe(opens[0]?.headers['idempotency-key'])
})

test('a repeated call whose first try still runs is asked for again', async () => {
  const answered = taskScript(createManualClock())
  const conflict = {
    error: { type: 'invalid_request_error', code: 'request.conflict', message: 'It still runs.' },
  }
  const { server, client } = await start((request, count) => {
    if (request.path !== '/v1/tasks' || count > 1) return answered(request, count)
    return count === 0 ? { end: 'drop' } : { status: 409, json: conflict }
  })
  expect((await client.task('support_reply', {}, (t) => t.id)).value).toBe('task_1')
  expect(server.received.filter(({ path }) => path === '/v1/tasks')).toHaveLength(3)
})

test('a conflict on the first try is a refusal', async () => {
  const conflict = {
    error: { type: 'invalid_request_error', code: 'request.conflict', message: 'Used before.' },
  }
  const { server, client } = await start(() => ({ status: 409, json: conflict }))
  expect(await failureOf(client.task('support_reply', {}, () => 'never'))).toMatchObject({
    code: 'request.conflict',
  })
  expect(server.received).toHaveLength(1)
})

test('a control call gives up after its bounded tries and says that nobody answered', async () => {
  const { server, clock, client } = await start(() => ({ end: 'drop' }))
  const error = await failureOf(client.task('support_reply', {}, () => 'never'))
  expect(error).toBeInstanceOf(SpillwayError)
  expect(error).toMatchObject({ code: CLIENT_CODES.unreachable, status: 0, shouldRetry: true })
  expect(server.received).toHaveLength(1 + RETRY_WAITS_MS.length)
  expect(clock.delays).toEqual(expect.arrayContaining([...RETRY_WAITS_MS]))
})

test('a refusal is an answer: it is not sent again, and keeps code, hint, ids and advice', async () => {
  const { server, client } = await start(() => ({
    status: 429,
    headers: { 'x-should-retry': 'false', 'x-request-id': 'req_9' },
    json: {
      error: {
        type: 'rate_limit_error',
        code: 'ceiling.reached',
        message: 'The tenant has spent its 20 USD of today.',
        hint: 'Raise usd_per_day.',
        param: null,
        task_id: 'task_7',
      },
    },
  }))
  const error = await failureOf(client.task('support_reply', {}, () => 'never'))
  expect(error).toMatchObject({
    name: 'SpillwayError',
    message: 'The tenant has spent its 20 USD of today.',
    code: 'ceiling.reached',
    status: 429,
    hint: 'Raise usd_per_day.',
    taskId: 'task_7',
    requestId: 'req_9',
    shouldRetry: false,
  })
  expect(server.received).toHaveLength(1)
})

test('a capacity refusal says when to come back; a known code brings its hint along', async () => {
  const { client } = await start(() => ({
    status: 503,
    headers: { 'retry-after': '2' },
    json: {
      error: { type: 'server_error', code: 'capacity.queue_timeout', message: 'No deployment was free.' },
    },
  }))
  const error = await failureOf(client.report())
  expect(error).toMatchObject({
    shouldRetry: false,
    retryAfterMs: 2_000,
    hint: expect.stringContaining('retry'),
  })
})

test.each(['true', 'false'])(
  'the advice of the server on repeating goes before any rule: %s',
  async (advice) => {
    const { client } = await start(() => ({
      status: 500,
      headers: { 'x-should-retry': advice },
      json: { error: { type: 'server_error', code: 'some.code', message: 'No.' } },
    }))
    expect(await failureOf(client.models())).toMatchObject({
      code: 'some.code',
      shouldRetry: advice === 'true',
    })
  },
)

test('problems of an invalid request keep their places', async () => {
  const problems = [{ at: 'contract', message: 'is missing' }, 'garbage']
  const { client } = await start(() => ({
    status: 400,
    json: {
      error: { type: 'invalid_request_error', code: 'request.invalid', message: 'Bad body.', problems },
    },
  }))
  expect(await failureOf(client.models())).toMatchObject({ problems: [problems[0]], shouldRetry: false })
})

test.each([
  [502, true],
  [404, false],
])('a page of a proxy with status %d is an error without guesses, retry %s', async (status, shouldRetry) => {
  const { client } = await start(() => ({ status, chunks: ['<html>oops</html>'] }))
  expect(await failureOf(client.models())).toMatchObject({
    code: `http.${status}`,
    status,
    shouldRetry,
    taskId: null,
  })
})

test('an answer that is not JSON is an error, not a value', async () => {
  const { client } = await start(() => ({ chunks: ['<html>welcome</html>'] }))
  expect(await failureOf(client.models())).toMatchObject({ code: CLIENT_CODES.badAnswer })
})

test('reads go where they should, with the key and the query', async () => {
  const { server, client } = await start((request) => ({ json: { echoed: request.path } }))
  await client.report({ since: '24h', by: 'contract' })
  await client.tasks({ external_id: 'a b&c', degraded: true, limit: 10 })
  await client.trace('task_1/../x')
  await client.models()
  expect(server.received.map(({ method, path }) => `${method} ${path}`)).toEqual([
    'GET /v1/report?since=24h&by=contract',
    'GET /v1/tasks?external_id=a+b%26c&degraded=true&limit=10',
    'GET /v1/tasks/task_1%2F..%2Fx/trace',
    'GET /v1/models',
  ])
  expect(server.received.every(({ headers }) => headers.authorization === 'Bearer key-1')).toBe(true)
})

test.each(['', '/', '/v1', '/v1/'])('the base URL may end in "%s"', async (ending) => {
  const { server } = await start(() => ({ json: { object: 'list', data: [] } }))
  expect(await createClient({ baseUrl: server.url + ending }).models()).toEqual({ object: 'list', data: [] })
  expect(server.received[0]?.path).toBe('/v1/models')
  expect(server.received[0]?.headers.authorization).toBeUndefined()
})

test('a base URL that is none is refused at once', () => {
  expect(() => createClient({ baseUrl: 'localhost' })).toThrow(TypeError)
})
