import { describe, expect, test } from 'vitest'
import { createClient } from './client.js'
import { SpillwayError } from './spillway-error.js'

interface Sent {
  readonly path: string
  readonly body: Readonly<Record<string, unknown>>
  readonly init: RequestInit
}

const LEFT = { model_calls: null, tool_calls: null, tool_ms: null, cost_usd: null }

/** A server that gives permits, or does not. */
function setUp(permit: { readonly status: number; readonly body: unknown }) {
  const sent: Sent[] = []
  const answers: Readonly<Record<string, { status: number; body: unknown }>> = {
    tasks: {
      status: 201,
      body: {
        id: 'task_1',
        contract: 'work',
        release: 'r',
        deadline: new Date(Date.now() + 60_000).toISOString(),
        budget: { limits: LEFT, spent: LEFT, remaining: LEFT },
      },
    },
    permits: permit,
    steps: { status: 201, body: { id: 'step_1', task: { id: 'task_1', spent: LEFT, remaining: LEFT } } },
    outcome: { status: 200, body: { success: true, harm: false, reasons: [], cost_usd: 0 } },
    query: { status: 418, body: 'tea' },
  }
  const client = createClient({
    baseUrl: 'http://spillway.test',
    apiKey: 'key-1',
    fetch: (to, init = {}) => {
      const path = new URL(to instanceof Request ? to.url : to).pathname
      const body = typeof init.body === 'string' ? (JSON.parse(init.body) as Sent['body']) : {}
      sent.push({ path, body, init })
      const { status, body: answer } = answers[path.split('/').at(-1) ?? ''] ?? { status: 404, body: {} }
      return Promise.resolve(new Response(JSON.stringify(answer), { status }))
    },
  })
  const step = () => sent.find(({ path }) => path.endsWith('/steps'))?.body
  return { client, sent, step }
}

const GIVEN = { status: 201, body: { permit: 'hold_1', timeout_ms: 500, expires_at: '2026-11-24T00:00:00Z' } }

describe('t.dependency', () => {
  test('takes a permit, runs, and ends it with a step', async () => {
    const { client, sent, step } = setUp(GIVEN)
    const { value } = await client.task('work', {}, (t) =>
      t.dependency('db', ({ timeoutMs, signal }) => [timeoutMs, signal.aborted]),
    )
    expect(value).toEqual([500, false])
    expect(sent[1]).toMatchObject({ path: '/v1/tasks/task_1/permits', body: { dependency: 'db' } })
    expect(step()).toMatchObject({ name: 'db', permit: 'hold_1' })
    expect(step()).not.toHaveProperty('error')
  })

  test('an error counts against the dependency by its name alone, and is thrown on', async () => {
    const { client, step } = setUp(GIVEN)
    const broken = new TypeError('row 17 of jane@example.com')
    const failed = client.task('work', {}, (t) => t.dependency('db', () => Promise.reject(broken)))
    await expect(failed).rejects.toBe(broken)
    expect(step()).toMatchObject({ permit: 'hold_1', error: { name: 'TypeError' } })
  })

  test('without a permit nothing runs', async () => {
    const refusal = { error: { message: 'full', code: 'capacity.queue_timeout' } }
    const { client, step } = setUp({ status: 503, body: refusal })
    let ran = false
    const failed = client.task('work', {}, (t) => t.dependency('db', () => (ran = true)))
    await expect(failed).rejects.toBeInstanceOf(SpillwayError)
    expect([ran, step()]).toEqual([false, undefined])
  })
})

describe('t.fetch', () => {
  test('asks through Spillway, and whatever is answered is the answer', async () => {
    const { client, sent } = setUp(GIVEN)
    const { value } = await client.task('work', {}, async (t) => {
      const answer = await t.fetch('search', 'query?q=tea', { headers: { accept: 'text/plain' } })
      return answer.status
    })
    expect(value).toBe(418)
    const asked = sent.find(({ path }) => path.includes('dependencies'))
    expect(asked?.path).toBe('/v1/tasks/task_1/dependencies/search/query')
    const headers = new Headers(asked?.init.headers)
    expect([headers.get('accept'), headers.get('authorization')]).toEqual(['text/plain', 'Bearer key-1'])
  })
})
