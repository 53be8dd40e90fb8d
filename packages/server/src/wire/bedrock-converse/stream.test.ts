// ConverseStreams as the stages see them (facts) and as our events.

import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { converseFrames, errorFrame, eventFrame, exceptionFrame } from '../../testing/converse-frames.js'
import { CONVERSE_STREAMS, converseEvents, converseStream } from '../../testing/recorded-streams.js'
import { NO_TOKENS } from '../../core/money/token-counts.js'
import { bedrockConverse } from '../bedrock-converse.js'
import type { StreamEvent } from '../stream-event.js'

function read(chunks: readonly Uint8Array[]) {
  const scanner = bedrockConverse.scanner({ keepUsage: true, keepLogprobs: true, collect: true })
  const decoder = bedrockConverse.decoder()
  const events: StreamEvent[] = []
  for (const chunk of chunks) {
    expect(scanner.push(chunk)).toBe(null)
    events.push(...decoder.push(chunk))
  }
  scanner.endOfBody?.()
  if (scanner.facts.ended) events.push(...(decoder.finish?.() ?? []))
  return { facts: scanner.facts, events }
}

const kinds = (events: readonly StreamEvent[]) => events.map(({ kind }) => kind)

describe('a stream', () => {
  test('of text: deltas, usage with the cache apart, and an end at the metadata', () => {
    const { facts, events } = read([converseStream('text')])
    expect(facts).toMatchObject({ ended: true, error: null, malformed: false, deltas: 2 })
    expect(facts).toMatchObject({ finishReason: 'stop', text: 'Grüße, 😀' })
    expect(facts.usage).toMatchObject({
      tokens: { input: 14, cacheRead: 8, cacheWrite: 0, output: 4 },
      providerTotals: { input: 22, output: 4, total: 26 },
    })
    expect(kinds(events)).toEqual(['start', 'text-delta', 'text-delta', 'finish', 'usage', 'end'])
  })

  test('of parallel calls: each with its arguments, `{}` where there are none', () => {
    const { facts, events } = read([converseStream('parallel-tools')])
    expect(facts.toolCalls).toEqual([
      { id: 'tooluse_A1', name: 'get_weather', argumentsJson: '{"city": "Paris"}' },
      { id: 'tooluse_B2', name: 'get_time', argumentsJson: '{}' },
    ])
    expect(events.filter(({ kind }) => kind === 'tool-call-start')).toEqual([
      { kind: 'tool-call-start', index: 1, id: 'tooluse_A1', name: 'get_weather' },
      { kind: 'tool-call-start', index: 2, id: 'tooluse_B2', name: 'get_time' },
    ])
    expect(facts.finishReason).toBe('tool-calls')
  })

  test('of reasoning: text, signature, what is encrypted, a citation, the stop sequence', () => {
    const { facts, events } = read([converseStream('reasoning')])
    expect(events).toEqual([
      { kind: 'start', id: '', model: '', usage: null },
      { kind: 'reasoning-delta', text: 'Two and ' },
      { kind: 'reasoning-delta', text: 'two.' },
      { kind: 'reasoning-signature', signature: 'ErUBCkYIAxgCIkD0' },
      { kind: 'reasoning-redacted', data: 'RW1zS0RRZ0NFQUE=' },
      { kind: 'text-delta', text: 'Four.' },
      {
        kind: 'citation',
        citation: {
          citedText: 'Four',
          title: 'Sums',
          url: null,
          documentIndex: 0,
          location: { unit: 'char', start: 0, end: 4 },
          span: null,
        },
      },
      { kind: 'finish', reason: 'stop', raw: 'stop_sequence', stopSequence: 'END' },
      { kind: 'usage', usage: facts.usage },
      { kind: 'end' },
    ])
    expect(facts.deltas).toBe(4)
    expect(facts.usage?.tokens).toMatchObject({ input: 46, cacheWrite: 200, cacheWrite1h: 1000, output: 31 })
  })

  test('of the JSON tool is text that ends with stop', () => {
    const { facts } = read([converseStream('json-tool')])
    expect(facts).toMatchObject({ text: '{"mood":"good"}', finishReason: 'stop', toolCalls: [] })
  })

  test('of the tool that stands in for none has no call in it', () => {
    const start = { toolUse: { toolUseId: 't', name: 'spillway_no_tool' } }
    const frames = [
      eventFrame('messageStart', { role: 'assistant' }),
      eventFrame('contentBlockStart', { contentBlockIndex: 0, start }),
      eventFrame('contentBlockDelta', { contentBlockIndex: 0, delta: { toolUse: { input: '{}' } } }),
      eventFrame('contentBlockStop', { contentBlockIndex: 0 }),
      eventFrame('messageStop', { stopReason: 'tool_use' }),
      eventFrame('metadata', {}),
    ]
    const { facts, events } = read(frames)
    expect(kinds(events)).toEqual(['start', 'finish', 'end'])
    expect(facts).toMatchObject({ finishReason: 'stop', toolCalls: [], deltas: 1 })
  })

  test('stopped by a guardrail is a refusal', () => {
    const { facts, events } = read([converseStream('guardrail')])
    expect(facts.finishReason).toBe('refusal')
    expect(events).toContainEqual({
      kind: 'finish',
      reason: 'refusal',
      raw: 'guardrail_intervened',
      stopSequence: null,
    })
  })

  test('passes over events and deltas that nobody knows yet', () => {
    const frames = [
      eventFrame('messageStart', { role: 'assistant' }),
      eventFrame('weather', { sunny: true }),
      eventFrame('contentBlockDelta', { contentBlockIndex: 0, delta: { image: { source: { bytes: '' } } } }),
      eventFrame('messageStop', { stopReason: 'song' }),
      eventFrame('metadata', {}),
    ]
    expect(read(frames).facts).toMatchObject({ ended: true, finishReason: 'other', usage: null })
  })
})

