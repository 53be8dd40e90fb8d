import { describe, expect, test } from 'vitest'
import { createClient } from '../client.js'
import type { ChatRequest } from '../model-answers.js'
import { CLIENT_CODES } from '../spillway-error.js'
import { type Wrap, start } from '../testing/start.js'
import type { Script } from '../testing/scripted-server.js'
import type { Task } from '../task.js'
import { type OnDeviceOptions, checkOnDevice } from './rule.js'
import { TEXT_LENGTH_MAX } from './run-on-device.js'
import { type DeviceRequest, type OnDeviceRunner, type RunFunction, fromRunner } from './runner.js'

const BODY: ChatRequest = { messages: [{ role: 'user', content: 'Where is my order?' }] }
const SERVER_ANSWER = { id: 'c1', model: 'gpt-4o-mini', choices: [{ message: { content: 'From afar.' } }] }
const afar: Script = ({ body }) =>
  (body as { stream: boolean }).stream
    ? { chunks: ['data: {"choices":[{"delta":{"content":"From afar."}}]}\n\n', 'data: [DONE]\n\n'] }
    : { json: SERVER_ANSWER }

const sure = { text: 'On its way.', confidence: 0.9, usage: { inputTokens: 12, outputTokens: 4 } }
const deviceOf = (run: RunFunction, rule: Partial<OnDeviceOptions> = {}): OnDeviceOptions => ({
  minConfidence: 0.7,
  ...rule,
  runner: rule.runner ?? fromRunner('tiny', run),
})

function startWith(run: RunFunction, rule?: Partial<OnDeviceOptions>, wrap?: Wrap) {
  return start(afar, wrap, deviceOf(run, rule))
}
type Setting = Awaited<ReturnType<typeof startWith>>

const steps = ({ bodies }: Setting) => bodies('/steps') as { readonly on_device: Record<string, unknown> }[]
const ends = (setting: Setting) => steps(setting).map(({ on_device }) => on_device['end'])
const chat = ({ client }: Setting, body = BODY) =>
  client.task('support_reply', {}, (t) => t.chat(body, { onDevice: true }))

async function textOf(t: Task, onDevice: boolean | object = true) {
  const stream = t.streamChat(BODY, { onDevice })
  const pieces: string[] = []
  for await (const chunk of stream) pieces.push(chunk.choices[0]?.delta.content ?? '')
  return { pieces: pieces.filter((piece) => piece !== ''), facts: stream.spillway }
}

