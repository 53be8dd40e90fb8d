import { describe, expect, test } from 'vitest'
import { anthropicMessages } from './anthropic-messages.js'
import type { ErrorBody } from './format.js'
import { anthropicStream, valuesOf } from '../testing/recorded-streams.js'

const REQUEST = {
  model: 'support_reply',
  max_tokens: 100,
  system: [{ type: 'text', text: 'Be kind.', cache_control: { type: 'ephemeral' } }],
  messages: [
    { role: 'user', content: 'Grüße' },
    { role: 'assistant', content: [{ type: 'tool_use', id: 't1', name: 'f', input: { a: 1 } }] },
    {
      role: 'user',
      content: [
        {
          type: 'tool_result',
          tool_use_id: 't1',
          content: [
            { type: 'text', text: 'four' },
            { type: 'image', source: { type: 'base64', media_type: 'image/png', data: 'A'.repeat(5000) } },
          ],
        },
        { type: 'text', text: 'and?' },
      ],
    },
  ],
}

describe('the view of a request', () => {
  test('counts system, text, calls and results in UTF-8 bytes, and images apart', () => {
    const view = anthropicMessages.view(REQUEST)
    const call = JSON.stringify({ type: 'tool_use', id: 't1', name: 'f', input: { a: 1 } }).length
    expect(view.kind === 'ok' && view.value).toMatchObject({
      promptBytes: 8 + 7 + call + 4 + 4,
      imageCount: 1,
      maxOutputTokens: 100,
      includeUsage: true,
      wantsLogprobs: false,
      choices: 1,
    })
  })

  test('reads the schema of structured output and the user', () => {
    const schema = { type: 'object' }
    const body = {
      ...REQUEST,
      output_config: { format: { type: 'json_schema', schema } },
      metadata: { user_id: 'u1' },
    }
    const view = anthropicMessages.view(body)
    expect(view.kind === 'ok' && view.value).toMatchObject({ jsonSchema: schema, user: 'u1' })
  })

  test.each([
    ['', 'text'],
    ['model', { ...REQUEST, model: '' }],
    ['messages', { ...REQUEST, messages: 'hi' }],
    ['messages[0]', { ...REQUEST, messages: [{ role: 'tool', content: 'x' }] }],
    ['max_tokens', { ...REQUEST, max_tokens: 1.5 }],
    ['metadata.user_id', { ...REQUEST, metadata: { user_id: 5 } }],
  ])('names %s when it is wrong', (at, body) => {
    const view = anthropicMessages.view(body)
    expect(view.kind === 'invalid' && view.problems.map((problem) => problem.at)).toEqual([at])
  })
})

test('patching changes only the members named; unknown fields and the order of system survive', () => {
  const body =
    '{"model":"a","system":[{"type":"text","text":"first"},{"type":"text","text":"second"}], "brand_new": {"x":12345678901234567890},"messages":[]}'
  const patched = Buffer.from(
    anthropicMessages.patch(Buffer.from(body), { model: 'claude', maxOutputTokens: 64 }),
  ).toString()
  expect(patched).toBe(`${body.replace('"a"', '"claude"').slice(0, -1)},"max_tokens":64}`)
})

describe('a whole answer', () => {
  const answer = (fields: object) => ({
    id: 'msg_1',
    type: 'message',
    role: 'assistant',
    model: 'claude',
    content: [{ type: 'text', text: 'Hi' }],
    stop_reason: 'end_turn',
    stop_sequence: null,
    usage: { input_tokens: 5, output_tokens: 2 },
    ...fields,
  })

  test.each([
    ['end_turn', 'stop'],
    ['stop_sequence', 'stop'],
    ['max_tokens', 'length'],
    ['model_context_window_exceeded', 'length'],
    ['tool_use', 'tool-calls'],
    ['refusal', 'refusal'],
    ['pause_turn', 'other'],
    ['constructor', 'other'],
  ])('stop reason %s is %s', (raw, reason) => {
    expect(anthropicMessages.readAnswer(answer({ stop_reason: raw }))?.finishReason).toBe(reason)
  })

  test('a refusal gives its explanation, else its text', () => {
    const details = { type: 'refusal', category: null, explanation: 'Not this.' }
    expect(
      anthropicMessages.readAnswer(answer({ stop_reason: 'refusal', stop_details: details }))?.refusal,
    ).toBe('Not this.')
    expect(anthropicMessages.readAnswer(answer({ stop_reason: 'refusal' }))?.refusal).toBe('Hi')
    expect(anthropicMessages.readAnswer(answer({}))?.refusal).toBeNull()
  })

  test.each([
    '<html>',
    null,
    {},
    { type: 'error', error: { type: 'api_error', message: 'x' } },
    { type: 'message', content: 'x' },
  ])('what is none, such as %j, is not read as one', (body) => {
    expect(anthropicMessages.readAnswer(body)).toBeNull()
  })
})

