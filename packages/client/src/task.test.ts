import { describe, expect, test } from 'vitest'
import { CLIENT_CODES } from './spillway-error.js'
import type { Script } from './testing/scripted-server.js'
import { start } from './testing/start.js'
import { JUDGED, LIMITS, SPENT } from './testing/task-script.js'

const hang: Script = () => ({ chunks: [], end: 'hang' })
const MESSAGES = [{ role: 'user', content: 'Where is my order?' }]
const ANSWER = {
  id: 'c1',
  model: 'gpt-4o-mini',
  choices: [{ index: 0, message: { role: 'assistant', content: 'On its way.' }, finish_reason: 'stop' }],
  spillway: {
    cost_usd: 0.00012,
    task: { id: 'task_1', spent: SPENT, remaining: { ...LIMITS, model_calls: 4 } },
    decisions: [{ stage: 'plan', choice: 'gpt-4o-mini', reason: 'default' }],
  },
}

describe('how a task ends', () => {
  test('the returned value is the output of a success', async () => {
    const { bodies, client } = await start()
    const options = {
      attributes: { tier: 'pro' },
      session: 's1',
      budget: { max_cost_usd: 0.01 },
      externalId: 'x-1',
    }
    const result = await client.task('support_reply', options, () => ({ reply: 'Done.' }))
    expect(result).toEqual({ value: { reply: 'Done.' }, outcome: JUDGED, undelivered: [] })
    expect(bodies('/v1/tasks')).toEqual([
      {
        contract: 'support_reply',
        attributes: { tier: 'pro' },
        session: 's1',
        budget: { max_cost_usd: 0.01 },
        external_id: 'x-1',
      },
    ])
    expect(bodies('/outcome')).toEqual([{ status: 'succeeded', output: { reply: 'Done.' } }])
  })

  test.each([[undefined], [new Map()], [{ big: 'x'.repeat(300_000) }], [Number.NaN]])(
    'a value that is no small plain JSON (%o) is left out of the outcome',
    async (value) => {
      const { bodies, client } = await start()
      await client.task<unknown>('support_reply', {}, () => value)
      expect(bodies('/outcome')).toEqual([{ status: 'succeeded' }])
    },
  )

  test('the verdict of the application goes before the returned value, and the last one stands', async () => {
    const { bodies, client } = await start()
    await client.task('support_reply', {}, (t) => {
      t.fail('no_documents')
      t.succeed({ output: 'text', evidence: ['doc-1'], score: 0.9 })
      return 'ignored'
    })
    expect(bodies('/outcome')).toEqual([
      { status: 'succeeded', output: 'text', evidence: ['doc-1'], score: 0.9 },
    ])
  })

  test('an error fails the task by its name alone, and is rethrown as it is', async () => {
    const { bodies, client } = await start()
    const error = new RangeError('card 4242 4242 4242 4242 of Jane Doe')
    const work = client.task('support_reply', {}, () => Promise.reject(error))
    await expect(work).rejects.toBe(error)
    expect(bodies('/outcome')).toEqual([{ status: 'failed', reason: 'RangeError' }])
  })

  test('a reason that the application gave is kept when an error follows', async () => {
    const { bodies, client } = await start()
    const work = client.task('support_reply', {}, (t) => {
      t.fail('no_documents')
      throw new Error('stop here')
    })
    await expect(work).rejects.toThrow('stop here')
    expect(bodies('/outcome')).toEqual([{ status: 'failed', reason: 'no_documents' }])
  })

  test('a call that is running when the caller aborts rejects with the reason of the caller', async () => {
    const { client } = await start(hang)
    const caller = new AbortController()
    const reason = new DOMException('tab closed', 'AbortError')
    let ended: Promise<unknown> = Promise.resolve()
    const work = client.task('support_reply', { signal: caller.signal }, async (t) => {
      ended = t.chat({ messages: MESSAGES }).catch((error: unknown) => error)
      await t.step({ kind: 'custom', name: 'meanwhile' })
      caller.abort(reason)
      return ended
    })
    await expect(work).rejects.toBe(reason)
    expect(await ended).toBe(reason)
  })

  test("the caller's abort abandons the task, also when the work does not listen", async () => {
    const { bodies, client } = await start()
    const caller = new AbortController()
    const reason = new DOMException('tab closed', 'AbortError')
    const work = client.task('support_reply', { signal: caller.signal }, () => {
      caller.abort(reason)
      return new Promise(() => {})
    })
    await expect(work).rejects.toBe(reason)
    expect(bodies('/outcome')).toEqual([{ status: 'abandoned', reason: 'AbortError' }])
  })

  test('an aborted caller opens no task', async () => {
    const { server, client } = await start()
    const work = client.task('support_reply', { signal: AbortSignal.abort(new Error('gone')) }, () => 'never')
    await expect(work).rejects.toThrow('gone')
    expect(server.received).toEqual([])
  })

  test('an outcome that cannot be delivered does not undo the work', async () => {
    const { client } = await start(undefined, (script) => (request, count) => {
      return request.path.endsWith('/outcome') ? { end: 'drop' } : script(request, count)
    })
    const result = await client.task('support_reply', {}, () => 'done')
    expect(result).toMatchObject({ value: 'done', outcome: null })
    expect(result.undelivered.map(({ code }) => code)).toEqual([CLIENT_CODES.unreachable])
  })

  test('a later outcome can be reported by id', async () => {
    const { bodies, client } = await start()
    expect(await client.outcome('task_9', { status: 'failed', reason: 'reopened' })).toEqual(JUDGED)
    expect(bodies('/v1/tasks/task_9/outcome')).toEqual([{ status: 'failed', reason: 'reopened' }])
  })
})

