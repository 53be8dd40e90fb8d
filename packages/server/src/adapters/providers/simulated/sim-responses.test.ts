// The simulator's responses route: read by the official client, and compared with recorded events.

import OpenAI from 'openai'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createLiveSystem } from '../../system/live-system.js'
import { responsesStream, valuesOf } from '../../../testing/recorded-streams.js'
import { accumulated } from '../../../testing/responses-streams.js'
import { QUESTION, simulationWith } from '../../../testing/simulation-examples.js'
import { type SimServer, startSimServer } from './sim-server.js'

let server: SimServer
let openai: OpenAI
beforeAll(async () => {
  server = await startSimServer({ port: 0, simulation: simulationWith(), system: createLiveSystem() })
  openai = new OpenAI({ apiKey: 'sk-test', baseURL: `${server.url}/v1`, maxRetries: 0 })
})
afterAll(() => server.close())

const ask = { model: 'gpt-4o-mini', input: QUESTION, temperature: 0 }
const ORDER = { type: 'object', properties: { order: { type: 'integer' } }, required: ['order'] }
const TOOL = { type: 'function' as const, name: 'find', strict: false, parameters: ORDER }
const FORCED = { ...ask, tools: [TOOL], tool_choice: 'required' as const, parallel_tool_calls: false }

async function framesOf(body: object, orders = ''): Promise<string> {
  const answered = await fetch(`${server.url}/v1/responses`, {
    method: 'POST',
    headers: { authorization: 'Bearer k', 'x-sim': orders },
    body: JSON.stringify({ ...body, stream: true }),
  })
  return answered.text()
}

describe('whole', () => {
  test('it repeats the question and says what it used', async () => {
    const metadata = { page: '7' }
    const response = await openai.responses.create({ ...ask, instructions: 'Be brief.', metadata })
    expect(response).toMatchObject({ object: 'response', status: 'completed', error: null, store: true })
    expect(response).toMatchObject({ instructions: 'Be brief.', metadata, temperature: 0, tools: [] })
    const input = Math.ceil(Buffer.byteLength(QUESTION + 'Be brief.') / 4)
    expect(response.usage).toMatchObject({
      input_tokens: input,
      output_tokens: 48,
      total_tokens: input + 48,
      output_tokens_details: { reasoning_tokens: 0 },
    })
    expect(response.id).toMatch(/^resp_[0-9a-f]{48}$/)
    expect(response.output.map(({ id }) => id?.slice(0, 4))).toEqual(['msg_'])
  })

  test('it says what chat completions say to the same conversation, for as many tokens', async () => {
    const called = await openai.responses.create(FORCED)
    const [call] = called.output
    if (call?.type !== 'function_call') throw new Error('no call')
    const output = '{"status":"sent"}'
    const answered = await openai.responses.create({
      ...FORCED,
      input: [
        { role: 'user', content: QUESTION },
        call,
        { type: 'function_call_output', call_id: call.call_id, output },
      ],
    })
    const { name, arguments: given, call_id: id } = call
    const chat = await openai.chat.completions.create({
      model: ask.model,
      temperature: 0,
      tools: [{ type: 'function', function: { name: 'find', parameters: ORDER } }],
      messages: [
        { role: 'user', content: QUESTION },
        {
          role: 'assistant',
          tool_calls: [{ id, type: 'function', function: { name, arguments: given } }],
        },
        { role: 'tool', tool_call_id: id, content: output },
      ],
    })
    expect(answered.output_text).toBe(chat.choices[0]?.message.content)
    expect(answered.usage?.input_tokens).toBe(chat.usage?.prompt_tokens)
    expect(answered.usage?.output_tokens).toBe(chat.usage?.completion_tokens)
  })

  test('a limit leaves it incomplete', async () => {
    const response = await openai.responses.create({ ...ask, max_output_tokens: 16 })
    expect(response).toMatchObject({
      status: 'incomplete',
      incomplete_details: { reason: 'max_output_tokens' },
      output: [{ status: 'incomplete' }],
      usage: { output_tokens: 16 },
    })
  })

  test('JSON follows its schema, and log probabilities come when they are asked for', async () => {
    const format = { type: 'json_schema' as const, name: 'order', schema: ORDER }
    const response = await openai.responses.create({
      ...ask,
      text: { format },
      top_logprobs: 2,
      include: ['message.output_text.logprobs'],
    })
    expect(JSON.parse(response.output_text)).toEqual({ order: expect.any(Number) })
    expect(response.text).toMatchObject({ format, verbosity: 'medium' })
    const [message] = response.output
    const [part] = message?.type === 'message' ? message.content : []
    const logprobs = part?.type === 'output_text' ? (part.logprobs ?? []) : []
    expect(logprobs.map(({ token }) => token).join('')).toBe(response.output_text)
    expect(logprobs.map(({ top_logprobs: top }) => top.length)).toEqual(logprobs.map(() => 2))
  })
})

