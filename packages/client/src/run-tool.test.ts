import { describe, expect, test } from 'vitest'
import { SpillwayError } from './spillway-error.js'
import { start } from './testing/start.js'
import { LIMITS } from './testing/task-script.js'

describe('tools and steps', () => {
  test('a tool is timed and reported with its input and output', async () => {
    const { clock, bodies, client } = await start()
    const { value } = await client.task('support_reply', {}, (t) =>
      t.tool('find_order', { id: 7 }, () => {
        clock.advance(250)
        return { status: 'sent' }
      }),
    )
    expect(value).toEqual({ status: 'sent' })
    expect(clock.pending()).toBe(0)
    expect(bodies('/steps')).toEqual([
      {
        kind: 'tool',
        name: 'find_order',
        started_at: '2026-11-24T10:00:00.000Z',
        duration_ms: 250,
        input: { id: 7 },
        output: { status: 'sent' },
      },
    ])
  })

  test('an error of a tool is reported by name and rethrown', async () => {
    const { bodies, client } = await start()
    const error = new TypeError('order of Jane Doe')
    const work = client.task('support_reply', {}, (t) => t.tool('find_order', 7, () => Promise.reject(error)))
    await expect(work).rejects.toBe(error)
    expect(bodies('/steps')).toMatchObject([{ input: 7, error: { name: 'TypeError' } }])
  })

  test('a tool is not run when no tool call is left, those that run now counted in', async () => {
    const { client } = await start()
    let runs = 0
    const { value } = await client.task('support_reply', {}, async (t) => {
      const tool = () => t.tool('search', null, () => (runs += 1))
      return Promise.allSettled([tool(), tool(), tool()])
    })
    expect(value.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'rejected'])
    expect(value[2]).toMatchObject({ reason: { code: 'budget.exhausted' } })
    expect(runs).toBe(2)
  })

  test('a tool that takes longer than the tool time left is given up', async () => {
    const { clock, bodies, client } = await start()
    const work = client.task('support_reply', {}, (t) =>
      t.tool('slow', null, (signal) => {
        clock.advance(LIMITS.tool_ms)
        expect(signal.aborted).toBe(true)
        return new Promise(() => {})
      }),
    )
    await expect(work).rejects.toMatchObject({ code: 'budget.exhausted' })
    expect(bodies('/steps')).toMatchObject([
      { duration_ms: 4_000, error: { name: expect.stringContaining('budget') } },
    ])
  })

  test('a tool whose report is refused still gives its output', async () => {
    const { client } = await start(undefined, (script) => (request, count) => {
      if (!request.path.endsWith('/steps')) return script(request, count)
      return {
        status: 409,
        json: { error: { code: 'task.closed', type: 'x', message: 'The task has ended.' } },
      }
    })
    const result = await client.task('support_reply', {}, (t) => t.tool('send', null, () => 'sent'))
    expect(result.value).toBe('sent')
    expect(result.undelivered.map(({ code }) => code)).toEqual(['task.closed'])
  })

  test('a reported step carries what was measured, and updates what is left', async () => {
    const { bodies, client } = await start()
    const { value } = await client.task('support_reply', {}, async (t) => {
      await t.step({ kind: 'retrieval', name: 'kb', duration_ms: 40, cost_usd: 0.0001 })
      return t.remaining().tool_calls
    })
    expect(value).toBe(1)
    expect(bodies('/steps')).toEqual([
      {
        kind: 'retrieval',
        name: 'kb',
        started_at: '2026-11-24T10:00:00.000Z',
        duration_ms: 40,
        cost_usd: 0.0001,
      },
    ])
  })
})

test('a sub-task names its parent and ends with it', async () => {
  const { bodies, client } = await start()
  const caller = new AbortController()
  const work = client.task('support_reply', { signal: caller.signal }, (t) =>
    t.subtask('translate', { externalId: 'x-2' }, (child) => {
      expect(child.id).toBe('task_2')
      caller.abort(new SpillwayError({ code: 'client.test', message: 'enough' }))
      return new Promise(() => {})
    }),
  )
  await expect(work).rejects.toMatchObject({ code: 'client.test' })
  expect(bodies('/v1/tasks')[1]).toEqual({ contract: 'translate', external_id: 'x-2', parent: 'task_1' })
  expect(bodies('/task_1/outcome')).toMatchObject([{ status: 'abandoned' }])
})
