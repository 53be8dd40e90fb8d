import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { geminiStream } from '../../testing/recorded-streams.js'
import type { ScannerOptions } from '../format.js'
import type { StreamEvent } from '../stream-event.js'
import { gemini } from '../gemini.js'

const WHOLE = [
  'text',
  'stop-in-every-frame',
  'finish-without-content',
  'usage-after-finish',
  'parallel-calls',
  'thoughts-and-call',
  'json',
  'max-tokens',
  'blocked-prompt',
  'blocked-prompt-vertex',
  'safety-stop',
  'cached-tokens',
  'grounded',
  'logprobs',
]

/** What the pump does: push, look, and ask again when the body ended. */
function scan(chunks: readonly Uint8Array[], options: Partial<ScannerOptions> = {}) {
  const scanner = gemini.scanner({ keepUsage: true, keepLogprobs: true, collect: true, ...options })
  const passed = chunks.map((chunk) => scanner.push(chunk))
  const endedBefore = scanner.facts.ended
  scanner.endOfBody?.()
  const { facts } = scanner
  const kept = scanner.finish('{"cost_usd":1}')
  const { text, toolCalls, finishReason, usage, error, malformed, ended, deltas } = facts
  const mean = facts.meanTokenProbability
  return {
    endedBefore,
    bytes: [...passed, kept].filter((one) => one !== null),
    facts: { text, toolCalls, finishReason, usage, error, malformed, ended, deltas, mean },
  }
}

function eventsOf(chunks: readonly Uint8Array[]): readonly StreamEvent[] {
  const decoder = gemini.decoder()
  return [...chunks.flatMap((chunk) => [...decoder.push(chunk)]), ...(decoder.finish?.() ?? [])]
}

const scanned = (name: string) => scan([geminiStream(name)])

describe('a stream without an end marker', () => {
  test.each(WHOLE)('%s is whole when its body ends, not before', (name) => {
    const { facts, endedBefore, bytes } = scanned(name)
    expect(endedBefore).toBe(false)
    expect(facts).toMatchObject({ ended: true, error: null, malformed: false })
    expect(bytes).toEqual([])
  })

  test('a call that the model could not write is an error when the body ends, with what it cost', () => {
    const { facts } = scanned('malformed-call')
    const scanner = gemini.scanner({ keepUsage: true, keepLogprobs: true, collect: false })
    scanner.push(geminiStream('malformed-call'))
    scanner.endOfBody?.()
    const events = scanner.takeEvents?.() ?? []
    const error = { type: 'MALFORMED_FUNCTION_CALL', code: null, message: expect.any(String) }
    expect(facts).toMatchObject({ ended: false, error, usage: { tokens: expect.any(Object) } })
    expect(events.at(-1)).toEqual({ kind: 'error', error })
  })

  test('it may begin with a reason to finish and go on', () => {
    expect(scanned('stop-in-every-frame').facts).toMatchObject({
      text: 'One two three',
      finishReason: 'stop',
    })
  })

  test('what is said after the reason to finish, without another, shows that it was not the end', () => {
    const more = 'data: {"candidates":[{"content":{"parts":[{"text":"and"}]}}]}\n\n'
    expect(scan([geminiStream('usage-after-finish'), Buffer.from(more)]).facts.ended).toBe(false)
  })

  test('without a reason to finish it is broken, wherever it was cut', () => {
    for (const name of ['text', 'thoughts-and-call', 'json', 'max-tokens', 'grounded']) {
      const bytes = geminiStream(name)
      const last = bytes.lastIndexOf('}')
      for (let at = 0; at <= last; at += 1) expect(scan([bytes.subarray(0, at)]).facts.ended).toBe(false)
    }
  })

  test('cut inside the usage that follows the end, it is broken as well', () => {
    const bytes = geminiStream('usage-after-finish')
    expect(scan([bytes.subarray(0, bytes.length - 30)]).facts.ended).toBe(false)
  })

  test('the blank line after the last frame may be missing', () => {
    const bytes = geminiStream('text')
    const { facts } = scan([bytes.subarray(0, bytes.lastIndexOf('}') + 1)])
    expect(facts).toEqual(scanned('text').facts)
  })
})

describe('facts', () => {
  test('the last usage stands, cached tokens counted once', () => {
    expect(scanned('usage-after-finish').facts.usage?.tokens).toMatchObject({
      input: 2,
      cacheRead: 2,
      output: 3,
    })
    expect(scanned('cached-tokens').facts.usage).toMatchObject({
      tokens: { input: 100, cacheRead: 900, output: 2, reasoning: 20 },
      providerTotals: { input: 1000, output: 22, total: 1022 },
    })
  })

  test('a stream that broke leaves what was used so far', () => {
    const bytes = geminiStream('text')
    const scanner = gemini.scanner({ keepUsage: true, keepLogprobs: true, collect: false })
    scanner.push(bytes.subarray(0, bytes.lastIndexOf('data: ')))
    scanner.endOfBody?.()
    expect(scanner.facts).toMatchObject({ ended: false, startUsage: { tokens: { input: 11, output: 7 } } })
  })

  test.each([
    ['text', 'stop'],
    ['parallel-calls', 'tool-calls'],
    ['max-tokens', 'length'],
    ['safety-stop', 'refusal'],
    ['blocked-prompt', 'refusal'],
  ])('%s ends with %s', (name, reason) => {
    expect(scanned(name).facts.finishReason).toBe(reason)
  })

  test('calls without an id get one that differs from those of other answers', () => {
    expect(scanned('parallel-calls').facts.toolCalls).toEqual([
      { id: 'call_mAitaLmkHPPlz7IPvtfUqQ4_0', name: 'get_weather', argumentsJson: '{"city":"Paris"}' },
      { id: 'call_mAitaLmkHPPlz7IPvtfUqQ4_1', name: 'get_weather', argumentsJson: '{"city":"Rome"}' },
    ])
  })

  test('thoughts are no part of the text', () => {
    expect(scanned('thoughts-and-call').facts.text).toBe('Looking. ')
  })

  test('confidence comes from the tokens', () => {
    expect(scanned('logprobs').facts.mean).toBeCloseTo(Math.exp(-0.2), 10)
  })

  test('large frames count as several tokens, never as more than they can be', () => {
    const piece = JSON.stringify({ candidates: [{ content: { parts: [{ text: 'word '.repeat(240) }] } }] })
    expect(scan([Buffer.from(`data: ${piece}\n\n`)]).facts.deltas).toBe(100)
  })

  test('an error in band is one', () => {
    const { facts } = scanned('error-in-band')
    expect(facts).toMatchObject({
      ended: false,
      error: { type: 'UNAVAILABLE', code: '503', message: expect.stringContaining('overloaded') },
    })
  })

  test.each([
    ['<!DOCTYPE html>\n\n'],
    ['data: {"choices":[]}\n\n'],
    ['data: 12\n\n'],
    ['data: {"candidates":\n\n'],
  ])('a frame of something else is malformed: %j', (frame) => {
    expect(scan([Buffer.from(frame)]).facts).toMatchObject({ malformed: true, ended: false })
  })
})

