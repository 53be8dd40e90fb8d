import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { ScannerOptions } from '../format.js'
import { anthropicStream, valuesOf } from '../../testing/recorded-streams.js'
import { AnthropicScanner } from './scanner.js'

const PASS: ScannerOptions = { keepUsage: true, keepLogprobs: true, collect: false }
const NAMES = [
  'text',
  'thinking-and-tools',
  'stop-sequence',
  'usage-only-at-the-end',
  'refusal',
  'overloaded',
]

function scan(
  chunks: readonly Uint8Array[],
  options: Partial<ScannerOptions> = {},
  extra: { cost_usd: number } | null = null,
) {
  const scanner = new AnthropicScanner({ ...PASS, ...options })
  const passed = chunks.map((chunk) => Buffer.from(scanner.push(chunk) ?? [])).join('')
  const kept = Buffer.from(scanner.finish(extra === null ? null : JSON.stringify(extra)) ?? []).toString()
  const { ended, error, deltas, finishReason, usage, startUsage, text, toolCalls, malformed } = scanner.facts
  return {
    passed,
    kept,
    facts: { ended, error, deltas, finishReason, usage, startUsage, text, toolCalls, malformed },
  }
}

describe('a Messages stream', () => {
  test('passes byte for byte; message_delta and message_stop wait for the books', () => {
    const bytes = anthropicStream('text')
    const { passed, kept, facts } = scan([bytes])
    expect(passed + kept).toBe(bytes.toString())
    expect(valuesOf(kept).map((event) => event['type'])).toEqual(['message_delta', 'message_stop'])
    expect(facts).toMatchObject({
      ended: true,
      deltas: 2,
      finishReason: 'stop',
      error: null,
      malformed: false,
    })
  })

  test('usage is that of message_start with the output of message_delta, caches by class', () => {
    const { usage, startUsage } = scan([anthropicStream('text')]).facts
    expect(usage?.tokens).toMatchObject({
      input: 25,
      cacheRead: 40,
      cacheWrite: 70,
      cacheWrite1h: 30,
      output: 15,
    })
    expect(startUsage?.tokens).toMatchObject({ input: 25, cacheRead: 40, output: 1 })
    expect(scan([anthropicStream('stop-sequence')]).facts.usage?.tokens).toMatchObject({
      input: 25,
      output: 5,
    })
    expect(scan([anthropicStream('usage-only-at-the-end')]).facts.usage?.tokens).toMatchObject({
      input: 25,
      cacheRead: 40,
      output: 7,
    })
  })

  test('a stream that breaks has no final usage, but says what its input was', () => {
    const { facts } = scan([anthropicStream('overloaded')])
    expect(facts.usage).toBeNull()
    expect(facts.startUsage?.tokens.input).toBe(25)
    expect(facts.error).toEqual({ type: 'overloaded_error', code: null, message: 'Overloaded' })
    expect(facts.ended).toBe(false)
  })

  test('an upstream error frame does not pass: the caller gets the gateway’s own', () => {
    expect(scan([anthropicStream('overloaded')]).passed).not.toContain('overloaded_error')
  })

  test('what is spliced in comes in the last message_delta', () => {
    const { kept } = scan([anthropicStream('text')], {}, { cost_usd: 0.25 })
    expect(valuesOf(kept)[0]).toMatchObject({
      type: 'message_delta',
      usage: { output_tokens: 15 },
      spillway: { cost_usd: 0.25 },
    })
  })

  test('content after a message_delta passes, after it', () => {
    const [start = '', end = ''] = anthropicStream('text').toString().split('event: message_stop')
    const late =
      'event: content_block_delta\ndata: {"type":"content_block_delta","index":1,"delta":{"type":"text_delta","text":"!"}}\n\n'
    const bytes = `${start}${late}event: message_stop${end}`
    const { passed, kept } = scan([Buffer.from(bytes)])
    expect(passed + kept).toBe(bytes)
    expect(passed).toContain('message_delta')
  })

  test('thinking, text and calls are collected when asked for', () => {
    const { facts } = scan([anthropicStream('thinking-and-tools')], { collect: true })
    expect(facts.text).toBe('Looking.')
    expect(facts.finishReason).toBe('tool-calls')
    expect(facts.toolCalls).toEqual([
      { id: 'toolu_01A', name: 'get_weather', argumentsJson: '{"city": "Paris"}' },
      { id: 'toolu_01B', name: 'get_time', argumentsJson: '{}' },
    ])
  })

  test('every split point, collected or not, gives the same bytes and facts', () => {
    for (const name of NAMES) {
      const bytes = anthropicStream(name)
      const whole = scan([bytes])
      const collected = scan([bytes], { collect: true })
      expect({ ...collected.facts, text: '', toolCalls: [] }).toEqual(whole.facts)
      for (let at = 1; at < bytes.length; at += 1) {
        expect(scan([bytes.subarray(0, at), bytes.subarray(at)])).toEqual(whole)
      }
    }
  })

  test('a stream cut before message_stop never counts as ended', () => {
    const whole = anthropicStream('text')
    const stop = whole.lastIndexOf('}')
    for (let at = 0; at <= stop; at += 1) expect(scan([whole.subarray(0, at)]).facts.ended).toBe(false)
  })

  test('event names of the future and pings pass', () => {
    const frame =
      'event: brand_new\ndata: {"type":"brand_new","x":1}\n\nevent: ping\ndata: {"type": "ping"}\n\n: note\n\n'
    expect(scan([Buffer.from(frame)]).passed).toBe(frame)
  })

  test('CRLF streams are read alike', () => {
    const crlf = Buffer.from(anthropicStream('text').toString().replaceAll('\n', '\r\n'))
    const { passed, kept, facts } = scan([crlf])
    expect(passed + kept).toBe(crlf.toString())
    expect(facts).toEqual(scan([anthropicStream('text')]).facts)
  })

  test('random garbage never throws and never ends a stream', () => {
    const piece = fc.oneof(
      fc.string(),
      fc.constantFrom(
        'event: message_delta\ndata: {"type":"message_delta"}\n\n',
        'event: content_block_delta\n',
        'data: {',
        '}\n\n',
        '\n\n',
        'data: {"type":"error"}\n\n',
        '<html>',
      ),
    )
    fc.assert(
      fc.property(
        fc.array(piece.filter((text) => !text.includes('message_stop'))),
        fc.boolean(),
        (pieces, collect) => {
          expect(
            scan(
              pieces.map((text) => Buffer.from(text)),
              { collect },
              { cost_usd: 1 },
            ).facts.ended,
          ).toBe(false)
        },
      ),
      { numRuns: 500 },
    )
  })

  test.each(['<!DOCTYPE html>\n\n', 'data: {"choices":[]}\n\n', 'data: 12\n\n'])(
    'a frame of something else is malformed: %j',
    (frame) => {
      expect(scan([Buffer.from(frame)]).facts.malformed).toBe(true)
    },
  )
})
