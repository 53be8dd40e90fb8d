// Frames of a generateContent stream that are not read say what they would have said.

import fc from 'fast-check'
import { describe, expect, test, vi } from 'vitest'
import type { JsonObject } from '../../core/json.js'
import { geminiStream } from '../../testing/recorded-streams.js'
import { translate } from '../../testing/translated-stream.js'
import { formatOf } from '../formats.js'
import { scannerBetween } from '../translate-stream.js'
import { ChunkEvents } from './chunk-events.js'
import { countsIn } from './counts.js'

const CALLERS = ['openai-chat', 'openai-responses', 'anthropic-messages'] as const

/** As Gemini writes it. */
const spaced = (fields: JsonObject): string => JSON.stringify(fields).replaceAll(/":(?=["[{\d])/g, '": ')

interface Piece {
  readonly parts: readonly JsonObject[]
  readonly beside?: JsonObject
  readonly usage?: JsonObject | null
}

function frameOf({ parts, beside = {}, usage = null }: Piece): Buffer {
  const candidates = [{ content: { parts, role: 'model' }, index: 0, ...beside }]
  const told = usage === null ? {} : { usageMetadata: usage }
  return Buffer.from(
    `data: ${spaced({ candidates, ...told, modelVersion: 'gemini-2.5', responseId: 'r' })}\n\n`,
  )
}

const counts = (candidates: number, more: JsonObject = {}): JsonObject => ({
  promptTokenCount: 11,
  candidatesTokenCount: candidates,
  totalTokenCount: 11 + candidates,
  promptTokensDetails: [{ modality: 'TEXT', tokenCount: 11 }],
  ...more,
})

const words = fc.oneof(
  fc.string({ unit: 'grapheme' }),
  fc.constantFrom('a', ' b', '"', '\\', '\n', 'ü', '😀'),
)
const grounding = {
  groundingChunks: [{ web: { uri: 'https://x/', title: 'x' } }],
  groundingSupports: [{ segment: { startIndex: 1, endIndex: 4 }, groundingChunkIndices: [0] }],
}
const said: fc.Arbitrary<Pick<Piece, 'parts' | 'beside'>> = fc.oneof(
  { weight: 12, arbitrary: words.map((text) => ({ parts: [{ text }] })) },
  { weight: 4, arbitrary: words.map((text) => ({ parts: [{ text, thought: true }] })) },
  words.map((text) => ({ parts: [{ text }], beside: { finishReason: 'STOP' } })),
  words.map((text) => ({ parts: [{ text }], beside: { groundingMetadata: grounding } })),
  words.map((text) => ({ parts: [{ text }, { text, thoughtSignature: 'c2ln' }] })),
  fc.constant({ parts: [{ functionCall: { name: 'f', args: { text: 'a' } } }] }),
  fc.constant({ parts: [{ text: '' }], beside: { finishReason: 'MAX_TOKENS' } }),
)
const used: fc.Arbitrary<JsonObject | null> = fc.oneof(
  { weight: 12, arbitrary: fc.nat({ max: 3000 }).map((count) => counts(count)) },
  fc.nat({ max: 20 }).map((count) => counts(count, { thoughtsTokenCount: count })),
  fc.nat({ max: 20 }).map((count) => counts(count, { cachedContentTokenCount: count })),
  fc
    .nat({ max: 20 })
    .map((count) => counts(count, { candidatesTokensDetails: [{ modality: 'AUDIO', tokenCount: count }] })),
  fc.constant({ trafficType: 'ON_DEMAND' }),
  fc.constant(null),
)
const pieces = fc.array(
  fc.tuple(said, used).map(([one, usage]) => ({ ...one, usage })),
  { maxLength: 40 },
)

function outcomeOf(chunks: readonly Buffer[], to: (typeof CALLERS)[number], keepUsage: boolean) {
  const { frames, scanner } = translate(chunks, to, { from: 'gemini', keepUsage })
  const { usage, startUsage, finishReason, deltas, error, ended, malformed } = scanner.facts
  const facts = { usage, startUsage, finishReason, deltas, error, ended, malformed }
  return { frames, facts, cut: formatOf(to).cutFrames(scanner) }
}

const withCrlf = (frame: Buffer): Buffer => Buffer.from(frame.toString().replaceAll('\n', '\r\n'))

function cutAt(bytes: Buffer, places: readonly number[]): readonly Buffer[] {
  const sorted = [...new Set(places.map((place) => place % (bytes.length + 1)))].toSorted((a, b) => a - b)
  return [0, ...sorted].map((from, index) => bytes.subarray(from, sorted[index] ?? bytes.length))
}