describe('events', () => {
  test('a signature follows the words it came with, and stands on its call', () => {
    const kinds = eventsOf([geminiStream('thoughts-and-call')]).filter(({ kind }) => kind !== 'usage')
    expect(kinds).toEqual([
      {
        kind: 'start',
        id: 'mAitaLmkHPPlz7IPvtfUqQ4',
        model: 'gemini-2.5-flash',
        usage: expect.objectContaining({ tokens: expect.objectContaining({ input: 30, reasoning: 0 }) }),
      },
      { kind: 'reasoning-delta', text: '**Looking it up**\n\nTwo cities.' },
      { kind: 'text-delta', text: 'Looking. ' },
      {
        kind: 'tool-call-start',
        index: 2,
        id: 'fc_8723',
        name: 'get_time',
        signature: 'gemini:CpwBAVSoXO5X',
      },
      { kind: 'tool-call-delta', index: 2, argumentsJson: '{}' },
      { kind: 'reasoning-signature', signature: 'gemini:CsEBend=' },
      { kind: 'finish', reason: 'tool-calls', raw: 'STOP', stopSequence: null },
      { kind: 'end' },
    ])
  })

  test('sources are told once, with their place in characters', () => {
    const bytes = geminiStream('grounded')
    const last = bytes.subarray(bytes.lastIndexOf('data: '))
    const again = Buffer.from(last.toString().replace('"text": "Paris."}],"role"', '"text": ""}],"role"'))
    const cited = eventsOf([bytes, again]).filter(({ kind }) => kind === 'citation')
    expect(cited).toMatchObject([
      {
        citation: {
          title: 'paris.fr',
          url: expect.stringContaining('https:'),
          span: { start: 10, end: 16 },
          documentIndex: null,
        },
      },
    ])
  })

  test('a blocked prompt is a refusal, in the provider’s words where it has some', () => {
    const without = eventsOf([geminiStream('blocked-prompt')])
    expect(without.map(({ kind }) => kind)).toEqual(['start', 'usage', 'finish', 'end'])
    const [, , words, finish] = eventsOf([geminiStream('blocked-prompt-vertex')])
    expect(words).toEqual({ kind: 'refusal-delta', text: 'The prompt could not be submitted.' })
    expect(finish).toMatchObject({ kind: 'finish', reason: 'refusal', raw: 'SAFETY' })
  })

  test('after an error nothing more comes', () => {
    const events = eventsOf([geminiStream('error-in-band'), geminiStream('text')])
    expect(events.at(-1)).toMatchObject({ kind: 'error', error: { type: 'UNAVAILABLE' } })
  })
})

describe('whatever the chunks', () => {
  test.each([...WHOLE, 'error-in-band'])('%s: every split point gives the same facts and events', (name) => {
    const bytes = geminiStream(name)
    const { facts } = scan([bytes])
    const events = eventsOf([bytes])
    for (let at = 1; at < bytes.length; at += 1) {
      const chunks = [bytes.subarray(0, at), bytes.subarray(at)]
      expect(scan(chunks).facts).toEqual(facts)
      expect(eventsOf(chunks)).toEqual(events)
    }
  })

  test('random garbage never throws, hangs or ends a stream', () => {
    const piece = fc.oneof(
      fc.string(),
      fc.constantFrom(
        'data: {"candidates":[{"content":{"parts":[{"text":"x"}]},"finishReason":null}]}\n\n',
        'data: {"candidates":[{"content":{"parts":[null,{"functionCall":{}},{"functionCall":7}]}}]}\n\n',
        'data: {"candidates":[{"groundingMetadata":{"groundingSupports":[{}]},"logprobsResult":[]}]}\n\n',
        'data: {"usageMetadata":{"promptTokenCount":-1}}\n\n',
        'data: {"promptFeedback":{}}\n\n',
        'data: {"error":{}}\n\n',
        'data: [DONE]\n\n',
        'data: {',
        '\n\n',
      ),
    )
    fc.assert(
      fc.property(fc.array(piece), fc.boolean(), (pieces, collect) => {
        const chunks = pieces.map((text) => Buffer.from(text))
        expect(scan(chunks, { collect }).facts.ended).toBe(false)
        expect(eventsOf(chunks).map(({ kind }) => kind)).not.toContain('end')
      }),
      { numRuns: 500 },
    )
  })
})
