import { onTestFinished, expect, test } from 'vitest'
import { QUEUE_LENGTH_MAX, QUEUE_WAITS_MS, ReportQueue } from './report-queue.js'
import { createManualClock } from './testing/manual-clock.js'
import { type Script, startScriptedServer } from './testing/scripted-server.js'

const step = (taskId: string, body: unknown = {}) =>
  ({ taskId, kind: 'step', path: `/v1/tasks/${taskId}/steps`, body }) as const

async function world(script: Script) {
  const server = await startScriptedServer(script)
  onTestFinished(() => server[Symbol.asyncDispose]())
  const clock = createManualClock()
  const queue = new ReportQueue({ origin: server.url, apiKey: null, fetch, clock })
  return { server, clock, queue, sent: () => server.received.map(({ body }) => body) }
}

test('nothing is sent before its time, then all in order', async () => {
  const { clock, queue, sent } = await world(() => ({ json: {} }))
  queue.add(step('a', 1))
  queue.add(step('b', 2))
  expect([queue.has('a'), queue.has('c'), clock.pending()]).toEqual([true, false, 1])
  clock.advance(QUEUE_WAITS_MS[0])
  await expect.poll(() => queue.has('b')).toBe(false)
  expect(sent()).toEqual([1, 2])
})

test('the oldest are given up when there are too many', async () => {
  const { clock, queue, sent } = await world(() => ({ json: {} }))
  for (let number = 0; number < QUEUE_LENGTH_MAX + 5; number += 1) queue.add(step('a', number))
  clock.advance(QUEUE_WAITS_MS[0])
  await expect.poll(() => queue.has('a')).toBe(false)
  expect(sent()).toHaveLength(QUEUE_LENGTH_MAX)
  expect(sent()[0]).toBe(5)
})

test('a refused report is given up and holds nothing back', async () => {
  const { clock, queue, sent } = await world(({ body }) =>
    body === 1 ? { status: 409, json: { error: { code: 'task.closed' } } } : { json: {} },
  )
  queue.add(step('a', 1))
  queue.add(step('a', 2))
  clock.advance(QUEUE_WAITS_MS[0])
  await expect.poll(() => queue.has('a')).toBe(false)
  expect(sent()).toEqual([1, 2])
})

test('after the last wait everything is given up, and the queue can be used again', async () => {
  let isOnline = false
  const { clock, queue } = await world(() => (isOnline ? { json: {} } : { end: 'drop' }))
  queue.add(step('a'))
  for (const waitMs of QUEUE_WAITS_MS) {
    await expect.poll(() => clock.delays.at(-1)).toBe(waitMs)
    expect(queue.has('a')).toBe(true)
    clock.advance(waitMs)
  }
  await expect.poll(() => queue.has('a')).toBe(false)
  isOnline = true
  queue.add(step('b'))
  clock.advance(QUEUE_WAITS_MS[0])
  await expect.poll(() => queue.has('b')).toBe(false)
})

test('an outcome can be taken back, the steps stay', () => {
  const transport = { origin: 'http://127.0.0.1:9', apiKey: null, fetch, clock: createManualClock() }
  const queue = new ReportQueue(transport)
  queue.add({ taskId: 'a', kind: 'outcome', path: '/', body: {} })
  queue.dropOutcomes('a')
  expect(queue.has('a')).toBe(false)
})
