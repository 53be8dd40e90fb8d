import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { DeltaSkeleton, fromLatin1 } from './delta-skeleton.js'
import { openAiChat } from '../openai-chat.js'

function frame(delta: object, choice: object = {}): string {
  const chunk = { id: 'c', choices: [{ index: 0, delta, finish_reason: null, ...choice }], usage: null }
  return Buffer.from(`data: ${JSON.stringify(chunk)}\n\n`).toString('latin1')
}

describe('DeltaSkeleton', () => {
  test('a frame of the shape it learned gives its text, in whatever letters', () => {
    const skeleton = new DeltaSkeleton()
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
    const skeleton = new DeltaSkeleton()
    skeleton.learn(frame({ content: ' one' }))
    expect(skeleton.textOf(other)).toBeNull()
  })

  test.each([
    ['tool calls', frame({ content: 'x', tool_calls: [{ index: 0, function: { arguments: '1' } }] })],
    ['reasoning', frame({ content: 'x', reasoning_content: 'because' })],
    ['another choice', frame({ content: 'x' }, { index: 1 })],
  ])('nothing is learned from a frame with %s', (_, other) => {
    const skeleton = new DeltaSkeleton()
    skeleton.learn(other)
    expect(skeleton.textOf(other)).toBeNull()
  })

  test('a scanner collects the same text as parsing every frame does, and passes every byte', () => {
    const texts = fc.array(fc.oneof(fc.string(), fc.string({ unit: 'grapheme' })), { minLength: 1 })
    fc.assert(
      fc.property(texts, (parts) => {
        const scanner = openAiChat.scanner({ keepUsage: true, keepLogprobs: true, collect: true })
        const frames = parts.map((content) => Buffer.from(frame({ content }), 'latin1'))
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