describe('an answer of the device', () => {
  test('has the shape of all answers, says who gave it, costs nothing and is told as a step', async () => {
    let asked: DeviceRequest | null = null
    const setting = await startWith((request) => {
      asked = request
      setting.clock.advance(80)
      return sure
    })
    const { value, undelivered } = await chat(setting)
    expect(value.text).toBe('On its way.')
    expect(value.answer).toMatchObject({
      id: expect.stringMatching(/^chatcmpl-[0-9a-f]{32}$/),
      model: 'tiny',
      choices: [{ message: { role: 'assistant', content: 'On its way.' }, finish_reason: 'stop' }],
      usage: { prompt_tokens: 12, completion_tokens: 4, total_tokens: 16 },
    })
    expect(value.spillway).toEqual({
      on_device: 'answered',
      model: 'tiny',
      deployment: 'on-device/tiny',
      route: 'on-device',
      cache: 'off',
      attempts: 1,
      cost_usd: 0,
      task_id: 'task_1',
      request_id: null,
      degraded: [],
      simulated: false,
      task: null,
      decisions: [],
    })
    expect(asked).toMatchObject({ messages: BODY.messages, jsonSchema: null })
    expect(steps(setting)).toEqual([
      {
        kind: 'model',
        name: 'tiny',
        started_at: '2026-11-24T10:00:00.000Z',
        duration_ms: 80,
        cost_usd: 0,
        on_device: {
          model: 'tiny',
          end: 'answered',
          input_tokens: 12,
          output_tokens: 4,
          confidence: 0.9,
          first_byte_ms: 80,
          finish_reason: 'stop',
        },
      },
    ])
    expect(setting.bodies('/chat/completions')).toEqual([])
    expect(undelivered).toEqual([])
    expect(setting.clock.pending()).toBe(0)
  })

  test("comes in Anthropic's shapes too", async () => {
    const setting = await startWith(() => ({ ...sure, finishReason: 'length' }))
    const body = { ...BODY, max_tokens: 5, system: 'Be kind.' }
    const { value } = await setting.client.task('support_reply', {}, async (t) => {
      const whole = await t.messages(body, { onDevice: true })
      const events: unknown[] = []
      for await (const event of t.streamMessages(body, { onDevice: true })) events.push(event.type)
      return { whole, events }
    })
    expect(value.whole.answer).toMatchObject({
      id: expect.stringMatching(/^msg_/),
      type: 'message',
      content: [{ type: 'text', text: 'On its way.' }],
      stop_reason: 'max_tokens',
      usage: { input_tokens: 12, output_tokens: 4 },
    })
    expect(value.events).toEqual([
      'message_start',
      'content_block_start',
      'content_block_delta',
      'content_block_stop',
      'message_delta',
      'message_stop',
    ])
  })

  test('is not asked for unless the call says so', async () => {
    const setting = await startWith(() => sure)
    const { value } = await setting.client.task('support_reply', {}, (t) => t.chat(BODY))
    expect(value.text).toBe('From afar.')
    expect(value.spillway).not.toHaveProperty('on_device')
    expect(steps(setting)).toEqual([])
  })

  test('never waits for its report, and the outcome comes after it', async () => {
    const setting = await startWith(() => sure)
    await setting.client.task('support_reply', {}, async (t) => {
      await t.chat(BODY, { onDevice: true })
      expect(steps(setting)).toEqual([])
    })
    const paths = setting.server.received.map(({ path }) => path.split('/').at(-1))
    expect(paths).toEqual(['tasks', 'steps', 'outcome'])
  })

  test('tells when it was given in the time of the server', async () => {
    const setting = await startWith(
      () => sure,
      {},
      (script) => (request, count) => {
        const reply = script(request, count)
        if (request.path !== '/v1/tasks') return reply
        const serverMs = setting.clock.now() - 3_600_000
        const deadline = new Date(serverMs + 8_000).toISOString()
        const headers = { date: new Date(serverMs).toUTCString() }
        return { ...reply, headers, json: { ...(reply.json as object), deadline } }
      },
    )
    await chat(setting)
    expect(steps(setting)).toMatchObject([{ started_at: '2026-11-24T09:00:00.000Z' }])
  })
})

describe('the rule', () => {
  test.each<[string, Partial<OnDeviceOptions>, Partial<typeof sure>, string]>([
    ['sure enough', { minConfidence: 0.9 }, {}, 'answered'],
    ['not sure enough', { minConfidence: 0.91 }, {}, 'escalated'],
    ['of a confidence that cannot be', {}, { confidence: 7 }, 'escalated'],
    ['accepted by a function', { escalate: () => false }, {}, 'answered'],
    ['turned down by a function, later', { escalate: () => Promise.resolve(true) }, {}, 'escalated'],
    ['empty', { minConfidence: 0 }, { text: '' }, 'escalated'],
  ])('of an answer that is %s', async (_, rule, result, end) => {
    const setting = await startWith(() => ({ ...sure, ...result }), rule)
    const { value } = await chat(setting)
    expect(value.spillway.on_device).toBe(end)
    expect(value.text).toBe(end === 'answered' ? 'On its way.' : 'From afar.')
    expect(ends(setting)).toEqual([end])
  })

  test('escalates an answer whose confidence is not known', async () => {
    const setting = await startWith(() => 'On its way.', { minConfidence: 0 })
    expect((await chat(setting)).value.text).toBe('From afar.')
  })

  test('accepts one whose confidence is not known when a function alone decides', async () => {
    const { minConfidence: _, ...rest } = deviceOf(() => 'On its way.')
    const seen: unknown[] = []
    const escalate = (answer: unknown) => seen.push(answer) === 0
    const setting = await start(afar, undefined, { ...rest, escalate })
    expect((await chat(setting)).value.text).toBe('On its way.')
    expect(seen).toEqual([{ text: 'On its way.', confidence: null, finishReason: 'stop', usage: null }])
  })

  test('that fails escalates, and the step says so by the name of the error alone', async () => {
    const escalate = () => Promise.reject(new RangeError('about Jane Doe'))
    const setting = await startWith(() => sure, { escalate })
    expect((await chat(setting)).value.text).toBe('From afar.')
    expect(steps(setting)).toMatchObject([{ on_device: { end: 'escalated' }, error: { name: 'RangeError' } }])
  })

  test('can be another for one call', async () => {
    const setting = await startWith(() => ({ ...sure, confidence: 0.2 }))
    const { value } = await setting.client.task('support_reply', {}, (t) =>
      t.chat(BODY, { onDevice: { minConfidence: 0.1 } }),
    )
    expect(value.text).toBe('On its way.')
  })

  test.each<[string, Partial<OnDeviceOptions>]>([
    ['runner', { minConfidence: 0.5 }],
    ['minConfidence', { runner: fromRunner('tiny', () => ''), minConfidence: 1.5 }],
    ['timeoutMs', { runner: fromRunner('tiny', () => ''), minConfidence: 0, timeoutMs: 0 }],
    ['name', { runner: { ...fromRunner('tiny', () => ''), name: 'winzig\n' }, minConfidence: 0 }],
  ])('and the runner are looked at first: %s', (what, options) => {
    expect(() => checkOnDevice(options)).toThrow(what)
  })

  test('is needed where a call asks for the device', async () => {
    const { client } = await start(afar)
    const work = client.task('support_reply', {}, (t) => t.chat(BODY, { onDevice: true }))
    await expect(work).rejects.toThrow(TypeError)
    expect(() => createClient({ baseUrl: 'http://x', onDevice: {} as OnDeviceOptions })).toThrow(TypeError)
  })
})

