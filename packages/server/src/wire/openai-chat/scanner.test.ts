import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { ScannerOptions } from '../format.js'
import { openAiStream, valuesOf } from '../../testing/recorded-streams.js'
import { OpenAiChatScanner } from './scanner.js'

const PASS: ScannerOptions = { keepUsage: false, keepLogprobs: true, collect: false }
const NAMES = [
  'text',
  'vllm-usage-after-finish',
  'vllm-usage-in-every-chunk',
  'usage-in-last-content-chunk',
  'parallel-tools',
  'logprobs',
  'azure-filter-first',
  'keep-alive-comments',
  'refusal',
  'error-in-band',
  'network-lost',
]

function scan(
  chunks: readonly Uint8Array[],
  options: Partial<ScannerOptions> = {},
  extra: { cost_usd: number } | null = null,
) {
  const scanner = new OpenAiChatScanner({ ...PASS, ...options })
  const passed = chunks.map((chunk) => Buffer.from(scanner.push(chunk) ?? [])).join('')
  const endedBeforeFinish = scanner.facts.ended
  const kept = Buffer.from(scanner.finish(extra === null ? null : JSON.stringify(extra)) ?? []).toString()
  const { ended, error, deltas, finishReason, usage, text, toolCalls, meanTokenProbability, malformed } =
    scanner.facts
  return {
    passed,
    kept,
    endedBeforeFinish,
    facts: { ended, error, deltas, finishReason, usage, text, toolCalls, meanTokenProbability, malformed },
  }
}

const usageChunks = (frames: string) =>
  valuesOf(frames).filter((chunk) => chunk['usage'] !== undefined && chunk['usage'] !== null)