describe('cutting a stream', () => {
  test.each(['text_delta', 'thinking_delta', 'partial_json":"{'])(
    'inside a block (%s) closes it, and the message',
    (mark) => {
      const text = anthropicStream('thinking-and-tools').toString()
      const passed = text.slice(0, text.indexOf('\n\n', text.indexOf(mark)) + 2)
      const scanner = anthropicMessages.scanner({ keepUsage: true, keepLogprobs: true, collect: false })
      scanner.push(Buffer.from(passed))
      const events = valuesOf(passed + anthropicMessages.cutFrames(scanner))
      const opened = events
        .filter((event) => event['type'] === 'content_block_start')
        .map((event) => event['index'])
      const closed = events
        .filter((event) => event['type'] === 'content_block_stop')
        .map((event) => event['index'])
      expect(closed).toEqual(opened)
      expect(events.at(-2)).toMatchObject({
        type: 'message_delta',
        delta: { stop_reason: 'max_tokens' },
        usage: { output_tokens: scanner.facts.deltas },
      })
      expect(events.at(-1)).toEqual({ type: 'message_stop' })
    },
  )

  test('before anything came gives a whole, empty message', () => {
    const scanner = anthropicMessages.scanner({ keepUsage: true, keepLogprobs: true, collect: false })
    const types = valuesOf(anthropicMessages.cutFrames(scanner)).map((event) => event['type'])
    expect(types).toEqual(['message_start', 'message_delta', 'message_stop'])
  })
})

describe('errors', () => {
  const error: ErrorBody = {
    code: 'capacity.shed',
    status: 429,
    message: 'busy',
    hint: 'wait',
    taskId: null,
    requestId: 'req_1',
  }

  test.each([
    [400, 'invalid_request_error'],
    [401, 'authentication_error'],
    [403, 'permission_error'],
    [404, 'not_found_error'],
    [409, 'invalid_request_error'],
    [413, 'request_too_large'],
    [429, 'rate_limit_error'],
    [500, 'api_error'],
    [502, 'api_error'],
    [503, 'overloaded_error'],
    [504, 'timeout_error'],
    [529, 'overloaded_error'],
  ])('status %i has the type %s', (status, type) => {
    expect(anthropicMessages.encodeError({ ...error, status })).toEqual({
      type: 'error',
      error: { type, message: 'busy', code: 'capacity.shed', hint: 'wait', task_id: null },
      request_id: 'req_1',
    })
  })

  test('in band it is an error event, and no message_stop follows', () => {
    expect(anthropicMessages.errorFrame(error)).toMatch(/^event: error\ndata: \{"type":"error",.*\}\n\n$/)
  })
})

test('a thread is refused so that the official client goes on without it', () => {
  const asked = anthropicMessages.view({
    model: 'm',
    max_tokens: 1,
    messages: [{ role: 'user', content: 'x' }],
    thread: { type: 'new' },
  })
  if (asked.kind !== 'invalid') throw new Error('it was accepted')
  expect(asked.problems.map(({ at }) => at)).toEqual(['thread'])
  const error = {
    code: 'request.invalid',
    status: 400,
    message: 'm',
    hint: 'h',
    taskId: null,
    requestId: 'r',
  }
  const details = { error_code: 'thread_unsupported_request', unsupported: ['thread'] }
  expect(anthropicMessages.encodeError({ ...error, problems: asked.problems })).toMatchObject({
    error: { type: 'invalid_request_error', details },
  })
  expect(anthropicMessages.encodeError(error)['error']).not.toHaveProperty('details')
})