describe("the contract's route", () => {
  const routed =
    (on_device: unknown): Wrap =>
    (script) =>
    (request, count) => {
      const reply = script(request, count)
      return request.path === '/v1/tasks'
        ? { ...reply, json: { ...(reply.json as object), on_device } }
        : reply
    }
  const runner = fromRunner('tiny', () => sure)

  test('may start on the device, with its own rule and time', async () => {
    const setting = await start(afar, routed({ min_confidence: 0.9, timeout_ms: 700 }), { runner })
    const { value } = await setting.client.task('support_reply', {}, (t) => t.chat(BODY))
    expect(value.spillway.on_device).toBe('answered')
    expect(setting.clock.delays).toContain(700)
  })

  test('escalates by its own rule', async () => {
    const setting = await start(afar, routed({ min_confidence: 0.95 }), { runner })
    const { value } = await setting.client.task('support_reply', {}, (t) => t.chat(BODY))
    expect(value.spillway.on_device).toBe('escalated')
  })

  test('gives way to the client and the call', async () => {
    const setting = await start(afar, routed({ min_confidence: 0.1 }), { runner, minConfidence: 0.95 })
    const { value } = await setting.client.task('support_reply', {}, async (t) => {
      const client = await t.chat(BODY)
      const call = await t.chat(BODY, { onDevice: { minConfidence: 0.2 } })
      return [client, call].map(({ spillway }) => spillway.on_device)
    })
    expect(value).toEqual(['escalated', 'answered'])
  })

  test.each<[string, OnDeviceOptions | undefined, ChatRequest, boolean | undefined]>([
    ['a client without a runner', undefined, BODY, undefined],
    ['a call that names a model', { runner }, { ...BODY, model: 'premium' }, undefined],
    ['a call that says no', { runner }, BODY, false],
  ])('is not on the device for %s', async (_, options, body, onDevice) => {
    const setting = await start(afar, routed({ min_confidence: 0.1 }), options)
    const { value } = await setting.client.task('support_reply', {}, (t) =>
      t.chat(body, onDevice === undefined ? {} : { onDevice }),
    )
    expect(value.text).toBe('From afar.')
    expect(value.spillway).not.toHaveProperty('on_device')
  })

  test('of another shape is not taken', async () => {
    const setting = await start(afar, routed({ min_confidence: 'high' }), { runner })
    const work = setting.client.task('support_reply', {}, () => 'never')
    await expect(work).rejects.toMatchObject({ code: CLIENT_CODES.badAnswer })
  })

  test('that says nothing leaves a client without a rule with an error', async () => {
    const setting = await start(afar, undefined, { runner })
    const work = setting.client.task('support_reply', {}, (t) => t.chat(BODY, { onDevice: true }))
    await expect(work).rejects.toThrow('needs a rule')
  })
})

