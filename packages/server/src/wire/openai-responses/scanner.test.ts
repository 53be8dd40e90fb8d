import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { responsesStream, valuesOf } from '../../testing/recorded-streams.js'
import { BROKEN_NAMES, RESPONSES_NAMES, readByResponses } from '../../testing/responses-streams.js'
import type { ScannerOptions } from '../format.js'
import { openAiResponses } from '../openai-responses.js'
import { plainDelta } from './plain-delta.js'
import { ResponsesScanner } from './scanner.js'

const PASS: ScannerOptions = { keepUsage: true, keepLogprobs: true, collect: false }

function scan(
  chunks: readonly Uint8Array[],
  options: Partial<ScannerOptions> = {},
  extra: { cost_usd: number } | null = null,
) {
  const scanner = new ResponsesScanner({ ...PASS, ...options })
  const passed = chunks.map((chunk) => Buffer.from(scanner.push(chunk) ?? [])).join('')
  const kept = Buffer.from(scanner.finish(extra === null ? null : JSON.stringify(extra)) ?? []).toString()
  const { ended, error, deltas, finishReason, usage, text, toolCalls, malformed } = scanner.facts
  const facts = { ended, error, deltas, finishReason, usage, text, toolCalls, malformed }
  return { passed, kept, facts, scanner }
}

describe('a response stream', () => {
  test.each(RESPONSES_NAMES)('%s passes byte for byte; its last event waits for the books', (name) => {
    const bytes = responsesStream(name)
    const { passed, kept, facts } = scan([bytes])
    expect(passed + kept).toBe(bytes.toString())
    expect(valuesOf(kept).map((event) => event['type'])).toEqual([
      name === 'incomplete' ? 'response.incomplete' : 'response.completed',
    ])
    expect(facts).toMatchObject({ ended: true, error: null, malformed: false })
    expect(facts.usage).not.toBeNull()
  })

  test('usage and how it ended', () => {
    const { usage, finishReason, deltas } = scan([responsesStream('text')]).facts
    expect(usage?.tokens).toMatchObject({ input: 11, cacheRead: 8, output: 7 })
    expect([finishReason, deltas]).toEqual(['stop', 4])
    expect(scan([responsesStream('reasoning-and-calls')]).facts).toMatchObject({
      finishReason: 'tool-calls',
      usage: { tokens: { output: 30, reasoning: 64 } },
    })
    expect(scan([responsesStream('incomplete')]).facts.finishReason).toBe('length')
    expect(scan([responsesStream('refusal')]).facts.finishReason).toBe('refusal')
  })

  test('an upstream error does not pass; the facts hold it', () => {
    const failed = scan([responsesStream('failed')])
    expect(failed.passed).not.toContain('response.failed')
    expect(failed.facts).toMatchObject({ ended: false, error: { code: 'server_error' } })
    const error = scan([responsesStream('error-in-band')])
    expect(error.passed + error.kept).not.toContain('rate_limit_exceeded')
    expect(error.facts).toMatchObject({ ended: false, error: { code: 'rate_limit_exceeded' } })
  })

  test('what is spliced in comes in the last response, and nothing else changes', () => {
    const plain = scan([responsesStream('text')])
    const { kept, passed } = scan([responsesStream('text')], {}, { cost_usd: 0.25 })
    expect(passed).toBe(plain.passed)
    expect(kept.replace(',"spillway":{"cost_usd":0.25}', '')).toBe(plain.kept)
    expect(valuesOf(kept)[0]).toMatchObject({ response: { spillway: { cost_usd: 0.25 } } })
  })

  test('text, calls and confidence are collected when asked for', () => {
    const text = scan([responsesStream('text')], { collect: true })
    expect(text.facts.text).toBe('Grüße, "usage": 😀')
    expect(scan([responsesStream('interleaved-calls')], { collect: true }).facts.toolCalls).toEqual([
      { id: 'call_A1', name: 'get_weather', argumentsJson: '{"city":"Paris"}' },
      { id: 'call_B2', name: 'get_weather', argumentsJson: '{"city":"Rome"}' },
    ])
    const { scanner } = scan([responsesStream('logprobs')], { collect: true })
    expect(scanner.facts.meanTokenProbability).toBeCloseTo(Math.exp(-0.2), 10)
  })

  test('log probabilities nobody asked for are taken out of what passes', () => {
    const { passed } = scan([responsesStream('logprobs')], { keepLogprobs: false })
    expect(passed).not.toContain('"logprob":')
    expect(passed).toContain('"logprobs":[]')
  })

  test('every split point, collected or not, gives the same bytes and facts', () => {
    for (const name of [...RESPONSES_NAMES, ...BROKEN_NAMES]) {
      const bytes = responsesStream(name)
      const { scanner: _whole, ...whole } = scan([bytes])
      const collected = scan([bytes], { collect: true })
      expect({ ...collected.facts, text: '', toolCalls: [] }).toEqual(whole.facts)
      const wanted = JSON.stringify(whole)
      for (let at = 1; at < bytes.length; at += 13) {
        const { scanner: _split, ...split } = scan([bytes.subarray(0, at), bytes.subarray(at)])
        expect(JSON.stringify(split) === wanted, `${name} split at ${at}`).toBe(true)
      }
    }
  })

  test('CRLF streams are read alike, and a [DONE] that some servers add is dropped', () => {
    const crlf = Buffer.from(responsesStream('text').toString().replaceAll('\n', '\r\n'))
    expect(scan([crlf]).facts).toEqual(scan([responsesStream('text')]).facts)
    const done = scan([Buffer.concat([responsesStream('text'), Buffer.from('data: [DONE]\n\n')])])
    expect(done.passed + done.kept).toBe(responsesStream('text').toString())
  })

  test('events of the future and keep-alives pass', () => {
    const frame = 'event: brand.new\ndata: {"type":"brand.new","x":1}\n\n: note\n\n'
    expect(scan([Buffer.from(frame)]).passed).toBe(frame)
  })

  test.each(['<!DOCTYPE html>\n\n', 'data: {"choices":[]}\n\n', 'data: 12\n\n'])(
    'a frame of something else is malformed: %j',
    (frame) => {
      expect(scan([Buffer.from(frame)]).facts.malformed).toBe(true)
    },
  )

  test('random garbage never throws and never ends a stream', () => {
    const piece = fc.oneof(
      fc.string(),
      fc.constantFrom(
        'event: response.output_text.delta\n',
        'data: {"type":"response.output_item.added","output_index":0,"item":{"type":"message"}}\n\n',
        'event: response.output_text.delta\ndata: {"delta":"x","output_index":0,"content_index":0,"sequence_number":1}\n\n',
        'data: {',
        '}\n\n',
        '\n\n',
        'data: {"type":"error"}\n\n',
        'data: {"type":"response.output_text.done","output_index":0,"text":7}\n\n',
      ),
    )
    fc.assert(
      fc.property(
        fc.array(piece.filter((text) => !/completed|incomplete/.test(text))),
        fc.boolean(),
        (pieces, collect) => {
          const chunks = pieces.map((text) => Buffer.from(text))
          const { facts, scanner } = scan(chunks, { collect }, { cost_usd: 1 })
          expect(facts.ended).toBe(false)
          openAiResponses.cutFrames(scanner)
        },
      ),
      { numRuns: 500 },
    )
  })
})

