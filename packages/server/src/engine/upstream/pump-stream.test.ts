import fc from 'fast-check'
import { expect, test } from 'vitest'
import { configured } from '../../testing/example-config.js'
import {
  BREAK,
  OPENAI_ERROR_FRAME,
  SILENT_END,
  brokenAfter,
  chatFrames,
  chatStream,
  failWith,
  html,
  inBand,
  messagesFrames,
  messagesStream,
  openAiError,
  reply,
  splitEvery,
  streamOf,
} from '../../testing/provider-answers.js'
import type { Act } from '../../testing/scripted-provider.js'
import { type CallAsk, createTestEngine } from '../../testing/test-engine.js'

const TASKS = `
  support:
    degrade: []
    budget: { max_cost_usd: 1, max_output_tokens: 100, max_latency_ms: 120000 }
    retries: { max_attempts: 3 }
    route: { default: small-model }
  claude:
    degrade: []
    budget: { max_cost_usd: 1, max_output_tokens: 100 }
    route: { default: claude-model }
  planned:
    degrade: [partial_result]
    budget: { max_cost_usd: 1, max_output_tokens: 20, max_latency_ms: 2000 }
    route: { default: small-model }
  plannedclaude:
    degrade: [partial_result]
    budget: { max_cost_usd: 1, max_output_tokens: 20, max_latency_ms: 2000 }
    route: { default: claude-model }
`

const STREAM: CallAsk = { task: 'support', body: { stream: true } }
const STREAM_WITH_USAGE = { stream: true, stream_options: { include_usage: true } }
const world = () => createTestEngine(configured(TASKS))

test('a stream of the same format passes byte for byte, usage chunk included for a caller who asked', async () => {
  const made = world()
  made.provider('main').next(chatStream())
  const caller = await made.call({ task: 'support', body: STREAM_WITH_USAGE })
  const frames = caller.frames
  expect(frames.at(-1)).toBe('[DONE]')
  expect(frames.at(-2)).toMatchObject({
    choices: [],
    usage: { total_tokens: 48 },
    spillway: { cost_usd: 0.000056 },
  })
  expect(caller.text.startsWith(chatFrames().slice(0, 4).join(''))).toBe(true)
})

// 25, 26: the usage is always asked for upstream, and shown only to those who asked.
test('the usage chunk is asked for upstream and stripped for a caller who did not ask', async () => {
  const made = world()
  made.provider('main').next(chatStream())
  const caller = await made.call(STREAM)
  expect(made.provider('main').requests[0]?.json).toMatchObject({ stream_options: { include_usage: true } })
  expect(caller.outcome).toBe('stream')
  expect(caller.text).not.toContain('"total_tokens"')
  expect(made.attempts()[0]).toMatchObject({
    basis: 'reported',
    nanoUsd: 56_000,
    tokens: { input: 40, output: 8 },
  })
})

test('frames may be split anywhere', async () => {
  const whole = world()
  whole.provider('main').next(chatStream())
  const expected = (await whole.call({ task: 'support', body: STREAM_WITH_USAGE })).text
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 1, max: 400 }), async (bytes) => {
      const made = world()
      made.provider('main').next(splitEvery(bytes, chatFrames()))
      expect((await made.call({ task: 'support', body: STREAM_WITH_USAGE })).text).toBe(expected)
    }),
    { numRuns: 40 },
  )
})

test('an answer is over at its end marker, whether or not the provider closes the connection', async () => {
  const made = world()
  made.provider('main').next(streamOf(chatFrames()).slice(0, -1))
  const startedMs = made.system.nowMs()
  const caller = await made.call(STREAM)
  expect(caller.outcome).toBe('stream')
  expect(made.system.nowMs()).toBe(startedMs)
})

const FRAMES = chatFrames({ tokens: ['One', ' two', ' three', ' four'] })

