// Bedrock behind callers of both formats: their requests, its answers and streams, read by the official
// clients as well.

import { describe, expect, test } from 'vitest'
import type { CallerWire } from '../../core/release/release.js'
import { eventFrame, exceptionFrame } from '../../testing/converse-frames.js'
import {
  CONVERSE_STREAMS,
  converseAnswer,
  converseEvents,
  converseStream,
} from '../../testing/recorded-streams.js'
import { readByAnthropic, readByOpenAi, translate } from '../../testing/translated-stream.js'
import { bedrockConverse } from '../bedrock-converse.js'
import { droppedHints } from '../dropped-hints.js'
import { formatOf } from '../formats.js'

const CALLERS: readonly CallerWire[] = ['openai-chat', 'anthropic-messages']
const MODEL = 'anthropic.claude-sonnet-4-5-20250929-v1:0'

const from = 'bedrock-converse'
const framesFor = (to: CallerWire, name: string) => translate([converseStream(name)], to, { from }).frames

describe('a stream for an OpenAI caller', () => {
  test('has an id, the text, and usage with the cached tokens counted in', async () => {
    expect(await readByOpenAi(framesFor('openai-chat', 'text'))).toMatchObject({
      id: 'made-up',
      model: 'asked-for',
      choices: [{ message: { content: 'Grüße, 😀' }, finish_reason: 'stop' }],
      usage: {
        prompt_tokens: 22,
        completion_tokens: 4,
        total_tokens: 26,
        prompt_tokens_details: { cached_tokens: 8 },
      },
    })
  })

  test('has its parallel calls', async () => {
    const completion = await readByOpenAi(framesFor('openai-chat', 'parallel-tools'))
    expect(completion.choices[0]).toMatchObject({
      finish_reason: 'tool_calls',
      message: {
        content: 'Looking.',
        tool_calls: [
          { id: 'tooluse_A1', function: { name: 'get_weather', arguments: '{"city": "Paris"}' } },
          { id: 'tooluse_B2', function: { name: 'get_time', arguments: '{}' } },
        ],
      },
    })
  })

  test('of the JSON tool is the JSON', async () => {
    const completion = await readByOpenAi(framesFor('openai-chat', 'json-tool'))
    expect(completion.choices[0]).toMatchObject({
      message: { content: '{"mood":"good"}' },
      finish_reason: 'stop',
    })
  })
})

describe('a stream for an Anthropic caller', () => {
  test('has an id, the text, and usage with the cached tokens apart', async () => {
    expect(await readByAnthropic(framesFor('anthropic-messages', 'text'))).toMatchObject({
      id: 'made-up',
      model: 'asked-for',
      content: [{ type: 'text', text: 'Grüße, 😀' }],
      stop_reason: 'end_turn',
      usage: { input_tokens: 14, cache_read_input_tokens: 8, output_tokens: 4 },
    })
  })

  test('has thinking with its signature', async () => {
    const message = await readByAnthropic(framesFor('anthropic-messages', 'reasoning'))
    expect(message).toMatchObject({ stop_reason: 'stop_sequence', stop_sequence: 'END' })
    expect(message.content).toContainEqual({
      type: 'thinking',
      thinking: 'Two and two.',
      signature: 'ErUBCkYIAxgCIkD0',
    })
  })

  test('has its parallel calls', async () => {
    const message = await readByAnthropic(framesFor('anthropic-messages', 'parallel-tools'))
    expect(message.content).toMatchObject([
      { type: 'text', text: 'Looking.' },
      { type: 'tool_use', id: 'tooluse_A1', name: 'get_weather', input: { city: 'Paris' } },
      { type: 'tool_use', id: 'tooluse_B2', name: 'get_time', input: {} },
    ])
    expect(message.stop_reason).toBe('tool_use')
  })
})

