// Frames that take the shortcut come out as the long way would have written them.

import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { CallerWire } from '../core/release/release.js'
import { converseFrames } from '../testing/converse-frames.js'
import { anthropicStream, openAiStream } from '../testing/recorded-streams.js'
import { ANTHROPIC_NAMES, OPENAI_NAMES, translate } from '../testing/translated-stream.js'
import type { StreamScanner } from './format.js'
import type { StreamEvent } from './stream-event.js'
import { formatOf } from './formats.js'
import { FrameShortcut } from './frame-shortcut.js'

const frameOf = (words: string): string =>
  `data: {"choices":[{"delta":{"content":${JSON.stringify(words)}}}]}\n\n`
const madeOf = (words: string): string => `event: x\ndata: {"text":${JSON.stringify(words)}}\n\n`
const bytes = (text: string): Buffer => Buffer.from(text)

function taught(words = 'Hi'): FrameShortcut {
  const shortcut = new FrameShortcut()
  shortcut.learn({ words, source: bytes(frameOf(words)), target: madeOf(words) })
  return shortcut
}

describe('a frame of the shape that was learned', () => {
  test.each(['a', ' über', '"quoted"', 'a\\b', 'line\n', '😀', '1'])('%j is put into the other', (words) => {
    const shortcut = taught()
    expect(shortcut.translate(bytes(frameOf(words)))?.toString()).toBe(madeOf(words))
    expect(shortcut.chars).toBe(words.length)
  })

  test.each([
    ['no words', frameOf('')],
    ['other fields', frameOf('a').replace('"choices"', '"usage":{},"choices"')],
    ['another string behind the words', frameOf('a').replace('"a"', '"a","b":"c"')],
    ['half an escape', frameOf('a').replace('"a"', String.raw`"a\"`)],
    ['an escape that is none', frameOf('a').replace('"a"', String.raw`"\x"`)],
    ['two frames', frameOf('a') + frameOf('b')],
    ['half a frame', frameOf('a').slice(0, -1)],
  ])('%s: goes the long way', (_, frame) => {
    expect(taught().translate(bytes(frame))).toBeNull()
  })
})

test.each([
  ['the words are there twice', frameOf('Hi').replace('"choices"', '"id":"Hi","choices"'), madeOf('Hi')],
  ['the words stand in some other field', frameOf('Hi').replace('content', 'obfuscation'), madeOf('Hi')],
  [
    'the words are written in another way',
    frameOf('Hi').replace('"Hi"', String.raw`"\u0048i"`),
    madeOf('Hi'),
  ],
  ['it was more than a frame', `data: ${frameOf('Hi')}data:`, madeOf('Hi')],
  ['nothing came out', frameOf('Hi'), ''],
])('nothing is learned when %s', (_, source, target) => {
  const shortcut = new FrameShortcut()
  shortcut.learn({ words: 'Hi', source: bytes(source), target })
  expect(shortcut.translate(bytes(source))).toBeNull()
})

test('padding may be of any length, and is no part of the shape', () => {
  const padded = (words: string, padding: string): Buffer =>
    bytes(frameOf(words).replace(/\}\n\n$/, `,"obfuscation":"${padding}"}\n\n`))
  const shortcut = new FrameShortcut()
  shortcut.learn({ words: 'Hi', source: padded('Hi', 'aZ3'), target: madeOf('Hi') })
  for (const padding of ['', 'x', 'ab12cd34']) {
    expect(shortcut.translate(padded(' a"', padding))?.toString()).toBe(madeOf(' a"'))
  }
  expect(shortcut.translate(padded('a', 'x","b":"c'))).toBeNull()
  expect(shortcut.translate(bytes(frameOf('a')))).toBeNull()
})

describe('counts behind the words', () => {
  const counted = (words: string, count: string): Buffer =>
    bytes(frameOf(words).replace(/\}\n\n$/, `,"count": ${count},"b":1}\n\n`))
  const shortcut = new FrameShortcut()
  const source = counted('Hi', '7')
  const start = source.indexOf('7')
  shortcut.learn({ words: 'Hi', source, target: madeOf('Hi'), counts: [{ start, end: start + 1 }] })

  test.each(['0', '8', '123456789012345'])('may be others: %s', (count) => {
    expect(shortcut.translate(counted(' a"ü', count))?.toString()).toBe(madeOf(' a"ü'))
    expect(shortcut.bytes).toBe(Buffer.byteLength(' a"ü'))
  })

  test.each(['', '07', '-7', '7.5', '7e3', '"7"', '1234567890123456'])('or cannot: %s', (count) => {
    expect(shortcut.translate(counted('a', count))).toBeNull()
  })

  test('before the words they are nothing to go by', () => {
    const before = bytes(frameOf('Hi').replace('{', '{"count":7,'))
    const at = before.indexOf('7')
    const other = new FrameShortcut()
    other.learn({ words: 'Hi', source: before, target: madeOf('Hi'), counts: [{ start: at, end: at + 1 }] })
    expect(other.translate(before)).toBeNull()
  })
})

test('words behind a colon and a space are found as well', () => {
  const spaced = (words: string): Buffer => bytes(frameOf(words).replace('"content":', '"content": '))
  const shortcut = new FrameShortcut()
  shortcut.learn({ words: 'Hi', source: spaced('Hi'), target: madeOf('Hi') })
  expect(shortcut.translate(spaced('Ho'))?.toString()).toBe(madeOf('Ho'))
})