describe('streamed', () => {
  test.each([
    ['text', ask, 'text'],
    ['a call', FORCED, 'reasoning-and-calls'],
    ['what a limit cut', { ...ask, max_output_tokens: 16 }, 'incomplete'],
  ])('%s: the client puts together what was said whole, event by event', async (_, body, recorded) => {
    const whole = await openai.responses.create(body)
    const frames = await framesOf(body)
    const { grown, final } = accumulated(frames)
    expect(grown?.output).toEqual(final.output)
    expect(final.usage).toEqual(whole.usage)
    expect(final.output_text).toEqual(whole.output_text)
    const events = valuesOf(frames)
    expect(events.map((event) => event['sequence_number'])).toEqual([...events.keys()])
    const known = shapesOf(valuesOf(responsesStream(recorded).toString('utf8')))
    for (const [type, keys] of shapesOf(events)) {
      expect([type, keys]).toEqual([type, expect.arrayContaining(known.get(type) ?? ['recorded'])])
    }
  })

  test('deltas are padded unless the caller does not want it', async () => {
    expect(await framesOf(ask)).toContain('"obfuscation":"')
    expect(await framesOf({ ...ask, stream_options: { include_obfuscation: false } })).not.toContain(
      'obfuscation',
    )
  })

  test('a failure in the middle is a numbered error, or a cut connection', async () => {
    const events = valuesOf(await framesOf(ask, 'in_band_error=3'))
    expect(events.at(-1)).toMatchObject({
      type: 'error',
      sequence_number: events.length - 1,
      error: { type: 'server_error', message: expect.stringContaining('had an error') },
    })
    await expect(framesOf(ask, 'broken_after=3')).rejects.toThrow(/terminated/)
  })
})

/** Keys of each kind of event, of the item or part in it too. */
function shapesOf(events: readonly Record<string, unknown>[]): Map<string, string[]> {
  return new Map(
    events
      .filter(({ item }) => (item as { type?: string } | undefined)?.type !== 'reasoning')
      .map((event) => {
        const inside = Object.keys(event['item'] ?? event['part'] ?? {})
        return [String(event['type']), [...Object.keys(event), ...inside].toSorted()]
      }),
  )
}

describe('refused as the API would', () => {
  test.each([
    [{ max_output_tokens: 5 }, { param: 'max_output_tokens', code: 'integer_below_min_value' }],
    [{ previous_response_id: 'resp_1' }, { code: 'previous_response_not_found' }],
    [{ include: ['reasoning.encrypted_content' as const] }, { param: 'include', code: null }],
    [{ input: [] }, { param: 'input' }],
    [{ input: [{ type: 'nonsense' }] }, { param: 'input[0].type', code: 'invalid_value' }],
    [{ input: [{ role: 'tool', content: '' }] }, { param: 'input[0].role', code: 'invalid_value' }],
  ])('%j', async (more, told) => {
    const asked = openai.responses.create({ ...ask, ...more } as typeof ask)
    await expect(asked).rejects.toMatchObject({ status: 400, type: 'invalid_request_error', ...told })
  })

  test('reasoning models may be asked for encrypted reasoning', async () => {
    const include = ['reasoning.encrypted_content' as const]
    const response = await openai.responses.create({ ...ask, model: 'gpt-5-mini', include })
    expect(response.status).toBe('completed')
  })

  test('faults are ordered and counted as on the other routes', async () => {
    const headers = { 'x-sim': 'status=429; retry_after=2' }
    const asked = openai.responses.create({ ...ask, model: 'counted' }, { headers })
    await expect(asked).rejects.toBeInstanceOf(OpenAI.RateLimitError)
    await openai.responses.create({ ...ask, model: 'counted' })
    await framesOf({ ...ask, model: 'counted' })
    const counted = server.stats().models['counted']
    expect(counted).toMatchObject({
      requests: 3,
      answered: 2,
      faults: { throttle: 1 },
      output_tokens: { reported: 96, unreported: 0 },
    })
  })
})
