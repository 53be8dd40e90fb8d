import { expect, test } from 'vitest'
import { configured } from '../../testing/example-config.js'
import {
  chatAnswer,
  chatFrames,
  chatStream,
  messagesAnswer,
  reply,
  streamOf,
} from '../../testing/provider-answers.js'
import { createTestEngine } from '../../testing/test-engine.js'

const TASKS = `
  support:
    degrade: []
    budget: { max_cost_usd: 1, max_output_tokens: 100 }
    route: { default: small-model }
  cached:
    degrade: []
    budget: { max_cost_usd: 1, max_output_tokens: 100 }
    route: { default: cached-model }
  cachedclaude:
    degrade: []
    budget: { max_cost_usd: 1, max_output_tokens: 100 }
    route: { default: cached-claude }
`
const CACHED_MODEL = `
  cached-model:
    tier: small
    price: { input: 1, output: 2, cache_read: 0.1, cache_write: 1.25 }
    deployments: [{ provider: main, model: cached-upstream }]
  cached-claude:
    tier: small
    price: { input: 1, output: 2, cache_read: 0.1, cache_write: 1.25 }
    deployments: [{ provider: claude, model: cached-upstream }]
`

function world() {
  const { yaml, providers } = configured(TASKS)
  return createTestEngine({ yaml: yaml.replace('models:\n', `models:${CACHED_MODEL}`), providers })
}

const LIES: readonly (readonly [string, { input: number; output: number }])[] = [
  ['more output than was allowed', { input: 40, output: 5_000 }],
  ['no output for a text', { input: 40, output: 0 }],
  ['more input than a prompt of that size can have', { input: 2_000_000, output: 8 }],
  ['no input at all', { input: 0, output: 8 }],
]
test.each(LIES)('a provider that reports %s is not believed, and its claim is kept', async (_what, usage) => {
  for (const stream of [false, true]) {
    const made = world()
    made
      .provider('main')
      .next(
        stream
          ? chatStream({ usage, tokens: ['An', ' answer', ' of', ' more', ' words', '!'] })
          : chatAnswer({ usage }),
      )
    const caller = await made.call({ task: 'support', body: { stream } })
    expect(caller.status).toBe(200)
    const [attempt] = made.attempts()
    expect(attempt).toMatchObject({ basis: 'estimated', disputed: usage })
    expect(attempt?.tokens.output).toBeLessThanOrEqual(100)
    expect(attempt?.tokens.input).toBeLessThanOrEqual(1_200)
    expect(attempt?.tokens.output).toBeGreaterThan(0)
    expect(attempt?.tokens.input).toBeGreaterThan(0)
  }
})

test.each([false, true])(
  'a provider that reports nothing is charged by what was seen (stream: %s)',
  async (stream) => {
    const made = world()
    const tokens = ['The', ' capital', ' is', ' Paris', '.']
    made
      .provider('main')
      .next(stream ? chatStream({ usage: null, tokens }) : chatAnswer({ usage: null, text: tokens.join('') }))
    await made.call({ task: 'support', body: { stream } })
    expect(made.attempts()[0]).toMatchObject({
      basis: 'estimated',
      tokens: { input: 19, output: stream ? 5 : 6 },
    })
    expect(made.attempts()[0]).not.toHaveProperty('disputed')
  },
)

// 19, 20, 21: what was read from or written to a prompt cache is paid once, at its own price.
test('cached input is paid at the price of cached input, in both formats', async () => {
  const made = world()
  const details = {
    prompt_tokens: 40,
    completion_tokens: 8,
    total_tokens: 48,
    prompt_tokens_details: { cached_tokens: 30 },
  }
  const choice = { index: 0, message: { role: 'assistant', content: 'An answer.' }, finish_reason: 'stop' }
  made
    .provider('main')
    .next(reply({ id: 'a', object: 'chat.completion', model: 'm', choices: [choice], usage: details }))
  await made.call({ task: 'cached' })
  expect(made.attempts()[0]?.chargedNanoUsd).toBe(10 * 1_000 + 30 * 100 + 8 * 2_000)
  const [head, data, end] = messagesAnswer()
  const body =
    data?.kind === 'data'
      ? (JSON.parse(Buffer.from(data.chunk).toString()) as { usage: object })
      : { usage: {} }
  const usage = {
    ...body.usage,
    input_tokens: 10,
    cache_read_input_tokens: 20,
    cache_creation_input_tokens: 10,
  }
  const anthropic = { kind: 'data', chunk: Buffer.from(JSON.stringify({ ...body, usage })) } as const
  if (head === undefined || end === undefined) throw new Error('an answer has a head and an end')
  made.provider('claude').next([head, anthropic, end])
  await made.call({ task: 'cachedclaude', wire: 'anthropic-messages' })
  expect(made.attempts()[1]).toMatchObject({
    deployment: 'claude/cached-upstream',
    tokens: { input: 10, cacheRead: 20, cacheWrite: 10 },
    cacheSavedNanoUsd: 20 * (1_000 - 100) - 10 * (1_250 - 1_000),
  })
  expect(made.attempts()[1]?.chargedNanoUsd).toBe(10 * 1_000 + 20 * 100 + 10 * 1_250 + 8 * 2_000)
})

// 23, 26: usage in every chunk, or twice at the end, is still one usage.
test('usage that a stream says several times is charged once', async () => {
  const made = world()
  const frames = chatFrames().map((frame) =>
    frame.replace('"usage":null', '"usage":{"prompt_tokens":40,"completion_tokens":8,"total_tokens":48}'),
  )
  made.provider('main').next(streamOf(frames))
  await made.call({ task: 'support', body: { stream: true } })
  expect(made.attempts()[0]).toMatchObject({
    basis: 'reported',
    tokens: { input: 40, output: 8 },
    chargedNanoUsd: 56_000,
  })
})

test('a caller who hangs up on a whole answer pays for it, is asked for nothing more, and leaves nothing held', async () => {
  const made = world()
  made.provider('main').next(chatAnswer({ delayMs: 1_000 }))
  const running = made.start({ task: 'support' })
  await made.system.advance(300)
  running.caller.hangUp()
  await made.finish(running)
  expect(made.attempts()[0]).toMatchObject({ end: 'ok', basis: 'reported', chargedNanoUsd: 56_000 })
  expect(made.ledger.heldTotal().nanoUsd).toBe(0)
  expect(made.engine.tasks.size).toBe(0)
})

test('nobody who has hung up is served a retry', async () => {
  const made = world()
  made.provider('main').next(reply('{}', { status: 500, delayMs: 1_000 }), chatAnswer())
  const running = made.start({ task: 'support' })
  await made.system.advance(300)
  running.caller.hangUp()
  await made.finish(running)
  expect(made.provider('main').requests).toHaveLength(1)
  expect(made.lastStep().error).toBe('caller_left')
})
