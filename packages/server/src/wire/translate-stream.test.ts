// Streams across formats, read by the official clients as well.

import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { CallerWire } from '../core/release/release.js'
import { anthropicStream, openAiStream, valuesOf } from '../testing/recorded-streams.js'
import {
  ANTHROPIC_NAMES,
  OPENAI_NAMES,
  readByAnthropic,
  readByOpenAi,
  toAnthropic,
  toOpenAi,
  translate,
} from '../testing/translated-stream.js'
import { formatOf } from './formats.js'

/** Positions and indexes of a Messages stream's events, as the format prescribes them. */
function expectOrdered(frames: string): void {
  const events = valuesOf(frames)
  const types = events.map((event) => event['type'])
  expect(types[0]).toBe('message_start')
  expect(types.filter((type) => type === 'message_start')).toHaveLength(1)
  expect(types.slice(-2)).toEqual(['message_delta', 'message_stop'])
  // One block after the other, each whole: start, deltas, stop, all with the same index, from 0.
  const blocks = events.slice(1, -2).map((event) => `${String(event['type'])}:${String(event['index'])}`)
  const count = types.filter((type) => type === 'content_block_start').length
  const whole = Array.from(
    { length: count },
    (_, index) =>
      String.raw`content_block_start:${index} (content_block_delta:${index} )*content_block_stop:${index} `,
  )
  expect(`${blocks.join(' ')} `).toMatch(new RegExp(`^${whole.join('')} ?$`))
}

const WEATHER = [
  { type: 'tool_use', id: 'call_A1', name: 'get_weather', input: { city: 'Paris' } },
  { type: 'tool_use', id: 'call_B2', name: 'get_weather', input: { city: 'Rome' } },
]
describe('an OpenAI stream for an Anthropic caller', () => {
  test.each(OPENAI_NAMES)('%s: events come in the prescribed order', (name) => {
    expectOrdered(toAnthropic(name).frames)
  })

  test('text, id, model and usage arrive', async () => {
    const message = await readByAnthropic(toAnthropic('text').frames)
    expect(message).toMatchObject({
      id: 'chatcmpl-B9MHDbslfkBeAs8l4bebGdFOJ6PeG',
      model: 'asked-for',
      content: [{ type: 'text', text: 'Grüße, "usage": 😀' }],
      stop_reason: 'end_turn',
      usage: { input_tokens: 11, cache_read_input_tokens: 8, output_tokens: 4 },
    })
  })

  test.each([
    'parallel-tools',
    'interleaved-tools',
    'parallel-tools-all-index-zero',
    'parallel-tools-without-index',
  ])('%s: both calls arrive whole, however the provider numbered them', async (name) => {
    const message = await readByAnthropic(toAnthropic(name).frames)
    expect(message.content).toMatchObject(WEATHER)
    expect(message.stop_reason).toBe('tool_use')
  })

  test('unsigned reasoning does not become thinking that could not be sent back', async () => {
    const message = await readByAnthropic(toAnthropic('usage-in-last-content-chunk').frames)
    expect(message.content).toMatchObject([{ type: 'text', text: 'Hi!' }])
  })

  test('a refusal is text with its own stop reason', async () => {
    const message = await readByAnthropic(toAnthropic('refusal').frames)
    expect(message).toMatchObject({
      content: [{ type: 'text', text: "I can't help." }],
      stop_reason: 'refusal',
    })
  })

  test('message_delta and message_stop wait for the books, and carry what is spliced in', () => {
    const { passed, kept } = toAnthropic('text', { extra: { cost_usd: 2 } })
    expect(passed).not.toContain('message_delta')
    expect(valuesOf(kept)).toMatchObject([
      { type: 'message_delta', spillway: { cost_usd: 2 } },
      { type: 'message_stop' },
    ])
  })
})