describe('a stream that is cut', () => {
  test('anywhere: the client gets an incomplete response with all it had read', async () => {
    for (const name of ['text', 'reasoning-and-calls', 'refusal']) {
      const bytes = responsesStream(name)
      const begun = bytes.indexOf('event: response.in_progress')
      for (let at = begun; at < bytes.lastIndexOf('event: '); at += 97) {
        const scanner = new ResponsesScanner(PASS)
        const passed = Buffer.from(scanner.push(bytes.subarray(0, at)) ?? []).toString()
        const { response, said, sequence } = await readByResponses(
          passed + openAiResponses.cutFrames(scanner),
        )
        expect(sequence).toEqual([...sequence.keys()])
        expect(response).toMatchObject({
          status: 'incomplete',
          incomplete_details: { reason: 'max_output_tokens' },
        })
        expect(response.output_text).toBe(said.text)
        const calls = response.output.filter((item) => item.type === 'function_call')
        expect(calls.map((call) => call.arguments).filter((text) => text !== '')).toEqual([
          ...said.calls.values(),
        ])
      }
    }
  })

  test('what the provider had finished stays as the provider wrote it', () => {
    const bytes = responsesStream('reasoning-and-calls')
    const scanner = new ResponsesScanner(PASS)
    scanner.push(bytes.subarray(0, bytes.lastIndexOf('event: ')))
    const [last] = valuesOf(openAiResponses.cutFrames(scanner)).slice(-1)
    const [whole] = valuesOf(bytes.toString()).slice(-1)
    expect(last?.['response']).toEqual({
      ...(whole?.['response'] as object),
      status: 'incomplete',
      incomplete_details: { reason: 'max_output_tokens' },
      service_tier: 'auto',
      usage: null,
    })
  })

  test('before anything came it is still a whole response', async () => {
    const { scanner } = scan([])
    const { response } = await readByResponses(openAiResponses.cutFrames(scanner))
    expect(response).toMatchObject({ status: 'incomplete', output: [] })
  })
})

describe('the fast path', () => {
  const frame = (json: string) =>
    Buffer.from(`event: response.output_text.delta\ndata: ${json}\n\n`).toString('latin1')
  const PLAIN = '{"sequence_number":4,"output_index":1,"content_index":2,"delta":"hé","logprobs":[]}'

  test('knows an ordinary delta', () => {
    expect(plainDelta(frame(PLAIN))).toEqual({
      of: 'output_text',
      outputIndex: 1,
      partIndex: 2,
      sequence: 4,
      text: 'hé',
    })
  })

  test.each([
    PLAIN.replace('hé', String.raw`h\"`),
    PLAIN.replace('[]', '[{}]'),
    PLAIN.replace('"output_index":1,', ''),
    PLAIN.replace('"delta":"hé"', '"delta": "x"'),
    PLAIN.replace('hé', ''),
    `${PLAIN}\ndata: {}`,
  ])('leaves the rest to the parser: %s', (json) => {
    expect(plainDelta(frame(json))).toBeNull()
  })

  test('what it reads, parsing reads alike', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.nat({ max: 99 }), (delta, sequence) => {
        const json = JSON.stringify({ sequence_number: sequence, output_index: 0, content_index: 0, delta })
        const { text, sequence: read } = plainDelta(frame(json)) ?? { text: delta, sequence }
        expect([text, read]).toEqual([delta, sequence])
      }),
    )
  })
})