describe('a chat completion stream', () => {
  test('passes byte for byte; only the end waits for the books', () => {
    const bytes = openAiStream('text')
    const { passed, kept, facts } = scan([bytes], { keepUsage: true })
    expect(passed + kept).toBe(bytes.toString())
    expect(valuesOf(kept).map((chunk) => Object.keys(chunk))).toEqual([
      expect.arrayContaining(['usage']),
      ['done'],
    ])
    expect(facts).toMatchObject({
      ended: true,
      deltas: 4,
      finishReason: 'stop',
      malformed: false,
      error: null,
    })
    expect(facts.usage?.providerTotals).toEqual({ input: 19, output: 4, total: 23 })
    expect(facts.usage?.tokens).toMatchObject({ input: 11, cacheRead: 8, output: 4 })
  })

  test('the usage chunk goes when the caller did not ask, and nothing else', () => {
    const { passed, kept } = scan([openAiStream('text')])
    expect(usageChunks(passed + kept)).toEqual([])
    expect(kept).toBe('data: [DONE]\n\n')
    expect(valuesOf(passed)).toHaveLength(6)
  })

  test.each([
    'text',
    'vllm-usage-after-finish',
    'vllm-usage-in-every-chunk',
    'usage-in-last-content-chunk',
    'azure-filter-first',
  ])(
    '%s: a caller who asked gets usage exactly once, last, in a chunk of its own, with what was spliced in',
    (name) => {
      const { passed, kept, facts } = scan([openAiStream(name)], { keepUsage: true }, { cost_usd: 0.5 })
      expect(usageChunks(passed)).toEqual([])
      const [last, done] = valuesOf(kept)
      expect(last).toMatchObject({
        choices: [],
        object: 'chat.completion.chunk',
        spillway: { cost_usd: 0.5 },
      })
      expect(last).toMatchObject({ usage: { prompt_tokens: facts.usage?.providerTotals.input } })
      expect(done).toEqual({ done: true })
      expect(
        new Set(
          valuesOf(passed + kept)
            .map((chunk) => chunk['id'])
            .filter((id) => id !== undefined && id !== ''),
        ).size,
      ).toBe(1)
    },
  )

  test.each([
    ['vllm-usage-after-finish', { input: 19, output: 2, total: 21 }],
    ['vllm-usage-in-every-chunk', { input: 19, output: 2, total: 21 }],
    ['usage-in-last-content-chunk', { input: 20, output: 2, total: 52 }],
  ])('%s: the last usage stands, nothing is added up', (name, totals) => {
    expect(scan([openAiStream(name)]).facts.usage?.providerTotals).toEqual(totals)
  })

  test.each([true, false])(
    'content in a chunk that also carries usage is not lost (usage asked for: %s)',
    (keepUsage) => {
      const { passed } = scan([openAiStream('usage-in-last-content-chunk')], { keepUsage })
      const texts = valuesOf(passed).map((chunk) => JSON.stringify(chunk['choices']))
      expect(texts.at(-1)).toContain('"content":"!"')
      expect(texts.at(-1)).toContain('"finish_reason":"stop"')
    },
  )

  test('log probabilities we asked for are taken out of every frame, and still read', () => {
    const { passed, facts } = scan([openAiStream('logprobs')], { keepLogprobs: false, collect: true })
    expect(passed).not.toContain('"logprob"')
    expect(valuesOf(passed).every((chunk) => JSON.stringify(chunk).includes('"logprobs":null'))).toBe(true)
    expect(facts.meanTokenProbability).toBeCloseTo(Math.exp(-0.2), 10)
    expect(scan([openAiStream('logprobs')], { keepLogprobs: false }).passed).toBe(passed)
    expect(scan([openAiStream('logprobs')], { keepLogprobs: true }).passed).toContain('"logprob"')
  })

  test('collecting reads text and calls; not collecting passes the same bytes and counts the same deltas', () => {
    for (const name of NAMES) {
      const collected = scan([openAiStream(name)], { collect: true })
      const plain = scan([openAiStream(name)])
      expect([plain.passed, plain.kept]).toEqual([collected.passed, collected.kept])
      expect({ ...plain.facts, text: '', toolCalls: [], meanTokenProbability: null }).toEqual({
        ...collected.facts,
        text: '',
        toolCalls: [],
        meanTokenProbability: null,
      })
    }
    expect(scan([openAiStream('text')], { collect: true }).facts.text).toBe('Grüße, "usage": 😀')
    expect(scan([openAiStream('parallel-tools')], { collect: true }).facts.toolCalls).toEqual([
      { id: 'call_A1', name: 'get_weather', argumentsJson: '{"city":"Paris"}' },
      { id: 'call_B2', name: 'get_weather', argumentsJson: '{"city":"Rome"}' },
    ])
  })

  test('an error in band is read, without its key, and ends what passes', () => {
    const { passed, kept, facts } = scan([openAiStream('error-in-band'), Buffer.from('data: [DONE]\n\n')])
    expect(facts.error?.type).toBe('server_error')
    expect(facts.error?.message).not.toContain('sk-proj')
    expect(facts.ended).toBe(false)
    expect(passed).not.toContain('error')
    expect(kept).toBe('')
  })

  test('a page instead of a stream is malformed and nothing of it passes', () => {
    const { passed, kept, facts } = scan([openAiStream('network-lost')])
    expect(facts).toMatchObject({ malformed: true, ended: false })
    expect(passed + kept).toBe('')
  })

  test('a JSON error with status 200 is malformed, and its message is kept', () => {
    const { facts } = scan([Buffer.from('{"error":{"message":"model is loading","type":"server_error"}}')])
    expect(facts).toMatchObject({ malformed: true, ended: false, error: { message: 'model is loading' } })
  })

  test.each([
    'data: {"choices": nope}\n\n',
    'data: [1]\n\n',
    'data: {"type":"message_start"}\n\n',
    'data: hello\n\n',
  ])('a frame of something else is malformed: %j', (frame) => {
    const { passed, facts } = scan([openAiStream('text').subarray(0, 0), Buffer.from(frame)])
    expect(facts.malformed).toBe(true)
    expect(passed).toBe('')
  })

  test('a stream cut before its end marker never counts as ended', () => {
    const whole = openAiStream('text')
    const marker = whole.indexOf('data: [DONE]') + 'data: [DONE]'.length
    for (let at = 0; at < marker; at += 1) {
      const { facts, kept } = scan([whole.subarray(0, at)], { keepUsage: true })
      expect(facts.ended).toBe(false)
      expect(kept).not.toContain('[DONE]')
    }
  })

  test('an end marker without its blank line is an end, at once', () => {
    const text = openAiStream('text').toString()
    for (const cut of [1, 2]) {
      const scanned = scan([Buffer.from(text.slice(0, -cut))])
      expect(scanned.endedBeforeFinish).toBe(true)
      expect(scanned.kept).toBe('data: [DONE]\n\n')
    }
  })

  test('every split point gives the same bytes and the same facts', () => {
    const telling = [
      'text',
      'vllm-usage-in-every-chunk',
      'usage-in-last-content-chunk',
      'logprobs',
      'keep-alive-comments',
    ]
    for (const name of [...telling, 'error-in-band', 'network-lost']) {
      const bytes = openAiStream(name)
      for (const options of [{ keepUsage: true }, { collect: true, keepLogprobs: false }]) {
        const whole = scan([bytes], options)
        for (let at = 1; at < bytes.length; at += 1) {
          const { passed, kept, facts } = scan([bytes.subarray(0, at), bytes.subarray(at)], options)
          expect({ passed, kept, facts }).toEqual({
            passed: whole.passed,
            kept: whole.kept,
            facts: whole.facts,
          })
        }
      }
    }
  })

  test('random garbage never throws and never ends a stream', () => {
    const piece = fc.oneof(
      fc.string().filter((text) => !text.includes('[DONE]')),
      fc.constantFrom(
        'data: ',
        '\n\n',
        '\r\n',
        '{"choices":[',
        '"usage":{',
        ']}',
        '"logprobs":{"content":[',
        'event: error\n',
        '{"error":{}}',
        'null',
      ),
    )
    fc.assert(
      fc.property(fc.array(piece), fc.boolean(), (pieces, collect) => {
        const { facts } = scan(
          pieces.map((text) => Buffer.from(text)),
          { collect, keepUsage: true, keepLogprobs: false },
          { cost_usd: 1 },
        )
        expect(facts.ended).toBe(false)
      }),
      { numRuns: 500 },
    )
  })

  test('an endless frame is malformed instead of filling memory', () => {
    const { facts } = scan(Array.from({ length: 20 }, () => Buffer.alloc(65_536, 'x')))
    expect(facts.malformed).toBe(true)
  })
})