describe('the deadline', () => {
  test('ends a model call that hangs, and the task with it', async () => {
    const { clock, server, bodies, client } = await start(hang)
    const work = client.task('support_reply', {}, async (t) => {
      const call = t.chat({ messages: MESSAGES })
      clock.advance(8_000)
      return call
    })
    await expect(work).rejects.toMatchObject({ code: 'deadline.exceeded', status: 504, taskId: 'task_1' })
    expect(bodies('/outcome')).toEqual([
      { status: 'failed', reason: "deadline.exceeded: The task's time is up." },
    ])
    expect(server.received.at(-1)?.path).toBe('/v1/tasks/task_1/outcome')
  })

  test('counts down as time passes', async () => {
    const { clock, client } = await start()
    await client.task('support_reply', {}, async (t) => {
      expect(t.deadline.getTime() - clock.now()).toBe(8_000)
      clock.advance(3_000)
      expect(t.remaining()).toEqual({ ...LIMITS, latency_ms: 5_000 })
      expect(t.signal.aborted).toBe(false)
    })
  })

  test('is moved to the local clock when that differs from the clock of the server', async () => {
    const { clock, client } = await start(undefined, (script) => (request, count) => {
      const reply = script(request, count)
      if (request.path !== '/v1/tasks') return reply
      const serverMs = clock.now() - 600_000
      const deadline = new Date(serverMs + 8_000).toISOString()
      return {
        ...reply,
        headers: { date: new Date(serverMs).toUTCString() },
        json: { ...(reply.json as object), deadline },
      }
    })
    const { value } = await client.task('support_reply', {}, (t) => t.remaining())
    expect(value.latency_ms).toBe(8_000)
  })
})

describe('model calls', () => {
  test('give the answer, its text and what Spillway says about it', async () => {
    const headers = { 'x-spillway-model': 'gpt-4o-mini', 'x-spillway-cache': 'miss', 'x-request-id': 'req_1' }
    const { bodies, client } = await start(() => ({ headers, json: ANSWER }))
    const { value } = await client.task('support_reply', { priority: 'batch' }, async (t) => {
      const { answer, text, spillway } = await t.chat({ messages: MESSAGES, temperature: 0 })
      expect(t.remaining().model_calls).toBe(4)
      return { id: answer.id, text, spillway }
    })
    expect(value).toMatchObject({
      id: 'c1',
      text: 'On its way.',
      spillway: { model: 'gpt-4o-mini', cache: 'miss', request_id: 'req_1', cost_usd: 0.00012, degraded: [] },
    })
    expect(bodies('/chat/completions')).toEqual([
      { model: 'support_reply', messages: MESSAGES, temperature: 0, stream: false },
    ])
  })

  test("speak Anthropic's format and embeddings too", async () => {
    const message = {
      id: 'm1',
      content: [
        { type: 'text', text: 'On ' },
        { type: 'text', text: 'its way.' },
      ],
    }
    const vector = { data: [{ index: 0, embedding: [0.1, 0.2] }] }
    const { bodies, client } = await start(({ path }) => ({
      json: path === '/v1/messages' ? message : vector,
    }))
    const { value } = await client.task('support_reply', {}, async (t) => {
      const { text } = await t.messages({ model: 'premium', max_tokens: 100, messages: MESSAGES })
      const { answer } = await t.embeddings({ model: 'text-embedding-3-small', input: 'order' })
      return [text, answer.data[0]?.embedding.length]
    })
    expect(value).toEqual(['On its way.', 2])
    expect(bodies('/messages')).toMatchObject([{ model: 'premium', stream: false }])
    expect(bodies('/embeddings')).toEqual([{ model: 'text-embedding-3-small', input: 'order' }])
  })

  test('take the facts from the headers when the body has none', async () => {
    const { spillway: _, ...bare } = ANSWER
    const headers = {
      'x-spillway-cost-usd': '0.00012',
      'x-spillway-attempts': '2',
      'x-spillway-simulated': 'true',
    }
    const { client } = await start(() => ({ headers, json: bare }))
    const { value } = await client.task('support_reply', {}, (t) => t.chat({ messages: MESSAGES }))
    expect(value.spillway).toEqual({
      cost_usd: 0.00012,
      attempts: 2,
      simulated: true,
      degraded: [],
      task_id: null,
      request_id: null,
      task: null,
      decisions: [],
    })
  })

  test('are never sent twice, not even when the connection fails', async () => {
    const { bodies, client } = await start(() => ({ end: 'drop' }))
    const work = client.task('support_reply', {}, (t) => t.chat({ messages: MESSAGES }))
    await expect(work).rejects.toMatchObject({ code: CLIENT_CODES.unreachable })
    expect(bodies('/chat/completions')).toHaveLength(1)
  })

  test('refuse JSON that is no answer', async () => {
    const { client } = await start(() => ({ json: { hello: 'world' } }))
    const work = client.task('support_reply', {}, (t) => t.chat({ messages: MESSAGES }))
    await expect(work).rejects.toMatchObject({ code: CLIENT_CODES.badAnswer })
  })

  test('can be left to the official SDKs', async () => {
    const { server, client } = await start()
    await client.task('support_reply', { priority: 'background' }, (t) => {
      const defaultHeaders = { 'x-spillway-task-id': 'task_1', 'x-spillway-priority': 'background' }
      expect(t.openai).toEqual({ baseURL: `${server.url}/v1`, apiKey: 'none', defaultHeaders })
      expect(t.anthropic).toEqual({ baseURL: server.url, apiKey: 'none', defaultHeaders })
    })
  })
})