// 37, 38: nothing is tried again after the first byte, and a broken stream never ends as if it were complete.
const BROKEN: readonly (readonly [string, readonly Act[], string])[] = [
  ['breaks off', BREAK, 'broken_stream'],
  ['ends without its end marker', SILENT_END, 'broken_stream'],
  ['says an error in band', inBand(OPENAI_ERROR_FRAME), 'stream_error'],
  ['stalls', [], 'timeout'],
  ['turns into a page', inBand('<html>Network connection lost</html>\n\n'), 'invalid_body'],
]
test.each(BROKEN)(
  'after the first byte a stream that %s ends with an error in band and no retry',
  async (_what, rest, end) => {
    const made = world()
    made.provider('main').next(brokenAfter(FRAMES.slice(0, 3), rest))
    const caller = await made.call(STREAM)
    expect(caller.status).toBe(200)
    expect(caller.outcome).toBe('error')
    expect(caller.text).toContain('One')
    expect(caller.frames.at(-1)).toMatchObject({
      error: { code: end === 'deadline' ? 'deadline.exceeded' : 'upstream.failed' },
    })
    expect(made.provider('main').requests).toHaveLength(1)
    expect(made.attempts()[0]).toMatchObject({ end, basis: 'estimated', tokens: { output: 2 } })
    expect(made.lastOutcome().success).toBe(false)
    expect(made.ledger.heldTotal().outputTokens).toBe(0)
  },
)

// 6: what fails before the first byte is tried again, and holds nothing afterwards.
test.each([
  ['an error status', openAiError(500, 'server_error')],
  ['an error as the first frame', brokenAfter([], inBand(OPENAI_ERROR_FRAME))],
  ['an empty stream', brokenAfter([], SILENT_END)],
  ['a break before any frame', brokenAfter([], BREAK)],
  ['a page with 200', html()],
  [
    'a page with 200 that claims to be a stream',
    reply('<html>lost</html>', { headers: { 'content-type': 'text/event-stream' } }),
  ],
  ['whole JSON instead of a stream', reply({ id: 'x', choices: [] })],
])('%s before the first byte is tried again unseen', async (_what, script) => {
  const made = world()
  made.provider('main').next(script, chatStream())
  const caller = await made.call(STREAM)
  expect(caller.outcome).toBe('stream')
  expect(caller.begins).toBe(1)
  expect(caller.headers['x-spillway-attempts']).toBe('2')
  expect(made.attempts()).toHaveLength(2)
  expect(made.ledger.heldTotal().nanoUsd).toBe(0)
})

test.each([
  ['no connection', failWith('connection'), 0],
  ['an error status', openAiError(500, 'server_error'), 0],
  ['a page', html(), 0],
  ['silence', failWith('timeout'), 19_000],
])(
  'a stream that never began for %s is charged what the provider may have read',
  async (_what, script, nanoUsd) => {
    const made = world()
    made.provider('main').next(script, chatStream())
    await made.call(STREAM)
    expect(made.attempts()[0]?.chargedNanoUsd).toBe(nanoUsd)
  },
)

test('what arrived whole in the same chunk as an error still reaches the caller', async () => {
  const made = world()
  const last = `${FRAMES[2] ?? ''}${FRAMES[3] ?? ''}${OPENAI_ERROR_FRAME}`
  made.provider('main').next(brokenAfter([...FRAMES.slice(0, 2), last], SILENT_END))
  const caller = await made.call(STREAM)
  expect(caller.outcome).toBe('error')
  expect(caller.text).toContain('three')
})

// 5, 14, 28, 29: who reads the answer and drops the connection has read it, and pays for what was generated.
test('a caller who hangs up mid stream pays for what was generated, and nothing stays held', async () => {
  const made = world()
  made.provider('main').next(chatStream({ tokens: ['1', '2', '3', '4', '5', '6'], gapMs: 100 }))
  const running = made.start(STREAM)
  await made.system.advance(450)
  running.caller.hangUp()
  await made.finish(running)
  expect(made.provider('main').requests[0]?.aborted).toBe(true)
  expect(made.attempts()[0]).toMatchObject({
    end: 'caller_left',
    basis: 'estimated',
    tokens: { output: 3, input: 19 },
  })
  expect(made.attempts()[0]?.chargedNanoUsd).toBe(19 * 1_000 + 3 * 2_000)
  expect(made.ledger.heldTotal().nanoUsd).toBe(0)
  expect(made.lastStep().error).toBe('caller_left')
  expect(made.engine.tasks.size).toBe(0)
})