describe('the end', () => {
  const events = converseEvents('text').map(([type, payload]) => eventFrame(type, payload))

  test('is not the stop: the usage is still to come', () => {
    const scanner = bedrockConverse.scanner({ keepUsage: true, keepLogprobs: true, collect: false })
    for (const frame of events.slice(0, -1)) scanner.push(frame)
    expect(scanner.facts).toMatchObject({ ended: false, finishReason: 'stop', usage: null })
    scanner.push(events.at(-1) ?? Buffer.alloc(0))
    expect(scanner.facts.ended).toBe(true)
  })

  test('is the end of the body when the answer has stopped: whole, without its usage', () => {
    const { facts, events: found } = read(events.slice(0, -1))
    expect(facts).toMatchObject({ ended: true, usage: null, text: 'Grüße, 😀' })
    expect(kinds(found).slice(-2)).toEqual(['finish', 'end'])
  })

  test('is not the end of the body in the middle of the metadata', () => {
    const cut = (events.at(-1) ?? Buffer.alloc(0)).subarray(0, -1)
    expect(read([...events.slice(0, -1), cut]).facts.ended).toBe(false)
  })

  test('is not there when the body ends before the stop', () => {
    const { facts, events: found } = read(events.slice(0, -2))
    expect(facts).toMatchObject({ ended: false, error: null, malformed: false })
    expect(kinds(found)).not.toContain('end')
  })
})

test('what comes behind the end changes nothing', () => {
  const stream = converseStream('text')
  const { facts, events } = read([Buffer.concat([stream, stream])])
  expect(facts).toEqual(read([stream]).facts)
  expect(kinds(events).filter((kind) => kind === 'end')).toHaveLength(1)
})

describe('a broken stream', () => {
  const begun = converseEvents('text')
    .slice(0, 3)
    .map(([type, payload]) => eventFrame(type, payload))

  test.each([
    'internalServerException',
    'modelStreamErrorException',
    'serviceUnavailableException',
    'throttlingException',
    'validationException',
  ])('by %s says so and does not end', (type) => {
    const frame = exceptionFrame(type, { message: 'Not now.' })
    const { facts, events } = read([...begun, frame, converseStream('text')])
    const error = { type, code: null, message: 'Not now.' }
    expect(facts).toMatchObject({ ended: false, error, deltas: 2 })
    expect(events.at(-1)).toEqual({ kind: 'error', error })
  })

  test('by an error of the framing', () => {
    const { facts } = read([...begun, errorFrame('InternalFailure', 'Gone.')])
    expect(facts.error).toEqual({ type: 'InternalFailure', code: null, message: 'Gone.' })
  })

  test('after its stop has not ended', () => {
    const stopped = [...begun, eventFrame('messageStop', { stopReason: 'end_turn' })]
    const { facts } = read([...stopped, exceptionFrame('throttlingException', { message: 'Not now.' })])
    expect(facts).toMatchObject({ ended: false, error: { type: 'throttlingException' } })
  })

  test('by a wrong checksum is malformed, and the decoder says so', () => {
    const damaged = Buffer.from(converseStream('text'))
    damaged[damaged.length - 1] = (damaged[damaged.length - 1] ?? 0) ^ 1
    const { facts, events } = read([damaged])
    expect(facts).toMatchObject({ ended: false, malformed: true })
    expect(events.at(-1)).toMatchObject({ kind: 'error', error: { type: 'invalid_stream' } })
  })

  test('a page with status 200 is malformed', () => {
    expect(read([Buffer.from('<html>Bad gateway</html>')]).facts).toMatchObject({ malformed: true })
  })

  test('usage that cannot be is no usage', () => {
    const usage = { inputTokens: -4, outputTokens: 2, totalTokens: 3 }
    const frames = [eventFrame('messageStop', { stopReason: 'end_turn' }), eventFrame('metadata', { usage })]
    expect(read(frames).facts).toMatchObject({ ended: true, usage: null })
  })
})

