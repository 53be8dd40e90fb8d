import { onTestFinished, expect, test } from 'vitest'
import { createClient } from './client.js'
import { CLIENT_CODES } from './spillway-error.js'
import type { Task } from './task.js'
import { createManualClock } from './testing/manual-clock.js'
import { type Reply, startScriptedServer } from './testing/scripted-server.js'
import { LIMITS, SPENT, taskScript } from './testing/task-script.js'

const MESSAGES = [{ role: 'user', content: 'Where is my order?' }]
const HEAD = {
  'x-spillway-task-id': 'task_1',
  'x-spillway-step-id': 'step_1',
  'x-spillway-model': 'gpt-4o-mini',
  'x-spillway-tier': 'small',
  'x-spillway-route': 'default',
  'x-spillway-degraded': 'shorter_context,smaller_model',
  'x-spillway-attempts': '2',
}

const frame = (data: unknown) => `data: ${typeof data === 'string' ? data : JSON.stringify(data)}\n\n`
const textChunk = (content: string) => ({
  id: 'c1',
  model: 'gpt-4o-mini',
  choices: [{ index: 0, delta: { content }, finish_reason: null }],
})
const typed = (event: { type: string; [member: string]: unknown }) => `event: ${event.type}\n${frame(event)}`

/** Runs `work` in a task whose model calls all get this reply. */
async function inTask<T>(reply: Reply, work: (task: Task) => Promise<T>) {
  const clock = createManualClock()
  const server = await startScriptedServer(taskScript(clock, () => reply))
  onTestFinished(() => server[Symbol.asyncDispose]())
  const client = createClient({ baseUrl: server.url, clock })
  const outcomes = () =>
    server.received.filter(({ path }) => path.endsWith('/outcome')).map(({ body }) => body)
  return { server, outcomes, run: () => client.task('support_reply', {}, work) }
}

async function textOf(t: Task): Promise<string> {
  let text = ''
  for await (const chunk of t.streamChat({ messages: MESSAGES }))
    text += chunk.choices[0]?.delta.content ?? ''
  return text
}

test('a chat stream gives its chunks, however the bytes are cut', async () => {
  const bytes = Buffer.from([textChunk('Grüße, '), textChunk('🌊')].map(frame).join('') + frame('[DONE]'))
  const chunks = Array.from(bytes, (byte) => Uint8Array.of(byte))
  const { server, run } = await inTask({ headers: HEAD, chunks }, textOf)
  expect((await run()).value).toBe('Grüße, 🌊')
  const call = server.received.find(({ path }) => path === '/v1/chat/completions')
  expect(call?.body).toEqual({ model: 'support_reply', messages: MESSAGES, stream: true })
  expect(call?.headers).toMatchObject({ 'x-spillway-task-id': 'task_1' })
})

test('a messages stream ends with message_stop and needs no end text', async () => {
  const events = [
    { type: 'message_start', message: { id: 'm1' } },
    { type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text: 'On its way.' } },
    { type: 'message_stop' },
  ]
  const { server, run } = await inTask({ chunks: events.map(typed) }, async (t) => {
    const seen: string[] = []
    for await (const event of t.streamMessages({ max_tokens: 50, messages: MESSAGES })) seen.push(event.type)
    return seen
  })
  expect((await run()).value).toEqual(events.map(({ type }) => type))
  const call = server.received.find(({ path }) => path === '/v1/messages')
  expect(call?.headers).toMatchObject({ 'anthropic-version': '2023-06-01', 'x-spillway-task-id': 'task_1' })
})

test('the facts come with the head, and cost and budget with the final usage', async () => {
  const remaining = { ...LIMITS, model_calls: 4 }
  const spillway = { cost_usd: 0.0001, task: { id: 'task_1', spent: SPENT, remaining }, decisions: [] }
  const usage = { id: 'c1', model: 'gpt-4o-mini', choices: [], usage: { total_tokens: 9 }, spillway }
  const { run } = await inTask(
    { headers: HEAD, chunks: [textChunk('a'), usage, '[DONE]'].map(frame) },
    async (t) => {
      const stream = t.streamChat({ messages: MESSAGES })
      const costs: unknown[] = [stream.spillway]
      for await (const chunk of stream) costs.push(chunk.choices.length, stream.spillway?.cost_usd)
      expect(stream.spillway).toMatchObject({
        step_id: 'step_1',
        model: 'gpt-4o-mini',
        tier: 'small',
        route: 'default',
        degraded: ['shorter_context', 'smaller_model'],
        attempts: 2,
      })
      expect(t.remaining().model_calls).toBe(4)
      return costs
    },
  )
  expect((await run()).value).toEqual([null, 1, null, 0, 0.0001])
})

test('an error frame is thrown with its own code, and the task fails with it', async () => {
  const error = {
    error: { type: 'server_error', code: 'upstream.failed', message: 'The stream broke.', param: null },
  }
  const { outcomes, run } = await inTask(
    { headers: HEAD, chunks: [textChunk('a'), error].map(frame) },
    textOf,
  )
  await expect(run()).rejects.toMatchObject({
    name: 'SpillwayError',
    code: 'upstream.failed',
    status: 502,
    taskId: 'task_1',
    shouldRetry: false,
  })
  expect(outcomes()).toEqual([{ status: 'failed', reason: 'upstream.failed: The stream broke.' }])
})

test("an error event in Anthropic's shape is thrown too", async () => {
  const events = [
    { type: 'message_start', message: { id: 'm1' } },
    { type: 'error', error: { type: 'overloaded_error', message: 'Overloaded' }, request_id: 'req_1' },
  ]
  const { run } = await inTask({ chunks: events.map(typed) }, async (t) => {
    for await (const event of t.streamMessages({ max_tokens: 5, messages: MESSAGES })) void event
  })
  await expect(run()).rejects.toMatchObject({ code: 'overloaded_error', requestId: 'req_1' })
})

test.each([
  ['ends without its end marker', undefined],
  ['breaks off', 'cut' as const],
])('a stream that %s is an error, never a short answer', async (_, end) => {
  const reply = { chunks: [frame(textChunk('half'))], ...(end !== undefined && { end }) }
  const { outcomes, run } = await inTask(reply, textOf)
  await expect(run()).rejects.toMatchObject({ code: CLIENT_CODES.streamUnfinished })
  expect(outcomes()).toMatchObject([{ status: 'failed' }])
})

test('an event that is not JSON is an error', async () => {
  const { run } = await inTask({ chunks: [frame('{"half":')] }, textOf)
  await expect(run()).rejects.toMatchObject({ code: CLIENT_CODES.badAnswer })
})

test('leaving the loop early closes the connection', async () => {
  const { server, run } = await inTask({ chunks: [frame(textChunk('first'))], end: 'hang' }, async (t) => {
    for await (const chunk of t.streamChat({ messages: MESSAGES })) return chunk.choices[0]?.delta.content
    return 'nothing'
  })
  expect((await run()).value).toBe('first')
  await server.hungUp
})

test('a stream can be read once', async () => {
  const { run } = await inTask({ chunks: [frame('[DONE]')] }, async (t) => {
    const stream = t.streamChat({ messages: MESSAGES })
    for await (const chunk of stream) void chunk
    for await (const chunk of stream) void chunk
  })
  await expect(run()).rejects.toThrow('once')
})
