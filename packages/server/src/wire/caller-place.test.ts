import { expect, test } from 'vitest'
import type { CallerWire } from '../core/release/release.js'
import { inCallersTerms } from './caller-place.js'
import { formatOf } from './formats.js'

const TOOL_CALL = { id: 'a', type: 'function', function: { name: 'f', arguments: '{}' } }
const PICTURE = { type: 'image_url', image_url: { url: 'https://example.test/a.png' } }
const CHAT = {
  model: 'm',
  max_completion_tokens: 9,
  messages: [
    { role: 'system', content: 'Be brief.' },
    { role: 'user', content: [{ type: 'text', text: 'Look' }, PICTURE] },
    { role: 'assistant', reasoning_content: 'Hm.', content: 'Well', tool_calls: [TOOL_CALL, TOOL_CALL] },
    { role: 'tool', tool_call_id: 'a', content: 'x' },
    { role: 'tool', tool_call_id: 'b', content: 'y' },
    { role: 'user', content: 'Thanks' },
  ],
}
const CLAUDE_PICTURE = { type: 'image', source: { type: 'url', url: 'https://example.test/a.png' } }
const MESSAGES = {
  model: 'm',
  max_tokens: 9,
  system: [
    { type: 'text', text: 'Be' },
    { type: 'text', text: 'brief.' },
  ],
  messages: [{ role: 'user', content: [{ type: 'text', text: 'Look' }, CLAUDE_PICTURE] }],
}
const SAID = { type: 'output_text', text: 'I look.', annotations: [] }
const RESPONSES = {
  model: 'm',
  instructions: 'Be brief.',
  input: [
    { role: 'user', content: 'Weather?' },
    { type: 'message', role: 'assistant', content: [SAID] },
    { type: 'function_call', call_id: 'c', name: 'f', arguments: '{}' },
    { type: 'function_call_output', call_id: 'c', output: 'sun' },
    { role: 'user', content: [{ type: 'input_text', text: 'And here?' }] },
  ],
}

const CHAT_PLACES = [
  ['max_tokens', 'max_completion_tokens'],
  ['top_logprobs', 'logprobs'],
  ['stop', 'stop'],
  ['messages', 'messages'],
  ['tools[1].name', 'tools[1].name'],
  ['messages[1].content[1]', 'messages[1].content[1]'],
  ['messages[2].content[0]', 'messages[2].reasoning_content'],
  ['messages[2].content[1]', 'messages[2].content'],
  ['messages[2].content[3].arguments', 'messages[2].tool_calls[1].arguments'],
  ['messages[3].content[1]', 'messages[4]'],
  ['messages[4]', 'messages[5]'],
  ['messages[9].content[0]', 'messages[9].content[0]'],
] as const
const MESSAGES_PLACES = [
  ['stop', 'stop_sequences'],
  ['messages[0].content[1]', 'system[1]'],
  ['messages[1].content[1]', 'messages[0].content[1]'],
  ['messages[1]', 'messages[0]'],
] as const
const RESPONSES_PLACES = [
  ['max_tokens', 'max_output_tokens'],
  ['messages[0].content[0]', 'instructions'],
  ['messages[1].content[0]', 'input[0].content'],
  ['messages[2].content[1]', 'input[2]'],
  ['messages[3].content[0]', 'input[3]'],
  ['messages[4].content[0]', 'input[4].content[0]'],
] as const

const place = (wire: CallerWire, body: object, at: string) =>
  inCallersTerms([{ at, message: 'no' }], formatOf(wire).places(body))[0]?.at

test.each(CHAT_PLACES)('chat completions: %s is at %s', (at, there) => {
  expect(place('openai-chat', CHAT, at)).toBe(there)
})

test.each(MESSAGES_PLACES)('messages: %s is at %s', (at, there) => {
  expect(place('anthropic-messages', MESSAGES, at)).toBe(there)
})

test.each(RESPONSES_PLACES)('responses: %s is at %s', (at, there) => {
  expect(place('openai-responses', RESPONSES, at)).toBe(there)
})

test('responses: an input that is a text', () => {
  expect(place('openai-responses', { model: 'm', input: 'Hi' }, 'messages[0].content[0]')).toBe('input')
})

test.each([
  ['openai-chat', CHAT],
  ['anthropic-messages', MESSAGES],
  ['openai-responses', RESPONSES],
] as const)('%s has a place for every part of every message', (wire, body) => {
  const decoded = formatOf(wire).decodeRequest(body)
  const parts = decoded.kind === 'ok' ? decoded.value.messages.map((message) => message.parts.length) : []
  expect(
    formatOf(wire)
      .places(body)
      .messages.map((places) => places.length),
  ).toEqual(parts)
})

test.each([null, [], 'x', { messages: [null, 1, { role: 'tool' }] }, { input: [null, {}] }])(
  '%j has places that are not looked for in vain',
  (body) => {
    for (const wire of ['openai-chat', 'anthropic-messages', 'openai-responses'] as const)
      expect(place(wire, body as object, 'top_k')).toBe('top_k')
  },
)