describe('an Anthropic stream for an OpenAI caller', () => {
  test.each(ANTHROPIC_NAMES)('%s: one identity, the role once, usage once and last, null before', (name) => {
    const chunks = valuesOf(toOpenAi(name).frames)
    expect(chunks.at(-1)).toEqual({ done: true })
    const usage = chunks.at(-2)
    expect(usage).toMatchObject({ choices: [], usage: { prompt_tokens: expect.any(Number) } })
    const others = chunks.slice(0, -2) as { usage: unknown; choices: { delta: { role?: string } }[] }[]
    expect(others.every((chunk) => chunk.usage === null)).toBe(true)
    expect(others.map((chunk) => chunk.choices[0]?.delta.role).filter(Boolean)).toEqual(['assistant'])
    expect(
      new Set(
        chunks.slice(0, -1).map((chunk) => JSON.stringify([chunk['id'], chunk['created'], chunk['model']])),
      ).size,
    ).toBe(1)
  })

  test('without being asked for, usage does not appear at all', () => {
    const { frames, scanner } = toOpenAi('text', { keepUsage: false })
    expect(frames).not.toContain('usage')
    expect(scanner.facts.usage?.tokens).toMatchObject({ input: 25, cacheRead: 40, output: 15 })
  })

  test('text and usage arrive, cached tokens counted into the prompt', async () => {
    const completion = await readByOpenAi(toOpenAi('text').frames)
    expect(completion).toMatchObject({
      id: 'msg_01XFDUDYJgAACzvnptvVoYEL',
      model: 'asked-for',
      created: 1_700_000_000,
      choices: [{ message: { content: 'Grüße, 😀' }, finish_reason: 'stop' }],
      usage: {
        prompt_tokens: 165,
        completion_tokens: 15,
        total_tokens: 180,
        prompt_tokens_details: { cached_tokens: 40 },
      },
    })
  })

  test('calls have distinct indexes, id and name once, and `{}` where there are no arguments', async () => {
    const { frames } = toOpenAi('thinking-and-tools')
    const deltas = valuesOf(frames).flatMap((chunk) =>
      (
        (chunk['choices'] as { delta: { tool_calls?: { index: number; id?: string }[] } }[] | undefined) ?? []
      ).flatMap((choice) => choice.delta.tool_calls ?? []),
    )
    expect(deltas.map((delta) => [delta.index, delta.id])).toEqual([
      [0, 'toolu_01A'],
      [0, undefined],
      [0, undefined],
      [1, 'toolu_01B'],
      [1, undefined],
    ])
    const completion = await readByOpenAi(frames)
    expect(completion.choices[0]).toMatchObject({
      finish_reason: 'tool_calls',
      message: {
        content: 'Looking.',
        tool_calls: [
          { id: 'toolu_01A', function: { name: 'get_weather', arguments: '{"city": "Paris"}' } },
          { id: 'toolu_01B', function: { name: 'get_time', arguments: '{}' } },
        ],
      },
    })
    expect(frames).toContain('"reasoning_content":"Two cities."')
  })

  test('the JSON tool streams as text and ends with stop', async () => {
    const completion = await readByOpenAi(toOpenAi('json-tool').frames)
    expect(completion.choices[0]).toMatchObject({
      message: { content: '{"mood":"good"}' },
      finish_reason: 'stop',
    })
  })

  test('an explained refusal arrives as one', async () => {
    const completion = await readByOpenAi(toOpenAi('refusal').frames)
    expect(completion.choices[0]).toMatchObject({
      message: { content: 'I ', refusal: 'This cannot be answered.' },
      finish_reason: 'stop',
    })
  })
})