describe('the server is asked', () => {
  const tiny = fromRunner('tiny', () => sure)
  const runners: [string, OnDeviceRunner, string][] = [
    ['is not there', { ...tiny, available: () => Promise.resolve('no') }, 'unavailable'],
    [
      'would have to be downloaded',
      { ...tiny, available: () => Promise.resolve('downloadable') },
      'unavailable',
    ],
    [
      'cannot say whether it is there',
      { ...tiny, available: () => Promise.reject(new Error('?')) },
      'failed',
    ],
    ['fails', fromRunner('tiny', () => Promise.reject(new Error('out of memory'))), 'failed'],
    [
      'throws',
      {
        ...tiny,
        run: () => {
          throw new Error('bug')
        },
      },
      'failed',
    ],
    ['gives no text', fromRunner('tiny', () => ({ text: 7 }) as never), 'failed'],
    ['does not stop', fromRunner('tiny', () => 'x'.repeat(TEXT_LENGTH_MAX + 1)), 'failed'],
    [
      'does not stop to stream',
      fromRunner('tiny', (_, { onText }) => {
        for (let index = 0; index < 3; index += 1) onText('x'.repeat(TEXT_LENGTH_MAX / 2))
        return new Promise(() => {})
      }),
      'failed',
    ],
  ]
  test.each(runners)('when the device %s', async (_, runner, end) => {
    const setting = await startWith(() => sure, { runner, minConfidence: 0 })
    const { value } = await chat(setting)
    expect(value.text).toBe('From afar.')
    expect(value.spillway.on_device).toBe(end)
    expect(steps(setting)).toMatchObject([
      { on_device: { end }, error: { name: expect.any(String) }, cost_usd: 0 },
    ])
    expect(setting.bodies('/chat/completions')).toEqual([{ ...BODY, model: 'support_reply', stream: false }])
  })

  test('and told only once in a task that there is no device', async () => {
    const runner: OnDeviceRunner = { ...tiny, available: () => Promise.resolve('no') }
    const setting = await startWith(() => sure, { runner })
    await setting.client.task('support_reply', {}, async (t) => {
      await t.chat(BODY, { onDevice: true })
      await t.chat(BODY, { onDevice: true })
    })
    expect(ends(setting)).toEqual(['unavailable'])
  })

  test('when the device takes longer than its own time', async () => {
    let aborted: unknown = null
    const setting = await startWith(
      (_, { signal }) => {
        setting.clock.advance(1_000)
        aborted = signal.reason
        return new Promise(() => {})
      },
      { timeoutMs: 1_000 },
    )
    expect((await chat(setting)).value.text).toBe('From afar.')
    expect(aborted).toMatchObject({ name: 'TimeoutError' })
    expect(steps(setting)).toMatchObject([{ duration_ms: 1_000, on_device: { end: 'timeout' } }])
  })

  test('when the rule takes longer than the time of the device', async () => {
    const escalate = () => {
      setting.clock.advance(4_000)
      return new Promise<boolean>(() => {})
    }
    const setting: Setting = await startWith(() => sure, { escalate })
    expect((await chat(setting)).value.text).toBe('From afar.')
    expect(ends(setting)).toEqual(['timeout'])
  })

  test('in time: the device gets at most half of what the task has left', async () => {
    const setting = await startWith(() => sure, { timeoutMs: 60_000 })
    await setting.client.task('support_reply', {}, async (t) => {
      setting.clock.advance(2_000)
      await t.chat(BODY, { onDevice: true })
    })
    expect(setting.clock.delays).toContain(3_000)
    expect(setting.clock.delays).not.toContain(60_000)
  })

  test.each<[string, object]>([
    ['tools', { tools: [{ type: 'function', function: { name: 'f' } }] }],
    ['an image', { messages: [{ role: 'user', content: [{ type: 'image_url', image_url: { url: 'x' } }] }] }],
    ['two answers', { n: 2 }],
  ])('at once for %s, and there is nothing to tell', async (_, change) => {
    const setting = await startWith(() => sure)
    const { value } = await chat(setting, { ...BODY, ...change })
    expect(value.text).toBe('From afar.')
    expect(value.spillway).not.toHaveProperty('on_device')
    expect(steps(setting)).toEqual([])
  })

  const unable: (() => boolean)[] = [
    () => false,
    () => {
      throw new Error('bug')
    },
  ]
  test.each(unable)('at once for what the runner itself cannot do', async (supports) => {
    const setting = await startWith(() => sure, { runner: { ...tiny, supports } })
    expect((await chat(setting)).value.text).toBe('From afar.')
    expect(steps(setting)).toEqual([])
  })
})