describe('in whatever chunks', () => {
  test.each(CONVERSE_STREAMS)('%s: every split point gives the same', (name) => {
    const bytes = converseStream(name)
    const whole = read([bytes])
    for (let at = 1; at < bytes.length; at += 1) {
      expect(read([bytes.subarray(0, at), bytes.subarray(at)])).toEqual(whole)
    }
  })

  test.each(CONVERSE_STREAMS)('%s: cut before its stop it never ends', (name) => {
    const events = converseEvents(name).map(([type, payload]) => eventFrame(type, payload))
    const stop = Buffer.concat(events.slice(0, -1)).length
    const bytes = converseStream(name)
    for (let at = 0; at < stop; at += 1) {
      const { facts, events: found } = read([bytes.subarray(0, at)])
      expect(facts.ended).toBe(false)
      expect(kinds(found)).not.toContain('end')
    }
  })

  test('fuzzed streams never hang, throw, or end as complete', () => {
    const damage = fc.record({ at: fc.nat(), to: fc.nat(255) })
    const name = fc.constantFrom(...CONVERSE_STREAMS)
    fc.assert(
      fc.property(
        name,
        fc.array(damage, { minLength: 1, maxLength: 5 }),
        fc.integer({ min: 1, max: 99 }),
        (one, changes, size) => {
          const original = converseStream(one)
          const bytes = Buffer.from(original)
          for (const { at, to } of changes) bytes[at % bytes.length] = to
          const chunks = []
          for (let at = 0; at < bytes.length; at += size) chunks.push(bytes.subarray(at, at + size))
          const { facts } = read(chunks)
          expect(facts.ended).toBe(bytes.equals(original))
        },
      ),
    )
  })
})

test('our events survive framing and reading', () => {
  const text = fc.string({ minLength: 1, unit: 'grapheme' })
  const name = fc.stringMatching(/^[a-z]{1,8}$/)
  const data = fc
    .uint8Array({ minLength: 1, maxLength: 9 })
    .map((bytes) => Buffer.from(bytes).toString('base64'))
  const pieces = fc.array(text, { minLength: 1, maxLength: 3 })
  const reasoning = fc.oneof(
    fc
      .tuple(pieces, text)
      .map(([texts, signature]): StreamEvent[] => [
        ...texts.map((one) => ({ kind: 'reasoning-delta' as const, text: one })),
        { kind: 'reasoning-signature', signature },
      ]),
    data.map((one): StreamEvent[] => [{ kind: 'reasoning-redacted', data: one }]),
  )
  const words = pieces.map((texts) => texts.map((one): StreamEvent => ({ kind: 'text-delta', text: one })))
  const calls = fc.array(fc.tuple(name, name, pieces), { maxLength: 2 })
  const counts = fc.record({ input: fc.nat(), cacheRead: fc.nat(), cacheWrite: fc.nat(), output: fc.nat() })
  fc.assert(
    fc.property(
      reasoning,
      words,
      calls,
      counts,
      (thought, said, called, { input, cacheRead, cacheWrite, output }) => {
        const tokens = { ...NO_TOKENS, input, cacheRead, cacheWrite, output }
        const all = input + cacheRead + cacheWrite
        const usage = { tokens, providerTotals: { input: all, output, total: all + output || null } }
        const reason = called.length > 0 ? ('tool-calls' as const) : ('stop' as const)
        const events: StreamEvent[] = [
          { kind: 'start', id: '', model: '', usage: null },
          ...thought,
          ...said,
          ...called.flatMap(([id, tool, texts], at): StreamEvent[] => [
            { kind: 'tool-call-start', index: at + 2, id, name: tool },
            ...texts.map((argumentsJson) => ({
              kind: 'tool-call-delta' as const,
              index: at + 2,
              argumentsJson,
            })),
          ]),
          { kind: 'finish', reason, raw: called.length > 0 ? 'tool_use' : 'end_turn', stopSequence: null },
          { kind: 'usage', usage },
          { kind: 'end' },
        ]
        const found = read([converseFrames(events)])
        expect(found.events).toEqual(events)
        expect(found.facts).toMatchObject({ ended: true, finishReason: reason, usage })
      },
    ),
  )
})