describe.each(CALLERS)('for %s', (to) => {
  test('frame by frame is as good as all at once, whole or broken', () => {
    fc.assert(
      fc.property(pieces, fc.boolean(), fc.boolean(), (all, keepUsage, whole) => {
        const frames = all.map(frameOf)
        if (whole) frames.push(frameOf({ parts: [{ text: '' }], beside: { finishReason: 'STOP' } }))
        expect(outcomeOf(frames, to, keepUsage)).toEqual(outcomeOf([Buffer.concat(frames)], to, keepUsage))
      }),
      { numRuns: 300 },
    )
  })

  test('whole frames and pieces of them mix, with other line ends too', () => {
    fc.assert(
      fc.property(pieces, fc.array(fc.nat(), { maxLength: 9 }), fc.boolean(), (all, places, crlf) => {
        const frames = all.map(frameOf).map((frame) => (crlf ? withCrlf(frame) : frame))
        const chunks = [...frames, ...cutAt(Buffer.concat(frames), places), ...frames]
        expect(outcomeOf(chunks, to, true)).toEqual(outcomeOf([Buffer.concat(chunks)], to, true))
      }),
      { numRuns: 100 },
    )
  })

  test.each([[false], [true]])('frames of which only words and counts change are not read', (crlf) => {
    const read = vi.spyOn(ChunkEvents.prototype, 'read')
    const frames = Array.from({ length: 50 }, (_, index) =>
      frameOf({ parts: [{ text: ` word ${index}` }], usage: counts(index + 1) }),
    ).map((frame) => (crlf ? withCrlf(frame) : frame))
    const { facts } = outcomeOf(frames, to, true)
    // The first, which comes with the start, and one to learn from.
    expect(read.mock.calls.length).toBeLessThanOrEqual(2)
    expect(facts.usage?.tokens).toMatchObject({ input: 11, output: 50 })
    read.mockRestore()
  })
})

test('at any time the usage is that of the last frame', () => {
  const scanner = scannerBetween({
    from: 'gemini',
    to: 'openai-chat',
    model: 'm',
    answerId: 'a',
    createdSeconds: 1,
    estimatedInputTokens: 7,
    keepUsage: true,
    keepLogprobs: false,
    collect: false,
  })
  const seen = Array.from({ length: 20 }, (_, count) => {
    const frame = frameOf({ parts: [{ text: 'a' }], usage: counts(count) })
    scanner.push(frame)
    // Whoever read it from the socket may read the next one into the same place.
    frame.fill(0)
    const { usage, startUsage } = count % 3 === 0 ? scanner.facts : { usage: null, startUsage: null }
    return [usage?.tokens.output, startUsage?.tokens.output]
  })
  expect(seen).toEqual(seen.map((_, count) => (count % 3 === 0 ? [count, count] : [undefined, undefined])))
})

describe('counts of a frame', () => {
  const textOf = (frame: Buffer): readonly string[] | null =>
    countsIn(frame)?.map(({ start, end }) => frame.toString('latin1', start, end)) ?? null

  test('are of the output: where the input changes, a frame is read', () => {
    expect(textOf(frameOf({ parts: [{ text: '"totalTokenCount": 3,' }], usage: counts(7) }))).toEqual([
      '7',
      '18',
    ])
    const audio = { candidatesTokensDetails: [{ modality: 'AUDIO', tokenCount: 5 }] }
    expect(textOf(frameOf({ parts: [{ text: 'a' }], usage: counts(7, audio) }))).toEqual(['7', '18', '5'])
    expect(textOf(frameOf({ parts: [{ text: 'a' }] }))).toEqual([])
  })

  test.each([
    ['sources', frameOf({ parts: [{ text: 'a' }], beside: { groundingMetadata: grounding } })],
    ['a call', frameOf({ parts: [{ text: 'a' }, { functionCall: { name: 'f' } }] })],
    ['two texts', frameOf({ parts: [{ text: 'a' }, { text: 'b' }] })],
    ['two frames', Buffer.concat([frameOf({ parts: [{ text: 'a' }] }), frameOf({ parts: [{ text: 'a' }] })])],
    ['half a frame', frameOf({ parts: [{ text: 'a' }] }).subarray(0, -1)],
  ])('%s: it is read', (_, frame) => expect(countsIn(frame)).toBeNull())

  test('recorded frames are as they are looked for', () => {
    const [first] = geminiStream('text')
      .toString()
      .split(/(?<=\n\r?\n)/)
    expect(textOf(Buffer.from(first ?? ''))).toEqual(['2', '13'])
  })
})
