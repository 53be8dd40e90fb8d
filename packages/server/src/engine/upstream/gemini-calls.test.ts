// Gemini and the Responses API behind callers of other formats: log probabilities that only we asked for,
// and answers that are none.

import { describe, expect, test } from 'vitest'
import { openAiResponses } from '../../wire/openai-responses.js'
import { geminiStream, responsesStream } from '../../testing/recorded-streams.js'
import { configured } from '../../testing/example-config.js'
import { encodeGeminiAnswer } from '../../testing/gemini-answer.js'
import { chatAnswer, reply } from '../../testing/provider-answers.js'
import type { Script } from '../../testing/scripted-provider.js'
import { createTestEngine } from '../../testing/test-engine.js'
import type { ModelAnswer } from '../../wire/format.js'
import { NO_TOKENS } from '../../core/money/token-counts.js'

const TASKS = `
  support:
    degrade: []
    budget: { max_cost_usd: 1, max_output_tokens: 100, max_latency_ms: 120000 }
    retries: { max_attempts: 3 }
    route: { default: small-model, escalate_if: [{ condition: "confidence < 0.2", model: large-model }] }
`

const world = (chatWire: 'gemini' | 'openai-responses') =>
  createTestEngine({
    ...configured(TASKS),
    providers: { main: { chatWire }, spare: {}, claude: {} },
  })

const ANSWER: ModelAnswer = {
  id: 'resp_1',
  model: 'm',
  parts: [{ kind: 'text', text: 'Yes.' }],
  finishReason: 'stop',
  rawFinishReason: null,
  stopSequence: null,
  usage: {
    tokens: { ...NO_TOKENS, input: 9, output: 2 },
    providerTotals: { input: null, output: null, total: null },
  },
  logprobs: [{ token: 'Yes.', logprob: -0.05, top: [] }],
}

const streamed = (bytes: Buffer): Script => [
  { kind: 'head', status: 200, headers: { 'content-type': 'text/event-stream' } },
  { kind: 'data', chunk: bytes },
  { kind: 'end' },
]

describe('log probabilities that a rule reads', () => {
  test('are asked of Gemini, and stripped for a caller that did not ask', async () => {
    const made = world('gemini')
    made.provider('main').otherwise(() => reply(encodeGeminiAnswer(ANSWER)))
    const caller = await made.call({ task: 'support' })
    const sent = made.provider('main').requests[0]?.json['generationConfig']
    expect(sent).toMatchObject({ responseLogprobs: true })
    expect(caller.text).toContain('Yes.')
    expect(caller.text).not.toContain('"logprob"')
    expect(made.lastStep().unknownRules).toEqual([])
    const asking = await made.call({ task: 'support', body: { logprobs: true, top_logprobs: 2 } })
    expect(made.provider('main').requests[1]?.json['generationConfig']).toMatchObject({ logprobs: 2 })
    expect(asking.text).toContain('"logprob"')
  })

  test('are asked of the Responses API by callers of any format, and stripped again', async () => {
    const made = world('openai-responses')
    made.provider('main').otherwise(() => reply(openAiResponses.encodeAnswer(ANSWER, 1)))
    for (const wire of ['openai-chat', 'openai-responses'] as const) {
      const body = wire === 'openai-chat' ? {} : { input: 'Hi' }
      const caller = await made.call({ task: 'support', wire, body })
      const asked = made.provider('main').requests.at(-1)?.json['include']
      expect(asked).toContain('message.output_text.logprobs')
      expect(caller.status).toBe(200)
      expect(caller.text).not.toContain('"logprob"')
    }
  })

  test('are in no frame of a stream of responses, the last one included', async () => {
    const made = world('openai-responses')
    made.provider('main').otherwise(() => streamed(responsesStream('logprobs')))
    const body = { input: 'Hi', stream: true }
    const caller = await made.call({ task: 'support', wire: 'openai-responses', body })
    expect(caller.text).toContain('response.completed')
    expect(caller.text).not.toContain('"logprob"')
  })
})

describe('a call that Gemini could not write', () => {
  const malformed = {
    ...encodeGeminiAnswer({ ...ANSWER, parts: [], rawFinishReason: 'MALFORMED_FUNCTION_CALL' }),
  }

  test('is a failed attempt that is paid for, and tried again', async () => {
    const made = world('gemini')
    made.provider('main').next(reply(malformed))
    made.provider('main').otherwise(() => reply(encodeGeminiAnswer(ANSWER)))
    const caller = await made.call({ task: 'support' })
    expect(caller.text).toContain('Yes.')
    const [failed, answered] = made.lastStep().attempts
    expect(failed).toMatchObject({ end: 'invalid_body' })
    expect(failed?.tokens).toMatchObject({ input: 9 })
    expect(answered).toMatchObject({ end: 'ok' })
  })

  test('is one in a stream too, and no empty answer', async () => {
    const made = world('gemini')
    made.provider('main').next(streamed(geminiStream('malformed-call')))
    made.provider('main').otherwise(() => streamed(geminiStream('text')))
    made.provider('spare').otherwise(() => chatAnswer())
    await made.call({ task: 'support', body: { stream: true } })
    expect(made.lastStep().attempts.map(({ end }) => end)).toEqual(['stream_error', 'ok'])
  })
})
