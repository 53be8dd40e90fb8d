import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { MessageAction } from '../core/context/shorten.js'
import { applyKept, describeMessages } from './conversation.js'

const OPENAI = [
  { role: 'system', content: 'Be kind.' },
  { role: 'user', content: 'Weather?' },
  {
    role: 'assistant',
    content: null,
    tool_calls: [
      { id: 'a', type: 'function', function: { name: 'f', arguments: '{}' } },
      { id: 'b', type: 'function', function: { name: 'f', arguments: '{}' } },
    ],
  },
  { role: 'tool', tool_call_id: 'a', content: 'x'.repeat(500) },
  { role: 'tool', tool_call_id: 'b', content: 'y'.repeat(500) },
  { role: 'assistant', content: 'Sunny.' },
  { role: 'user', content: 'Thanks.' },
]
const ANTHROPIC = [
  { role: 'user', content: 'Weather?' },
  {
    role: 'assistant',
    content: [
      { type: 'tool_use', id: 'a', name: 'f', input: {} },
      { type: 'tool_use', id: 'b', name: 'f', input: {} },
    ],
  },
  {
    role: 'user',
    content: [
      { type: 'tool_result', tool_use_id: 'a', content: 'x' },
      { type: 'tool_result', tool_use_id: 'b', content: 'y', is_error: true },
      { type: 'text', text: 'and tomorrow?' },
    ],
  },
  { role: 'assistant', content: [{ type: 'tool_use', id: 'c', name: 'f', input: {} }] },
  {
    role: 'user',
    content: [{ type: 'tool_result', tool_use_id: 'c', content: [{ type: 'text', text: 'z' }] }],
  },
  { role: 'assistant', content: 'Sunny.' },
  { role: 'user', content: [{ type: 'text', text: 'Thanks.' }] },
]

describe('describing', () => {
  test('OpenAI: tool messages are results, user messages open turns', () => {
    const shapes = describeMessages('openai-chat', { messages: OPENAI })
    expect(shapes.map((shape) => [shape.index, shape.role, shape.opensTurn, shape.toolResult])).toEqual([
      [0, 'system', false, false],
      [1, 'user', true, false],
      [2, 'assistant', false, false],
      [3, 'tool', false, true],
      [4, 'tool', false, true],
      [5, 'assistant', false, false],
      [6, 'user', true, false],
    ])
    expect(shapes[3]?.bytes).toBe(500)
  })

  test('Anthropic: a user message with results goes on with the turn before it', () => {
    const shapes = describeMessages('anthropic-messages', { system: 'x', messages: ANTHROPIC })
    expect(shapes.map((shape) => [shape.role, shape.opensTurn, shape.toolResult])).toEqual([
      ['user', true, false],
      ['assistant', false, false],
      ['user', false, true],
      ['assistant', false, false],
      ['tool', false, true],
      ['assistant', false, false],
      ['user', true, false],
    ])
  })

  test('embeddings have no conversation', () => {
    expect(describeMessages('openai-embeddings', { input: 'x' })).toEqual([])
  })
})

