// A provider whose streams are not server-sent events, behind callers whose are.

import { describe, expect, test } from 'vitest'
import { configured } from '../../testing/example-config.js'
import { eventFrame, exceptionFrame } from '../../testing/converse-frames.js'
import { converseAnswer, converseEvents, converseStream } from '../../testing/recorded-streams.js'
import { reply } from '../../testing/provider-answers.js'
import type { Script } from '../../testing/scripted-provider.js'
import { createTestEngine } from '../../testing/test-engine.js'

const TASKS = `
  support:
    degrade: []
    budget: { max_cost_usd: 1, max_output_tokens: 100, max_latency_ms: 120000 }
    retries: { max_attempts: 3 }
    route: { default: small-model }
`

const world = () =>
  createTestEngine({
    ...configured(TASKS),
    providers: { main: { chatWire: 'bedrock-converse' }, spare: {}, claude: {} },
  })

const HEAD = {
  kind: 'head',
  status: 200,
  headers: { 'content-type': 'application/vnd.amazon.eventstream' },
} as const
const streamed = (...chunks: readonly Buffer[]): Script => [
  HEAD,
  ...chunks.map((chunk) => ({ kind: 'data', chunk }) as const),
  { kind: 'end' },
]
const events = converseEvents('text').map(([type, payload]) => eventFrame(type, payload))
const ask = { task: 'support', body: { stream: true, stream_options: { include_usage: true } } }

describe('a stream', () => {
  test('reaches an OpenAI caller, is settled by its metadata, and has an id', async () => {
    const made = world()
    made.provider('main').next(streamed(converseStream('text')))
    const caller = await made.call(ask)
    expect(caller.frames.at(-1)).toBe('[DONE]')
    expect(caller.frames.at(-2)).toMatchObject({
      id: expect.stringMatching(/./),
      choices: [],
      usage: { prompt_tokens: 22, completion_tokens: 4, prompt_tokens_details: { cached_tokens: 8 } },
    })
    expect(caller.text).toContain('Grüße')
  })

  test('without its metadata is whole when the body ends', async () => {
    const made = world()
    made.provider('main').next(streamed(...events.slice(0, -1)))
    const caller = await made.call(ask)
    expect(caller.frames.at(-1)).toBe('[DONE]')
  })

  test('that ends before its stop is broken, and says so', async () => {
    const made = world()
    made.provider('main').next(streamed(...events.slice(0, 3)))
    const caller = await made.call(ask)
    expect(caller.frames.at(-1)).toMatchObject({ error: { code: 'upstream.failed' } })
    expect(caller.text).not.toContain('[DONE]')
  })

  test('that begins with an exception is followed by another attempt', async () => {
    const made = world()
    const refused = exceptionFrame('throttlingException', { message: 'Too many' })
    made.provider('main').next(streamed(refused), streamed(converseStream('text')))
    const caller = await made.call(ask)
    expect(caller.frames.at(-1)).toBe('[DONE]')
    expect(made.provider('main').requests).toHaveLength(2)
  })
})

test('a whole answer has an id and a model that Bedrock does not give', async () => {
  const made = world()
  made.provider('main').next(reply(converseAnswer('text')))
  const caller = await made.call({ task: 'support' })
  expect(JSON.parse(caller.text)).toMatchObject({
    id: expect.stringMatching(/./),
    model: expect.stringMatching(/./),
    usage: { prompt_tokens: 125, completion_tokens: 60 },
  })
})