describe.each(CALLERS)('for a caller of %s', (to) => {
  test.each(CONVERSE_STREAMS)('%s: every split point gives the same frames', (name) => {
    const bytes = converseStream(name)
    const frames = framesFor(to, name)
    for (let at = 1; at < bytes.length; at += 3) {
      const chunks = [bytes.subarray(0, at), bytes.subarray(at)]
      expect(translate(chunks, to, { from }).frames).toBe(frames)
    }
  })

  test('a stream without its metadata ends, with its text', () => {
    const events = converseEvents('text').slice(0, -1)
    const chunks = events.map(([type, payload]) => eventFrame(type, payload))
    const { frames, scanner } = translate(chunks, to, { from })
    expect(scanner.facts.ended).toBe(true)
    expect(frames).toContain('Grüße')
    expect(frames).toMatch(/\[DONE\]|message_stop/)
  })

  test('a stream that breaks does not end', () => {
    const events = converseEvents('text').slice(0, 3)
    const chunks = events.map(([type, payload]) => eventFrame(type, payload))
    const broken = exceptionFrame('throttlingException', { message: 'Too many requests' })
    const { frames, scanner } = translate([...chunks, broken], to, { from })
    expect(scanner.facts).toMatchObject({ ended: false, error: { type: 'throttlingException' } })
    expect(frames).not.toMatch(/\[DONE\]|message_stop/)
  })

  test.each(['text', 'parallel-tools', 'reasoning', 'cache', 'guardrail', 'citations'])(
    'the answer %s is one of theirs',
    (name) => {
      const format = formatOf(to)
      const answer = bedrockConverse.decodeAnswer(converseAnswer(name))
      const theirs = answer === null ? null : format.readAnswer(format.encodeAnswer(answer, 1_700_000_000))
      const ours = bedrockConverse.readAnswer(converseAnswer(name))
      const { text, toolCalls, finishReason } = ours ?? {}
      expect(theirs).toMatchObject({ text, toolCalls, finishReason })
    },
  )
})

describe('a request', () => {
  const sent = (wire: CallerWire, body: object) => {
    const request = formatOf(wire).decodeRequest(body)
    const value = request.kind === 'ok' ? request.value : null
    return value === null ? request : bedrockConverse.encodeRequest({ ...value, model: MODEL })
  }

  test('of an OpenAI caller, tools and image included', () => {
    const body = {
      model: 'm',
      max_tokens: 50,
      messages: [
        { role: 'system', content: 'Be brief.' },
        {
          role: 'user',
          content: [
            { type: 'text', text: 'What is it?' },
            { type: 'image_url', image_url: { url: 'data:image/png;base64,AAAA' } },
          ],
        },
        {
          role: 'assistant',
          content: null,
          tool_calls: [{ id: 'c1', type: 'function', function: { name: 'look', arguments: '{"at":1}' } }],
        },
        { role: 'tool', tool_call_id: 'c1', content: 'A cat.' },
      ],
      tools: [
        { type: 'function', function: { name: 'look', parameters: { type: 'object', properties: {} } } },
      ],
      tool_choice: 'auto',
    }
    expect(sent('openai-chat', body)).toEqual({
      kind: 'ok',
      value: {
        system: [{ text: 'Be brief.' }],
        messages: [
          {
            role: 'user',
            content: [{ text: 'What is it?' }, { image: { format: 'png', source: { bytes: 'AAAA' } } }],
          },
          { role: 'assistant', content: [{ toolUse: { toolUseId: 'c1', name: 'look', input: { at: 1 } } }] },
          { role: 'user', content: [{ toolResult: { toolUseId: 'c1', content: [{ text: 'A cat.' }] } }] },
        ],
        inferenceConfig: { maxTokens: 50 },
        toolConfig: {
          tools: [{ toolSpec: { name: 'look', inputSchema: { json: { type: 'object', properties: {} } } } }],
          toolChoice: { auto: {} },
        },
      },
    })
  })

  test('of an Anthropic caller, cache marks and thinking included', () => {
    const body = {
      model: 'm',
      max_tokens: 50,
      system: [{ type: 'text', text: 'Be brief.', cache_control: { type: 'ephemeral', ttl: '1h' } }],
      messages: [
        { role: 'user', content: 'Hi' },
        {
          role: 'assistant',
          content: [
            { type: 'thinking', thinking: 'hm', signature: 's' },
            { type: 'text', text: 'Hello' },
          ],
        },
        { role: 'user', content: 'Bye' },
      ],
    }
    expect(sent('anthropic-messages', body)).toEqual({
      kind: 'ok',
      value: {
        system: [{ text: 'Be brief.' }, { cachePoint: { type: 'default', ttl: '1h' } }],
        messages: [
          { role: 'user', content: [{ text: 'Hi' }] },
          {
            role: 'assistant',
            content: [
              { reasoningContent: { reasoningText: { text: 'hm', signature: 's' } } },
              { text: 'Hello' },
            ],
          },
          { role: 'user', content: [{ text: 'Bye' }] },
        ],
        inferenceConfig: { maxTokens: 50 },
      },
    })
  })

  test('what it loses is named', () => {
    const body = { model: 'm', messages: [{ role: 'user', content: 'Hi' }], user: 'u-1', seed: 3 }
    const request = formatOf('openai-chat').decodeRequest(body)
    const value = request.kind === 'ok' ? request.value : null
    expect(value).not.toBe(null)
    if (value === null) return
    const lost = droppedHints({ body, request: value, from: 'openai-chat', to: 'bedrock-converse' })
    expect(lost).toEqual(expect.arrayContaining(['seed', 'user']))
  })
})