describe('JSON', () => {
  const schema = { type: 'object', properties: { sent: { type: 'boolean' } } }
  const body = { ...BODY, response_format: { type: 'json_schema', json_schema: { name: 'order', schema } } }

  test('is asked for by its schema', async () => {
    let asked: object | null = null
    const setting = await startWith(({ jsonSchema }) => {
      asked = jsonSchema
      return { ...sure, text: '{"sent":true}' }
    })
    expect((await chat(setting, body)).value.text).toBe('{"sent":true}')
    expect(asked).toEqual(schema)
  })

  test('that is none is escalated', async () => {
    const setting = await startWith(() => ({ ...sure, text: 'Sure! {"sent":' }), { minConfidence: 0 })
    expect((await chat(setting, body)).value.text).toBe('From afar.')
    expect(ends(setting)).toEqual(['escalated'])
  })
})

describe('the end of the task', () => {
  test("by the caller's abort ends the device, asks no server and is told", async () => {
    const caller = new AbortController()
    const reason = new DOMException('tab closed', 'AbortError')
    let seen: unknown = null
    const setting = await startWith((_, { signal }) => {
      caller.abort(reason)
      seen = signal.reason
      return new Promise(() => {})
    })
    const work = setting.client.task('support_reply', { signal: caller.signal }, (t) =>
      t.chat(BODY, { onDevice: true }),
    )
    await expect(work).rejects.toBe(reason)
    expect(seen).toBe(reason)
    expect(ends(setting)).toEqual(['aborted'])
    expect(setting.bodies('/chat/completions')).toEqual([])
    expect(setting.bodies('/outcome')).toEqual([{ status: 'abandoned', reason: 'AbortError' }])
  })

  test('by its deadline ends the device too', async () => {
    const setting = await startWith(() => {
      setting.clock.advance(8_000)
      return new Promise(() => {})
    })
    await expect(chat(setting)).rejects.toMatchObject({ code: 'deadline.exceeded' })
    expect(setting.bodies('/chat/completions')).toEqual([])
  })
})

