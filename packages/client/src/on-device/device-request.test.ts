import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { deviceRequestOfChat, deviceRequestOfMessages } from './device-request.js'

const user = (content: unknown) => ({ role: 'user', content })
const hi = user('Hi')
const chat = (changes: object) => deviceRequestOfChat({ messages: [hi], ...changes })

describe('a chat completion for a device', () => {
  test('is its messages, with roles and parts made plain', () => {
    const messages = [
      { role: 'developer', content: 'Be kind.' },
      user([
        { type: 'text', text: 'Hello ' },
        { type: 'text', text: 'there' },
      ]),
      { role: 'assistant', content: 'Yes?', refusal: null },
      { role: 'user', content: 'Where is it?', name: 'jane' },
    ]
    expect(deviceRequestOfChat({ messages })?.messages).toEqual([
      { role: 'system', content: 'Be kind.' },
      { role: 'user', content: 'Hello there' },
      { role: 'assistant', content: 'Yes?' },
      { role: 'user', content: 'Where is it?' },
    ])
  })

  test('carries what a runner may be able to follow', () => {
    const asked = { temperature: 0.2, top_p: 0.9, max_tokens: 5, max_completion_tokens: 7, stop: 'END' }
    expect(
      chat({ ...asked, model: 'm', user: 'u', seed: 7, stream: true, tools: undefined, n: null }),
    ).toEqual({
      messages: [hi],
      jsonSchema: null,
      stop: ['END'],
      maxOutputTokens: 7,
      temperature: 0.2,
      topP: 0.9,
    })
  })

  test.each<[object, object | null]>([
    [{ type: 'text' }, null],
    [{ type: 'json_object' }, { type: 'object' }],
    [{ type: 'json_schema', json_schema: { name: 'x', schema: { type: 'string' } } }, { type: 'string' }],
  ])('reads the format %j', (format, schema) => {
    expect(chat({ response_format: format })?.jsonSchema).toEqual(schema)
  })

  test.each<[string, object]>([
    ['tools', { tools: [] }],
    ['audio', { modalities: ['audio'] }],
    ['log probabilities', { logprobs: true }],
    ['something that is new', { never_heard_of: 1 }],
    ['an image', { messages: [user([{ type: 'image_url', image_url: { url: 'data:' } }])] }],
    ['an answer of a tool', { messages: [{ role: 'tool', tool_call_id: 'c', content: '7' }, hi] }],
    ['a call of a tool', { messages: [{ role: 'assistant', content: '', tool_calls: [{}] }, hi] }],
    ['an answer that has begun', { messages: [hi, { role: 'assistant', content: 'It is' }] }],
    ['no messages', { messages: [] }],
    ['messages of another shape', { messages: 'Hi' }],
    ['a format without its schema', { response_format: { type: 'json_schema', json_schema: {} } }],
    ['an unknown format', { response_format: { type: 'grammar' } }],
    ['stops that are no text', { stop: [7] }],
  ])('is not one with %s', (_, changes) => {
    expect(chat(changes)).toBeNull()
  })
})

test('whatever a body holds, it is read or left to the server, and ends with the user', () => {
  const part = fc.oneof(
    fc.string(),
    fc.jsonValue(),
    fc.array(fc.record({ type: fc.constant('text'), text: fc.string() })),
  )
  const role = fc.constantFrom('system', 'developer', 'user', 'assistant', 'tool')
  const messages = fc.oneof(
    fc.jsonValue(),
    fc.array(fc.oneof(fc.jsonValue(), fc.record({ role, content: part }))),
  )
  const more = fc.dictionary(
    fc.constantFrom('stop', 'response_format', 'system', 'top_p', 'n'),
    fc.jsonValue(),
  )
  fc.assert(
    fc.property(messages, more, (asked, rest) => {
      for (const read of [deviceRequestOfChat, deviceRequestOfMessages]) {
        const request = read({ ...rest, messages: asked })
        if (request === null) continue
        expect(request.messages.at(-1)?.role).toBe('user')
        expect(request.messages.every(({ content }) => typeof content === 'string')).toBe(true)
        expect('n' in rest && rest['n'] !== null).toBe(false)
      }
    }),
  )
})

describe("a message in Anthropic's format for a device", () => {
  const messages = (changes: object) => deviceRequestOfMessages({ messages: [hi], max_tokens: 9, ...changes })

  test('has its instructions first', () => {
    const system = [{ type: 'text', text: 'Be kind.', cache_control: { type: 'ephemeral' } }]
    expect(messages({ system, stop_sequences: ['END'] })).toEqual({
      messages: [{ role: 'system', content: 'Be kind.' }, hi],
      jsonSchema: null,
      stop: ['END'],
      maxOutputTokens: 9,
      temperature: null,
      topP: null,
    })
    expect(messages({ system: '' })?.messages).toEqual([hi])
  })

  test.each<[string, object]>([
    ['tools', { tools: [] }],
    ['thinking', { thinking: { type: 'enabled', budget_tokens: 1_024 } }],
    ['an image', { messages: [user([{ type: 'image', source: {} }])] }],
    ['instructions that are no text', { system: [{ type: 'image' }] }],
  ])('is not one with %s', (_, changes) => {
    expect(messages(changes)).toBeNull()
  })
})