test('what was forgotten has to be learned again', () => {
  const shortcut = taught()
  shortcut.forget()
  expect(shortcut.translate(bytes(frameOf('a')))).toBeNull()
})

const framesIn = (stream: string): readonly Buffer[] =>
  stream
    .split(/(?<=\n\n)/)
    .filter((frame) => frame !== '')
    .map(bytes)

describe('frame by frame is as good as all at once', () => {
  const recorded: readonly (readonly [string, CallerWire, Buffer])[] = [
    ...OPENAI_NAMES.map((name) => [name, 'anthropic-messages', openAiStream(name)] as const),
    ...ANTHROPIC_NAMES.map((name) => [name, 'openai-chat', anthropicStream(name)] as const),
  ]

  test.each(recorded)('%s, for %s', (_, to, stream) => {
    const once = translate([stream], to)
    const each = translate(framesIn(stream.toString()), to)
    expect(each.frames).toBe(once.frames)
    expect(each.scanner.facts).toEqual(once.scanner.facts)
  })

  const words = fc.oneof(
    fc.string({ unit: 'grapheme' }),
    fc.constantFrom('a', ' b', '"', '\\', '\n', 'ü', '😀'),
  )
  const delta: fc.Arbitrary<StreamEvent> = fc.oneof(
    { weight: 6, arbitrary: words.map((text): StreamEvent => ({ kind: 'text-delta', text })) },
    words.map((text): StreamEvent => ({ kind: 'reasoning-delta', text })),
    words.map((argumentsJson): StreamEvent => ({ kind: 'tool-call-delta', index: 1, argumentsJson })),
    fc.constantFrom<StreamEvent>(
      { kind: 'tool-call-start', index: 1, id: 'c', name: 'content' },
      { kind: 'refusal-delta', text: 'no' },
      { kind: 'finish', reason: 'stop', raw: null, stopSequence: null },
      {
        kind: 'citation',
        citation: {
          citedText: null,
          title: 't',
          url: 'https://x/',
          documentIndex: null,
          location: null,
          span: null,
        },
      },
    ),
  )

  test.each<[CallerWire, CallerWire]>([
    ['openai-chat', 'anthropic-messages'],
    ['openai-chat', 'openai-responses'],
    ['anthropic-messages', 'openai-chat'],
    ['anthropic-messages', 'openai-responses'],
  ])('whatever comes from %s for %s', (from, to) => {
    const start: StreamEvent = { kind: 'start', id: 'content', model: 'm', usage: null }
    fc.assert(
      fc.property(fc.array(delta, { maxLength: 40 }), fc.boolean(), (deltas, keepUsage) => {
        const encoder = formatOf(from).encoder({ model: 'm', includeUsage: true, createdSeconds: 1 })
        const stream = [start, ...deltas, { kind: 'end' } as const].map((one) => encoder.encode(one)).join('')
        const once = translate([bytes(stream)], to, { from, keepUsage })
        const each = translate(framesIn(stream), to, { from, keepUsage })
        expect(each.frames).toBe(once.frames)
        expect(each.scanner.facts).toEqual(once.scanner.facts)
        expect(cutOf(each.scanner, to)).toBe(cutOf(once.scanner, to))
      }),
      { numRuns: 300 },
    )
  })

  test.each(CALLERS)('whatever comes from bedrock-converse for %s', (to) => {
    fc.assert(
      fc.property(fc.array(delta, { maxLength: 40 }), (deltas) => {
        const start: StreamEvent = { kind: 'start', id: '', model: '', usage: null }
        const stream = converseFrames([start, ...deltas.filter(({ kind }) => kind !== 'citation')])
        const once = translate([stream], to, { from: 'bedrock-converse' })
        const each = translate(messagesIn(stream), to, { from: 'bedrock-converse' })
        expect(each.frames).toBe(once.frames)
        expect(each.scanner.facts).toEqual(once.scanner.facts)
        expect(cutOf(each.scanner, to)).toBe(cutOf(once.scanner, to))
      }),
      { numRuns: 200 },
    )
  })

  test('a frame of Bedrock that is damaged goes the long way, and ends the stream', () => {
    const said = (text: string): StreamEvent => ({ kind: 'text-delta', text })
    const start: StreamEvent = { kind: 'start', id: '', model: '', usage: null }
    const frames = messagesIn(converseFrames([start, said('a'), said('b'), said('c')]))
    const damaged = Buffer.from(frames.at(-1) ?? [])
    damaged[damaged.length - 8] = (damaged[damaged.length - 8] ?? 0) ^ 1
    const { scanner } = translate([...frames.slice(0, -1), damaged], 'openai-chat', {
      from: 'bedrock-converse',
    })
    expect(scanner.facts.malformed).toBe(true)
  })
})

const CALLERS = ['openai-chat', 'openai-responses', 'anthropic-messages'] as const

/** How the stream would be ended here, which repeats what was passed on where the format does. */
const cutOf = (scanner: StreamScanner, to: CallerWire): string => formatOf(to).cutFrames(scanner)

function messagesIn(stream: Buffer): readonly Buffer[] {
  const found: Buffer[] = []
  for (let at = 0; at < stream.length; at += stream.readUInt32BE(at))
    found.push(stream.subarray(at, at + stream.readUInt32BE(at)))
  return found
}
