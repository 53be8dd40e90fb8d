// Whole answers across formats.

import { describe, expect, test } from 'vitest'
import { anthropicMessages } from './anthropic-messages.js'
import { openAiChat } from './openai-chat.js'

function toOpenAi(fields: object) {
  const base = {
    id: 'msg_1',
    type: 'message',
    role: 'assistant',
    model: 'claude',
    stop_sequence: null,
    usage: { input_tokens: 5, cache_read_input_tokens: 7, output_tokens: 2 },
  }
  const answer = anthropicMessages.decodeAnswer({ ...base, ...fields })
  return answer === null ? null : openAiChat.encodeAnswer(answer, 1_700_000_000)
}

function toAnthropic(choice: object) {
  const usage = {
    prompt_tokens: 12,
    completion_tokens: 2,
    total_tokens: 14,
    prompt_tokens_details: { cached_tokens: 7 },
  }
  const answer = openAiChat.decodeAnswer({
    id: 'chatcmpl-1',
    object: 'chat.completion',
    model: 'gpt',
    choices: [{ index: 0, ...choice }],
    usage,
  })
  return answer === null ? null : anthropicMessages.encodeAnswer(answer, 1_700_000_000)
}

const call = { id: 'call_1', type: 'function', function: { name: 'f', arguments: '{"a":1}' } }
const use = { type: 'tool_use', id: 'call_1', name: 'f', input: { a: 1 } }

describe('Anthropic to OpenAI', () => {
  test('text, thinking, calls and usage find their places', () => {
    const content = [
      { type: 'thinking', thinking: 'hm', signature: 's' },
      { type: 'text', text: 'One' },
      { type: 'text', text: ' two' },
      use,
    ]
    expect(toOpenAi({ content, stop_reason: 'tool_use' })).toMatchObject({
      id: 'msg_1',
      object: 'chat.completion',
      choices: [
        {
          message: {
            role: 'assistant',
            content: 'One two',
            reasoning_content: 'hm',
            refusal: null,
            tool_calls: [call],
          },
          finish_reason: 'tool_calls',
          logprobs: null,
        },
      ],
      usage: {
        prompt_tokens: 12,
        completion_tokens: 2,
        total_tokens: 14,
        prompt_tokens_details: { cached_tokens: 7 },
      },
    })
  })

  test('the JSON tool’s arguments are the answer’s text, whatever is around them', () => {
    const content = [
      { type: 'text', text: 'Here:' },
      { type: 'tool_use', id: 't', name: 'spillway_json__reply', input: { mood: 'good' } },
    ]
    expect(toOpenAi({ content, stop_reason: 'tool_use' })).toMatchObject({
      choices: [{ message: { content: '{"mood":"good"}' }, finish_reason: 'stop' }],
    })
    expect(toOpenAi({ content, stop_reason: 'tool_use' })).not.toHaveProperty('choices[0].message.tool_calls')
    expect(anthropicMessages.readAnswer({ type: 'message', content, stop_reason: 'tool_use' })).toMatchObject(
      { text: '{"mood":"good"}', toolCalls: [], finishReason: 'stop' },
    )
  })

  test.each([
    ['end_turn', 'stop'],
    ['stop_sequence', 'stop'],
    ['max_tokens', 'length'],
    ['refusal', 'content_filter'],
    ['pause_turn', 'stop'],
  ])('stop reason %s is finish reason %s', (stop_reason, finish_reason) => {
    expect(toOpenAi({ content: [{ type: 'text', text: 'x' }], stop_reason })).toMatchObject({
      choices: [{ finish_reason }],
    })
  })

  test('calls that end with "end_turn" still end with tool_calls', () => {
    expect(toOpenAi({ content: [use], stop_reason: 'end_turn' })).toMatchObject({
      choices: [{ finish_reason: 'tool_calls' }],
    })
  })

  test('an explained refusal is said in the refusal field', () => {
    const stop_details = { type: 'refusal', category: 'bio', explanation: 'Not this.' }
    expect(toOpenAi({ content: [], stop_reason: 'refusal', stop_details })).toMatchObject({
      choices: [{ message: { content: null, refusal: 'Not this.' }, finish_reason: 'stop' }],
    })
  })
})

describe('OpenAI to Anthropic', () => {
  test('text, calls and usage find their places; unsigned reasoning does not pass', () => {
    const message = { role: 'assistant', content: 'One', reasoning_content: 'hm', tool_calls: [call] }
    expect(toAnthropic({ message, finish_reason: 'tool_calls' })).toEqual({
      id: 'chatcmpl-1',
      type: 'message',
      role: 'assistant',
      model: 'gpt',
      content: [{ type: 'text', text: 'One' }, use],
      stop_reason: 'tool_use',
      stop_sequence: null,
      usage: {
        input_tokens: 5,
        cache_read_input_tokens: 7,
        cache_creation_input_tokens: 0,
        cache_creation: { ephemeral_5m_input_tokens: 0, ephemeral_1h_input_tokens: 0 },
        output_tokens: 2,
      },
    })
  })

  test('calls that end with "stop" (a forced tool) still end with tool_use', () => {
    expect(
      toAnthropic({ message: { content: null, tool_calls: [call] }, finish_reason: 'stop' }),
    ).toMatchObject({ stop_reason: 'tool_use' })
  })

  test('a call cut at the limit becomes an empty input and says max_tokens', () => {
    const cut = { ...call, function: { name: 'f', arguments: '{"a":' } }
    expect(
      toAnthropic({ message: { content: null, tool_calls: [cut] }, finish_reason: 'length' }),
    ).toMatchObject({ content: [{ type: 'tool_use', input: {} }], stop_reason: 'max_tokens' })
  })

  test.each([
    ['stop', 'end_turn'],
    ['length', 'max_tokens'],
    ['content_filter', 'refusal'],
    ['something', 'end_turn'],
  ])('finish reason %s is stop reason %s', (finish_reason, stop_reason) => {
    expect(toAnthropic({ message: { content: 'x' }, finish_reason })).toMatchObject({ stop_reason })
  })

  test('a refusal is text with the stop reason refusal', () => {
    expect(toAnthropic({ message: { content: null, refusal: 'No.' }, finish_reason: 'stop' })).toMatchObject({
      content: [{ type: 'text', text: 'No.' }],
      stop_reason: 'refusal',
    })
  })
})