describe('a streamed answer of the device', () => {
  const spelled: RunFunction = (_, { onText }) => {
    onText('On its ')
    onText('way.')
    return sure
  }

  test('is held until the rule has judged it', async () => {
    const setting = await startWith(spelled)
    const { value } = await setting.client.task('support_reply', {}, (t) => textOf(t))
    expect(value.pieces).toEqual(['On its way.'])
    expect(value.facts).toMatchObject({
      on_device: 'answered',
      model: 'tiny',
      cost_usd: 0,
      route: 'on-device',
    })
    expect(steps(setting)).toMatchObject([{ on_device: { streamed: true, end: 'answered' } }])
  })

  test('gives way to the stream of the server', async () => {
    const setting = await startWith(spelled, { minConfidence: 1 })
    const { value } = await setting.client.task('support_reply', {}, (t) => textOf(t))
    expect(value.pieces).toEqual(['From afar.'])
    expect(value.facts).toMatchObject({ on_device: 'escalated' })
  })

  test('carries its usage for those who ask for it', async () => {
    const setting = await startWith(spelled)
    const body = { ...BODY, stream_options: { include_usage: true } }
    const { value } = await setting.client.task('support_reply', {}, async (t) => {
      const chunks = []
      for await (const chunk of t.streamChat(body, { onDevice: true })) chunks.push(chunk)
      return chunks
    })
    expect(value.at(-1)).toMatchObject({ choices: [], usage: { total_tokens: 16 } })
  })

  test('is shown as it comes when the call says so, whatever the rule would say', async () => {
    let more = () => {}
    const setting = await startWith(async (_, { onText }) => {
      onText('On its ')
      await new Promise<void>((resolve) => (more = resolve))
      onText('way.')
      return { ...sure, confidence: 0 }
    })
    const { value } = await setting.client.task('support_reply', {}, async (t) => {
      const stream = t.streamChat(BODY, { onDevice: { streams: 'live' } })
      const pieces: string[] = []
      for await (const chunk of stream) {
        const piece = chunk.choices[0]?.delta.content
        if (piece) pieces.push(piece)
        if (piece === 'On its ') more()
      }
      return pieces
    })
    expect(value).toEqual(['On its ', 'way.'])
    expect(ends(setting)).toEqual(['answered'])
  })

  test('that is live and fails before its first text gives way to the server', async () => {
    const setting = await startWith(() => Promise.reject(new Error('no memory')), { streams: 'live' })
    const { value } = await setting.client.task('support_reply', {}, (t) => textOf(t))
    expect(value).toMatchObject({ pieces: ['From afar.'], facts: { on_device: 'failed' } })
  })

  test('that is live and breaks off is an error, never a short answer', async () => {
    const setting = await startWith(
      (_, { onText }) => {
        onText('On its ')
        return Promise.reject(new Error('no memory'))
      },
      { streams: 'live' },
    )
    const work = setting.client.task('support_reply', {}, (t) => textOf(t))
    await expect(work).rejects.toMatchObject({ code: CLIENT_CODES.streamUnfinished })
    expect(ends(setting)).toEqual(['failed'])
  })

  test('ends its run when nobody reads on', async () => {
    let ended = false
    const setting = await startWith(
      (_, { onText, signal }) => {
        signal.addEventListener('abort', () => (ended = true))
        onText('On its ')
        return new Promise(() => {})
      },
      { streams: 'live' },
    )
    await setting.client.task('support_reply', {}, async (t) => {
      for await (const chunk of t.streamChat(BODY, { onDevice: true })) {
        if (chunk.choices[0]?.delta.content) break
      }
    })
    expect(ended).toBe(true)
    expect(ends(setting)).toEqual(['aborted'])
  })

  test('that is live has no timeout of its own once it is read', async () => {
    const setting = await startWith(
      (_, { onText }) => {
        onText('On its ')
        setting.clock.advance(4_500)
        onText('way.')
        return sure
      },
      { streams: 'live' },
    )
    const { value } = await setting.client.task('support_reply', {}, (t) => textOf(t))
    expect(value.pieces).toEqual(['On its ', 'way.'])
  })

  test("that is live ends with the task's deadline", async () => {
    const setting = await startWith(
      (_, { onText }) => {
        onText('On its ')
        return new Promise(() => {})
      },
      { streams: 'live' },
    )
    const work = setting.client.task('support_reply', {}, async (t) => {
      for await (const chunk of t.streamChat(BODY, { onDevice: { timeoutMs: 60_000 } })) {
        if (chunk.choices[0]?.delta.content) setting.clock.advance(8_000)
      }
    })
    await expect(work).rejects.toMatchObject({ code: 'deadline.exceeded' })
  })
})

describe('reports', () => {
  test('that are refused are noted, and change no answer', async () => {
    const setting = await startWith(
      () => sure,
      {},
      (script) => (request, count) =>
        request.path.endsWith('/steps')
          ? { status: 409, json: { error: { code: 'task.closed', type: 'x', message: 'Ended.' } } }
          : script(request, count),
    )
    const { value, outcome, undelivered } = await chat(setting)
    expect(value.text).toBe('On its way.')
    expect(outcome).toMatchObject({ success: true })
    expect(undelivered.map(({ code }) => code)).toEqual(['task.closed'])
  })

  test('wait for a connection together with the outcome, and are then sent in order, each once', async () => {
    let isOnline = true
    const setting = await startWith(
      () => {
        isOnline = false
        return sure
      },
      {},
      (script) => (request, count) => (isOnline ? script(request, count) : { end: 'drop' }),
    )
    const { value, outcome, undelivered } = await chat(setting)
    expect(value.text).toBe('On its way.')
    expect(outcome).toBeNull()
    expect(undelivered.map(({ code }) => code)).toEqual([CLIENT_CODES.unreachable])
    const tries = setting.server.received.length
    isOnline = true
    setting.clock.advance(1_000)
    await expect.poll(() => setting.server.received.length).toBe(tries + 2)
    const [step, verdict] = setting.server.received.slice(-2)
    expect(step).toMatchObject({ path: '/v1/tasks/task_1/steps', body: { on_device: { end: 'answered' } } })
    expect(verdict).toMatchObject({ path: '/v1/tasks/task_1/outcome', body: { status: 'succeeded' } })
    const keys = setting.server.received.filter(({ path }) => path.endsWith('/steps'))
    expect(new Set(keys.map(({ headers }) => headers['idempotency-key'])).size).toBe(1)
    await expect.poll(() => setting.clock.pending()).toBe(0)
  })
})