test('a caller who hangs up before the first byte ends the call at once, charged for the prompt that was sent', async () => {
  const made = world()
  made.provider('main').next(chatStream({ delayMs: 5_000 }))
  const running = made.start(STREAM)
  await made.system.advance(1_000)
  running.caller.hangUp()
  await made.finish(running)
  expect(made.provider('main').requests).toHaveLength(1)
  expect(made.provider('main').requests[0]?.aborted).toBe(true)
  expect(made.attempts()[0]).toMatchObject({
    end: 'caller_left',
    basis: 'estimated',
    tokens: { input: 19, output: 0 },
  })
  expect(made.ledger.heldTotal().nanoUsd).toBe(0)
})

test('a caller who has gone before anything was sent pays nothing, and nothing is sent', async () => {
  const made = world()
  const running = made.start(STREAM)
  running.caller.hangUp()
  await made.finish(running)
  expect(made.provider('main').requests).toEqual([])
  expect(made.attempts()).toEqual([])
  expect(made.lastStep().error).toBe('caller_left')
})

test('a caller who hangs up between two attempts is not served by the second', async () => {
  const made = world()
  made.provider('main').next(openAiError(429, 'rate_limit_exceeded', { 'retry-after': '5' }), chatStream())
  const running = made.start(STREAM)
  await made.system.advance(1_000)
  running.caller.hangUp()
  await made.finish(running)
  expect(made.provider('main').requests).toHaveLength(1)
  expect(made.ledger.heldTotal().nanoUsd).toBe(0)
})

test('a slow reader pauses the provider, and hears the rest once it has read', async () => {
  const made = world()
  made.provider('main').next(chatStream({ tokens: ['1', '2', '3'], gapMs: 10 }))
  const running = made.start(STREAM)
  running.caller.isSlow = true
  await made.system.advance(5_000)
  expect(running.caller.chunks).toHaveLength(1)
  running.caller.isSlow = false
  running.caller.drain()
  expect((await made.finish(running)).outcome).toBe('stream')
})

test('a reader who never reads is over at the deadline', async () => {
  const made = world()
  made.provider('main').next(chatStream({ gapMs: 10 }))
  const running = made.start(STREAM)
  running.caller.isSlow = true
  const caller = await made.finish(running)
  expect(caller.frames.at(-1)).toMatchObject({ error: { code: 'deadline.exceeded' } })
})

const MANY = Array.from({ length: 60 }, (_, index) => ` w${index}`)

// 9: a provider that ignores its limit is cut where the limit is.
test.each([
  ['support', 'main', chatStream, 'error', '"code":"budget.exhausted"'],
  ['planned', 'main', chatStream, 'stream', '"finish_reason":"length"'],
  ['plannedclaude', 'claude', messagesStream, 'stream', '"stop_reason":"max_tokens"'],
] as const)(
  '%s: a stream that passes its output limit is cut there',
  async (task, provider, stream, outcome, said) => {
    const made = world()
    made.provider(provider).next(stream({ tokens: task === 'support' ? [...MANY, ...MANY] : MANY }))
    const isClaude = provider === 'claude'
    const body = isClaude ? { stream: true, max_tokens: 4_000 } : { stream: true }
    const caller = await made.call({ task, wire: isClaude ? 'anthropic-messages' : 'openai-chat', body })
    expect(caller.outcome).toBe(outcome)
    expect(caller.text).toContain(said)
    const limit = task === 'support' ? 100 : 20
    expect(made.attempts()[0]).toMatchObject({ end: 'cut', tokens: { output: limit } })
    expect(made.provider(provider).requests[0]?.aborted).toBe(true)
    expect(made.lastStep().degraded).toEqual(outcome === 'stream' ? ['partial_result'] : [])
    expect(made.lastOutcome().success).toBe(outcome === 'stream')
  },
)

test.each([
  ['planned', 'stream', '"finish_reason":"length"'],
  ['support', 'error', '"code":"deadline.exceeded"'],
] as const)(
  '%s: at the deadline a stream ends with what there is, or says that it broke',
  async (task, outcome, said) => {
    const made = world()
    made
      .provider('main')
      .next(chatStream({ tokens: MANY.slice(0, 15), gapMs: task === 'planned' ? 300 : 9_000 }))
    const caller = await made.call({ task, body: STREAM_WITH_USAGE })
    expect(caller.outcome).toBe(outcome)
    expect(caller.text).toContain('w1')
    expect(caller.text).toContain(said)
    expect(made.attempts()[0]?.end).toBe('cut')
  },
)

