import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { DeltaSkeleton, fromLatin1 } from './delta-skeleton.js'
import { openAiChat } from '../openai-chat.js'
import { dataFrame } from '../sse.js'
import { LooseToolCalls } from './loose-tool-calls.js'

function frame(delta: object, choice: object = {}): string {
  const chunk = { id: 'c', choices: [{ index: 0, delta, finish_reason: null, ...choice }], usage: null }
  return Buffer.from(`data: ${JSON.stringify(chunk)}\n\n`).toString('latin1')
}

describe('DeltaSkeleton', () => {
  test('a frame of the shape it learned gives its text, in whatever letters', () => {
    const skeleton = new DeltaSkeleton('content')
    skeleton.learn(frame({ content: ' one' }))
    expect(skeleton.textOf(frame({ content: ' two' }))).toBe(' two')
    expect(fromLatin1(skeleton.textOf(frame({ content: 'größer 日本' })) ?? '')).toBe('größer 日本')
  })

  test.each([
    ['quotes in the text', frame({ content: 'say "so"' })],
    ['a line break in the text', frame({ content: 'one\ntwo' })],
    ['no text', frame({ content: '' })],
    ['another choice', frame({ content: 'x' }, { index: 1 })],
    ['a finish reason', frame({ content: 'x' }, { finish_reason: 'stop' })],
    ['a tool call beside the text', frame({ content: 'x', tool_calls: [{ index: 0 }] })],
  ])('a frame with %s is left to be read in full', (_, other) => {
    const skeleton = new DeltaSkeleton('content')
    skeleton.learn(frame({ content: ' one' }))
    expect(skeleton.textOf(other)).toBeNull()
  })

  test.each([
    ['tool calls', frame({ content: 'x', tool_calls: [{ index: 0, function: { arguments: '1' } }] })],
    ['reasoning', frame({ content: 'x', reasoning_content: 'because' })],
    ['another choice', frame({ content: 'x' }, { index: 1 })],
  ])('nothing is learned from a frame with %s', (_, other) => {
    const skeleton = new DeltaSkeleton('content')
    skeleton.learn(other)
    expect(skeleton.textOf(other)).toBeNull()
  })

  const padded = (content: string, obfuscation: string): string =>
    frame({ content }).replace('"usage":null', `"usage":null,"obfuscation":"${obfuscation}"`)

  test('padding may be of any length', () => {
    const skeleton = new DeltaSkeleton('content')
    skeleton.learn(padded(' one', 'aZ3'))
    for (const padding of ['', 'x', 'ab12cd34']) expect(skeleton.textOf(padded(' two', padding))).toBe(' two')
    expect(skeleton.textOf(padded(' two', 'x","error":"y'))).toBeNull()
    expect(skeleton.textOf(frame({ content: ' two' }))).toBeNull()
    expect(skeleton.textOf(padded('say "so"', 'x'))).toBeNull()
  })

  test('a scanner collects the same text as parsing every frame does, and passes every byte', () => {
    const texts = fc.array(fc.oneof(fc.string(), fc.string({ unit: 'grapheme' })), { minLength: 1 })
    fc.assert(
      fc.property(texts, fc.boolean(), (parts, isPadded) => {
        const scanner = openAiChat.scanner({ keepUsage: true, keepLogprobs: true, collect: true })
        const written = parts.map((content) =>
          isPadded ? padded(content, 'x'.repeat(content.length % 5)) : frame({ content }),
        )
        const frames = written.map((each) => Buffer.from(each, 'latin1'))
        const passed = frames.map((each) => scanner.push(each) ?? Buffer.alloc(0))
        expect(scanner.facts.text).toBe(
          parts.map((part) => JSON.parse(JSON.stringify(part)) as string).join(''),
        )
        expect(Buffer.concat(passed)).toEqual(Buffer.concat(frames))
        expect(scanner.facts.deltas).toBe(parts.filter((part) => part !== '').length)
      }),
    )
  })
})

describe('arguments of tool calls', () => {
  const index = fc.option(fc.constantFrom(0, 1), { nil: undefined })
  const args = fc.oneof(fc.string(), fc.json(), fc.constantFrom('{"', '\\', '"\\"', 'a\nb', { a: 1 }))
  const call = fc.record({
    index,
    id: fc.option(fc.constantFrom('a', 'b'), { nil: undefined, freq: 2 }),
    function: fc.record({ arguments: args }),
  })
  const delta = fc.oneof(
    { weight: 6, arbitrary: call.map((one) => ({ tool_calls: [one] })) },
    { weight: 1, arbitrary: fc.tuple(call, call).map((calls) => ({ tool_calls: calls })) },
    { weight: 2, arbitrary: fc.string().map((content) => ({ content })) },
    {
      weight: 1,
      arbitrary: fc.tuple(fc.string(), call).map(([content, one]) => ({ content, tool_calls: [one] })),
    },
  )

  test('a frame of the shape it learned gives them, quotes and all', () => {
    const piece = (text: string): string =>
      frame({ tool_calls: [{ index: 0, function: { arguments: text } }] })
    const skeleton = new DeltaSkeleton('arguments')
    skeleton.learn(piece('order'))
    for (const text of ['":"', '\\', '\\"', 'x']) {
      expect(skeleton.textOf(piece(text))).toBe(JSON.stringify(text).slice(1, -1))
    }
    expect(skeleton.textOf(piece('x').replace('"index":0,"function"', '"index":1,"function"'))).toBeNull()
    expect(skeleton.textOf(piece('x').replace('"x"', '"x\n"'))).toBeNull()
    expect(skeleton.textOf(piece('x').slice(0, -1))).toBeNull()
  })

  test('pass, and are mended, as if every frame were read', () => {
    fc.assert(
      fc.property(fc.array(delta, { minLength: 1, maxLength: 30 }), fc.boolean(), (deltas, isPadded) => {
        const frames = deltas.map((one, place) =>
          isPadded
            ? frame(one).replace('"usage":null', `"usage":null,"obfuscation":"${'x'.repeat(place % 5)}"`)
            : frame(one),
        )
        const calls = new LooseToolCalls()
        const wanted = frames.map((text) => {
          const mended = calls.concerns(text)
            ? calls.mend(JSON.parse(fromLatin1(text).slice(6)) as Record<string, unknown>)
            : null
          return mended === null ? text : Buffer.from(dataFrame(JSON.stringify(mended))).toString('latin1')
        })
        const scanner = openAiChat.scanner({ keepUsage: true, keepLogprobs: true, collect: false })
        const passed = frames.map((text) => {
          const bytes = scanner.push(Buffer.from(text, 'latin1')) ?? Buffer.alloc(0)
          return Buffer.from(bytes).toString('latin1')
        })
        expect(passed).toEqual(wanted)
        expect(scanner.facts.deltas).toBe(
          deltas.filter((one) => !('content' in one) || 'tool_calls' in one || one.content !== '').length,
        )
      }),
      { numRuns: 300 },
    )
  })
})