describe('keeping', () => {
  test('whole turns go, the rest is the very same objects', () => {
    const kept = applyKept('openai-chat', { messages: OPENAI }, [
      'keep',
      'drop',
      'drop',
      'drop',
      'drop',
      'drop',
      'keep',
    ])
    expect(kept).toEqual([OPENAI[0], OPENAI[6]])
    expect(kept[0]).toBe(OPENAI[0])
  })

  test('a blanked result stays paired and says that it was left out', () => {
    const kept = applyKept('openai-chat', { messages: OPENAI }, [
      'keep',
      'keep',
      'keep',
      'blank',
      'keep',
      'keep',
      'keep',
    ])
    expect(kept[3]).toEqual({
      role: 'tool',
      tool_call_id: 'a',
      content: '[tool result left out to save context]',
    })
    expect(kept[4]).toBe(OPENAI[4])
  })

  test('Anthropic: blanking keeps the text beside the results, their ids and their errors', () => {
    const kept = applyKept('anthropic-messages', { messages: ANTHROPIC }, [
      'keep',
      'keep',
      'blank',
      'keep',
      'keep',
      'keep',
      'keep',
    ])
    expect(kept[2]).toEqual({
      role: 'user',
      content: [
        { type: 'tool_result', tool_use_id: 'a', content: '[tool result left out to save context]' },
        {
          type: 'tool_result',
          tool_use_id: 'b',
          content: '[tool result left out to save context]',
          is_error: true,
        },
        { type: 'text', text: 'and tomorrow?' },
      ],
    })
  })

  const actions = fc.array(fc.constantFrom<MessageAction>('keep', 'drop', 'blank'), {
    minLength: 7,
    maxLength: 7,
  })

  test('OpenAI: whatever is chosen, every call has its result and every result its call, in order', () => {
    fc.assert(
      fc.property(actions, (chosen) => {
        const kept = applyKept('openai-chat', { messages: OPENAI }, chosen) as typeof OPENAI
        const calls = kept.flatMap((message) => message.tool_calls?.map((call) => call.id) ?? [])
        const results = kept.flatMap((message) => (message.role === 'tool' ? [message.tool_call_id] : []))
        expect(results).toEqual(calls)
        expect(kept.length).toBeGreaterThan(0)
      }),
    )
  })

  test('Anthropic: the same, and the conversation begins with what a user said', () => {
    type Block = { type: string; id?: string; tool_use_id?: string }
    fc.assert(
      fc.property(actions, (chosen) => {
        const kept = applyKept('anthropic-messages', { messages: ANTHROPIC }, chosen) as {
          role: string
          content: string | Block[]
        }[]
        const blocks = kept.flatMap((message) => (typeof message.content === 'string' ? [] : message.content))
        const calls = blocks.flatMap((block) => (block.type === 'tool_use' ? [block.id] : []))
        const results = blocks.flatMap((block) => (block.type === 'tool_result' ? [block.tool_use_id] : []))
        expect(results).toEqual(calls)
        expect(kept[0]?.role).toBe('user')
      }),
    )
  })
})

describe('the input of a response', () => {
  const call = (id: string) => ({ type: 'function_call', call_id: id, name: 'f', arguments: '{}' })
  const result = (id: string) => ({ type: 'function_call_output', call_id: id, output: 'x'.repeat(500) })
  const thought = { type: 'reasoning', id: 'rs', summary: [], encrypted_content: 'e' }
  const input = [
    { role: 'developer', content: 'Be kind.' },
    { role: 'user', content: 'Weather?' },
    thought,
    call('a'),
    call('b'),
    result('a'),
    result('b'),
    { type: 'message', role: 'assistant', content: [{ type: 'output_text', text: 'Sunny.' }] },
    { role: 'user', content: [{ type: 'input_text', text: 'Thanks.' }] },
  ]
  const kept = (actions: readonly MessageAction[]) => applyKept('openai-responses', { input }, actions)
  const all = (count: number): MessageAction[] => input.map((_, index) => (index < count ? 'keep' : 'drop'))

  test('items are described one by one', () => {
    const shapes = describeMessages('openai-responses', { input })
    expect(shapes.map((shape) => [shape.role, shape.opensTurn, shape.toolResult])).toEqual([
      ['system', false, false],
      ['user', true, false],
      ['assistant', false, false],
      ['assistant', false, false],
      ['assistant', false, false],
      ['tool', false, true],
      ['tool', false, true],
      ['assistant', false, false],
      ['user', true, false],
    ])
    expect(shapes[5]?.bytes).toBe(500)
    expect(describeMessages('openai-responses', { input: 'Hi' })).toMatchObject([{ role: 'user', bytes: 2 }])
  })

  test('a call keeps its result, blanked, and the thought before it', () => {
    const typed = input.map((item) => ({ type: 'message', ...item }))
    expect(kept(all(4))).toEqual([
      ...typed.slice(0, 4),
      { ...result('a'), output: '[tool result left out to save context]' },
    ])
    expect(kept(all(2))).toEqual(typed.slice(0, 2))
  })

  test('nothing kept leaves what was asked last', () => {
    expect(kept(all(0))).toEqual([{ type: 'message', ...input.at(-1) }])
  })

  test('whatever is chosen, calls and results stay together, and thoughts with what follows', () => {
    const action = fc.constantFrom<MessageAction>('keep', 'drop', 'blank')
    fc.assert(
      fc.property(fc.array(action, { minLength: input.length, maxLength: input.length }), (actions) => {
        const items = kept(actions) as { type: string; call_id?: string }[]
        const ids = (type: string) => items.flatMap((item) => (item.type === type ? [item.call_id] : []))
        expect(ids('function_call')).toEqual(ids('function_call_output'))
        const at = items.findIndex(({ type }) => type === 'reasoning')
        expect(at !== -1).toBe(ids('function_call').includes('a'))
        expect(at === -1 ? 'a' : items[at + 1]?.call_id).toBe('a')
      }),
    )
  })
})
