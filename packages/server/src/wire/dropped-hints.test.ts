import { expect, test } from 'vitest'
import type { CallerWire } from '../core/release/release.js'
import { droppedHints as hintsDropped } from './dropped-hints.js'
import { formatOf } from './formats.js'

const PLAIN = { model: 'm', messages: [{ role: 'user', content: 'x' }] }

function droppedHints(body: unknown, from: CallerWire, to: CallerWire): string[] {
  const request = formatOf(from).decodeRequest(body)
  if (request.kind === 'invalid') throw new Error(JSON.stringify(request.problems))
  return hintsDropped({ body, request: request.value, from, to })
}

test('OpenAI to Anthropic: what is left out is named by place', () => {
  const body = {
    model: 'm',
    seed: 7,
    service_tier: 'flex',
    store: false,
    reasoning_effort: 'low',
    user: 'u',
    safety_identifier: 's',
    tools: [{ type: 'function', function: { name: 'f', strict: true } }],
    messages: [
      { role: 'system', content: 'a' },
      {
        role: 'user',
        name: 'Ann',
        content: [{ type: 'image_url', image_url: { url: 'https://x/y.png', detail: 'low' } }],
      },
      { role: 'assistant', content: 'b', reasoning_content: 'c' },
      { role: 'developer', content: 'd' },
    ],
  }
  expect(droppedHints(body, 'openai-chat', 'anthropic-messages').toSorted()).toEqual([
    'messages[1].content[0].detail',
    'messages[1].name',
    'messages[2].content[0]',
    'messages[3].position',
    'safety_identifier',
    'seed',
    'service_tier',
    'tools[0].strict',
  ])
})

test('Anthropic to OpenAI: what is left out is named by place', () => {
  const body = {
    model: 'm',
    thinking: { type: 'enabled', budget_tokens: 1024 },
    metadata: { user_id: 'u', team: 't' },
    output_config: { effort: 'low', format: { type: 'json_schema', schema: {} } },
    system: [{ type: 'text', text: 'a', cache_control: { type: 'ephemeral' } }],
    tools: [{ name: 'f', input_schema: {}, eager_input_streaming: true }],
    messages: [
      { role: 'assistant', content: [{ type: 'thinking', thinking: 'b', signature: 's' }] },
      { role: 'user', content: [{ type: 'tool_result', tool_use_id: 'x', content: 'y', is_error: true }] },
    ],
  }
  expect(droppedHints(body, 'anthropic-messages', 'openai-chat').toSorted()).toEqual([
    'messages[0].content[0].cacheControl',
    'messages[1].content[0]',
    'messages[2].content[0].isError',
    'metadata.team',
    'reasoning.budgetTokens',
    'reasoning.visible',
    'tools[0].eager_input_streaming',
  ])
})

test.each([
  [{ output_config: { effort: 'max' } }, ['output_config.effort']],
  [{ thinking: { type: 'disabled' }, output_config: { effort: 'low' } }, ['output_config.effort']],
  [{ output_config: { effort: 'low' } }, []],
])('%j loses %j', (more, lost) => {
  expect(droppedHints({ ...PLAIN, ...more }, 'anthropic-messages', 'openai-chat')).toEqual(lost)
})

test('nothing is lost on the same wire, or by a plain request', () => {
  expect(droppedHints({ ...PLAIN, seed: 1 }, 'openai-chat', 'openai-chat')).toEqual([])
  expect(droppedHints(PLAIN, 'openai-chat', 'anthropic-messages')).toEqual([])
  expect(formatOf('openai-chat').unsaid('garbage')).toEqual([])
})