test('a partial result needs something to give: a stream cut before its first token is an error', async () => {
  const made = world()
  made.provider('main').next(brokenAfter(chatFrames().slice(0, 1), []))
  const caller = await made.call({ task: 'planned', body: { stream: true } })
  expect(caller.outcome).toBe('error')
  expect(caller.frames.at(-1)).toMatchObject({ error: { code: 'deadline.exceeded' } })
})

test('across formats a stream keeps its words, its finish and its usage, both ways', async () => {
  const made = world()
  made.provider('claude').next(messagesStream({ tokens: ['Bon', 'jour'] }))
  const openAi = await made.call({ task: 'claude', body: STREAM_WITH_USAGE })
  expect(openAi.outcome).toBe('stream')
  expect(openAi.text).toContain('"content":"Bon"')
  expect(openAi.frames.at(-2)).toMatchObject({
    choices: [],
    usage: { prompt_tokens: 40, completion_tokens: 8 },
  })
  made.provider('main').next(chatStream({ tokens: ['Hel', 'lo'] }))
  const anthropic = await made.call({ task: 'support', wire: 'anthropic-messages', body: { stream: true } })
  expect(anthropic.outcome).toBe('stream')
  const types = anthropic.frames.map((frame) => (frame as { type: string }).type)
  expect(types[0]).toBe('message_start')
  expect(types.slice(-2)).toEqual(['message_delta', 'message_stop'])
  expect(anthropic.text).toContain('"text":"Hel"')
})

test('across formats a broken stream ends with the error of the caller', async () => {
  const made = world()
  made.provider('claude').next(brokenAfter(messagesFrames().slice(0, 4), BREAK))
  const caller = await made.call({ task: 'claude', body: { stream: true } })
  expect(caller.outcome).toBe('error')
  expect(caller.frames.at(-1)).toMatchObject({ error: { code: 'upstream.failed' } })
})

// 22, 27: the input of a Messages stream is said at its start, and counts also when its end never comes.
test('a Messages stream that breaks off is charged for the input it had announced', async () => {
  const made = world()
  made
    .provider('claude')
    .next(brokenAfter(messagesFrames({ usage: { input: 33, output: 9 } }).slice(0, 4), BREAK))
  await made.call({ task: 'claude', wire: 'anthropic-messages', body: { stream: true } })
  expect(made.attempts()[0]).toMatchObject({ end: 'broken_stream', tokens: { input: 33, output: 2 } })
})

// 45, 46, 47: parallel tool calls keep their numbers and their arguments when a stream crosses formats.
test('tool calls that run in parallel stay apart across formats', async () => {
  const made = world()
  const event = (type: string, rest: object) =>
    `event: ${type}\ndata: ${JSON.stringify({ type, ...rest })}\n\n`
  const calls = ['a', 'b'].flatMap((name, index) => [
    event('content_block_start', {
      index,
      content_block: { type: 'tool_use', id: `toolu_${name}`, name, input: {} },
    }),
    event('content_block_delta', { index, delta: { type: 'input_json_delta', partial_json: `{"${name}":` } }),
    event('content_block_delta', { index, delta: { type: 'input_json_delta', partial_json: '1}' } }),
    event('content_block_stop', { index }),
  ])
  const frames = messagesFrames({ finish: 'tool_use' })
  made.provider('claude').next(streamOf([...frames.slice(0, 1), ...calls, ...frames.slice(-2)]))
  const caller = await made.call({ task: 'claude', body: { stream: true } })
  const deltas = caller.frames.flatMap((frame) => {
    const [choice] = (frame as { choices?: { delta: { tool_calls?: unknown[] } }[] }).choices ?? []
    return choice?.delta.tool_calls ?? []
  }) as { index: number; id?: string; function: { name?: string; arguments: string } }[]
  for (const [index, name] of ['a', 'b'].entries()) {
    const own = deltas.filter((delta) => delta.index === index)
    expect(own.map(({ id }) => id).filter((id) => id !== undefined)).toEqual([`toolu_${name}`])
    expect(own.map((delta) => delta.function.arguments).join('')).toBe(`{"${name}":1}`)
  }
  expect(caller.text).toContain('"finish_reason":"tool_calls"')
})
