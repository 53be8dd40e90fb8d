// Callers of the Responses API, served by providers of other formats.

import { expect, test } from 'vitest'
import { configured } from '../testing/example-config.js'
import {
  brokenAfter,
  chatAnswer,
  chatFrames,
  chatStream,
  messagesStream,
} from '../testing/provider-answers.js'
import { valuesOf } from '../testing/recorded-streams.js'
import { readByResponses } from '../testing/responses-streams.js'
import { createTestEngine } from '../testing/test-engine.js'

const TASKS = `
  support:
    degrade: []
    budget: { max_cost_usd: 0.1, max_output_tokens: 500 }
    route: { default: small-model }
  claude:
    degrade: []
    budget: { max_cost_usd: 1, max_output_tokens: 500 }
    route: { default: claude-model }
`
const world = () => createTestEngine(configured(TASKS))
const ASK = { messages: undefined, input: 'What is the capital of France?', instructions: 'Be brief.' }
const wire = 'openai-responses' as const

test('an answer of a chat provider is a whole response, metered like every other', async () => {
  const made = world()
  made.provider('main').next(chatAnswer())
  const caller = await made.call({ task: 'support', wire, body: ASK })
  expect(caller.status).toBe(200)
  expect(caller.json).toMatchObject({
    object: 'response',
    status: 'completed',
    instructions: 'Be brief.',
    output: [{ type: 'message', status: 'completed', content: [{ type: 'output_text' }] }],
    spillway: { cost_usd: 0.000056, task: { id: 'task_000001' } },
  })
  expect(made.provider('main').requests[0]?.json['messages']).toEqual([
    { role: 'system', content: 'Be brief.' },
    { role: 'user', content: 'What is the capital of France?' },
  ])
})

test.each([
  ['support', 'main', chatStream()],
  ['claude', 'claude', messagesStream()],
])(
  'a stream for %s is read by the official client, and says what it cost',
  async (task, provider, script) => {
    const made = world()
    made.provider(provider).next(script)
    const caller = await made.call({ task, wire, body: { ...ASK, stream: true } })
    const { response, said, sequence } = await readByResponses(caller.text)
    expect(sequence).toEqual([...sequence.keys()])
    expect(response.status).toBe('completed')
    expect(response.output_text).toBe(said.text)
    expect(said.text).not.toBe('')
    expect(response).toMatchObject({ spillway: { task: { id: 'task_000001' } } })
  },
)

test('a stream that breaks ends with a numbered error that the client throws', async () => {
  const made = world()
  const [first = '', second = '', third = ''] = chatFrames()
  made.provider('main').next(brokenAfter([first, second, third], [{ kind: 'end' }]))
  const caller = await made.call({ task: 'support', wire, body: { ...ASK, stream: true } })
  const events = valuesOf(caller.text)
  expect(events.map((event) => event['sequence_number'])).toEqual([...events.keys()])
  expect(events.at(-1)).toMatchObject({ type: 'error', error: { code: 'upstream.failed' } })
  await expect(readByResponses(caller.text)).rejects.toThrow(/broke off/)
})

test('what cannot cross is refused by name before anything is sent', async () => {
  const made = world()
  const caller = await made.call({ task: 'support', wire, body: { ...ASK, tools: [{ type: 'web_search' }] } })
  expect(caller.status).toBe(400)
  expect(caller.json).toMatchObject({ error: { type: 'invalid_request_error', param: 'tools[0].type' } })
  expect(made.provider('main').requests).toEqual([])
})