describe('in both directions', () => {
  const all: readonly (readonly [string, CallerWire, Buffer])[] = [
    ...OPENAI_NAMES.map((name) => [name, 'anthropic-messages', openAiStream(name)] as const),
    ...ANTHROPIC_NAMES.map((name) => [name, 'openai-chat', anthropicStream(name)] as const),
  ]

  test('every split point gives the same frames', () => {
    const telling = new Set([
      'text',
      'interleaved-tools',
      'keep-alive-comments',
      'thinking-and-tools',
      'json-tool',
      'citations',
      'annotations',
    ])
    for (const [, to, bytes] of all.filter(([name]) => telling.has(name))) {
      const { frames } = translate([bytes], to)
      for (let at = 1; at < bytes.length; at += 1) {
        expect(translate([bytes.subarray(0, at), bytes.subarray(at)], to).frames).toBe(frames)
      }
    }
  })

  test('a stream cut anywhere before its end marker never ends cleanly', () => {
    for (const [, to, bytes] of all) {
      const last = to === 'anthropic-messages' ? bytes.indexOf('[DONE]') : bytes.lastIndexOf('}')
      for (let at = 0; at < last; at += 7) {
        const { frames, scanner } = translate([bytes.subarray(0, at)], to)
        expect(scanner.facts.ended).toBe(false)
        expect(frames).not.toMatch(/\[DONE\]|message_stop/)
      }
    }
  })

  test('an upstream error does not pass; the facts hold it', () => {
    const { frames, scanner } = toOpenAi('overloaded')
    expect(frames).not.toContain('overloaded')
    expect(scanner.facts).toMatchObject({ ended: false, error: { type: 'overloaded_error' } })
    expect(toAnthropic('error-in-band').scanner.facts.error?.type).toBe('server_error')
    expect(toAnthropic('network-lost').scanner.facts.malformed).toBe(true)
  })

  test('a translated stream can be cut properly', async () => {
    const openAi = openAiStream('parallel-tools')
    const cutCall = translate([openAi.subarray(0, openAi.indexOf('call_B2'))], 'anthropic-messages')
    const cut = cutCall.passed + formatOf('anthropic-messages').cutFrames(cutCall.scanner)
    expectOrdered(cut)
    expect((await readByAnthropic(cut)).stop_reason).toBe('max_tokens')
    const anthropic = anthropicStream('text')
    const cutText = translate(
      [anthropic.subarray(0, anthropic.indexOf('event: content_block_stop'))],
      'openai-chat',
    )
    const completed = await readByOpenAi(
      cutText.passed + formatOf('openai-chat').cutFrames(cutText.scanner),
    ).catch((error: unknown) => error)
    // The client reports the limit as an error of its own kind: it saw a proper end.
    expect(JSON.stringify(completed) + String(completed)).toMatch(/length/i)
  })

  test('confidence and text of the source are collected although the target has no log probabilities', () => {
    const { scanner } = toAnthropic('logprobs', { collect: true })
    expect(scanner.facts.meanTokenProbability).toBeCloseTo(Math.exp(-0.2), 10)
    expect(scanner.facts.text).toBe('Yes.')
  })

  test('random garbage never throws and never ends a stream', () => {
    const piece = fc.oneof(
      fc.string(),
      fc.constantFrom(
        'data: {"choices":[{"delta":{"tool_calls":[{}]}}]}\n\n',
        'data: {"type":"content_block_delta"}\n\n',
        'data: {"type":"content_block_start","content_block":{"type":"redacted_thinking"}}\n\n',
        'data: {"type":"content_block_delta","delta":{"type":"citations_delta","citation":{}}}\n\n',
        'data: {"type":"content_block_delta","delta":{"type":"text_delta","text":"a"}}\n\n',
        'data: {"type":"content_block_delta","delta":{"type":"thinking_delta","thinking":"a"}}\n\n',
        'data: {"choices":[{"delta":{"content":"a"},"logprobs":{"content":[{}]}}]}\n\n',
        'data: {"choices":[{"delta":{"content":"a","annotations":[{}]}}]}\n\n',
        'data: {"type":"message_delta","delta":{"stop_reason":"end_turn"}}\n\n',
        '\n\n',
        '{"error":1}',
      ),
    )
    const clean = piece.filter((text) => !/DONE|message_stop/.test(text))
    fc.assert(
      fc.property(
        fc.array(clean),
        fc.constantFrom<CallerWire>('openai-chat', 'anthropic-messages'),
        (pieces, to) => {
          const { frames, scanner } = translate(
            pieces.map((text) => Buffer.from(text)),
            to,
          )
          expect(scanner.facts.ended).toBe(false)
          expect(frames).not.toMatch(/\[DONE\]|message_stop/)
        },
      ),
      { numRuns: 300 },
    )
  })
})

test('a response that may be gone on from has a name of ours: some servers number theirs from 1 to 999', () => {
  const chunk = { id: 'chatcmpl-123', object: 'chat.completion.chunk', created: 1, model: 'm' }
  const frames = [{ delta: { role: 'assistant', content: 'a' }, finish_reason: null }].map((choice) =>
    Buffer.from(`data: ${JSON.stringify({ ...chunk, choices: [{ index: 0, ...choice }] })}\n\n`),
  )
  expect(translate(frames, 'openai-responses', { from: 'openai-chat' }).frames).toContain('"resp_made-up"')
  expect(translate(frames, 'anthropic-messages', { from: 'openai-chat' }).frames).toContain('"chatcmpl-123"')
})
