import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { JsonObject } from '../../core/json.js'
import { openAiResponses } from '../openai-responses.js'
import { itemsOfAnswer, itemsOfRequest, withHistory, withoutForeignProofs } from './history.js'

const ASKED = { type: 'message', role: 'user', content: [{ type: 'input_text', text: 'Hi' }] }
const own = (json: unknown) => withoutForeignProofs({ json, body: Buffer.from(JSON.stringify(json)) })
const joined = (body: string, items: readonly JsonObject[]): string =>
  Buffer.from(withHistory(Buffer.from(body), items)).toString()

describe('items', () => {
  test('of a request: a string is the message it stands for, a message says what it is', () => {
    expect(itemsOfRequest({ input: 'Hi' })).toEqual([ASKED])
    const call = { type: 'function_call_output', call_id: 'c', output: 'x' }
    expect(itemsOfRequest({ input: [{ role: 'user', content: 'Hi' }, call, 3] })).toEqual([
      { type: 'message', role: 'user', content: 'Hi' },
      call,
    ])
    for (const body of [null, {}, { input: 3 }, 'x']) expect(itemsOfRequest(body)).toEqual([])
  })

  test('of an answer: all of them, without log probabilities', () => {
    const text = { type: 'output_text', text: 'Hi', annotations: [] }
    const message = { id: 'msg_1', type: 'message', role: 'assistant', status: 'completed' }
    const reasoning = { id: 'rs_1', type: 'reasoning', summary: [], encrypted_content: 'e' }
    const output = [reasoning, { ...message, content: [{ ...text, logprobs: [{ token: 'Hi' }] }] }]
    expect(itemsOfAnswer({ output })).toEqual([reasoning, { ...message, content: [text] }])
    expect(itemsOfAnswer({ error: 'x' })).toEqual([])
  })
})

describe('what OpenAI would refuse', () => {
  test('half a call, and a thought that nothing follows, are not gone on from', () => {
    const thought = { id: 'rs_1', type: 'reasoning', summary: [], encrypted_content: 'e' }
    const call = { id: 'fc_1', type: 'function_call', call_id: 'c', name: 'f', arguments: '{}' }
    const done = { ...call, status: 'completed' }
    const half = { ...call, call_id: 'd', arguments: '{"a', status: 'incomplete' }
    expect(itemsOfAnswer({ output: [thought, done, thought, half] })).toEqual([thought, done])
    expect(itemsOfAnswer({ output: [thought] })).toEqual([])
  })

  const answer = openAiResponses.encodeAnswer(
    {
      id: 'msg_1',
      model: 'claude',
      parts: [
        { kind: 'reasoning', text: 'Hm', signature: 'of another provider' },
        { kind: 'reasoning', text: 'Hm', signature: 'of OpenAI', id: 'rs_1' },
        { kind: 'tool-call', id: 'c', name: 'f', argumentsJson: '{}', signature: 'of another' },
      ],
      finishReason: 'tool-calls',
      rawFinishReason: null,
      stopSequence: null,
      usage: null,
    },
    1,
  )

  test('thoughts and signatures of other providers are told from its own', () => {
    const input = itemsOfAnswer(answer)
    expect(input.map(({ id }) => id)).toEqual(['rs_spillway_msg_1_0', 'rs_1', 'fc_msg_1_2'])
    const cleaned = own({ input })
    expect(cleaned?.map(({ id }) => id)).toEqual(['rs_1', 'fc_msg_1_2'])
    expect(JSON.stringify(cleaned)).not.toContain('of another')
    expect(own({ input: cleaned })).toBeNull()
    expect(own({ input: 'Hi' })).toBeNull()
  })

  test('and come back as they were for whoever they belong to', () => {
    const request = openAiResponses.decodeRequest({ model: 'm', input: itemsOfAnswer(answer) })
    expect(request).toMatchObject({
      kind: 'ok',
      value: {
        messages: [
          {
            parts: [
              { kind: 'reasoning', text: 'Hm', signature: 'of another provider' },
              { kind: 'reasoning', text: 'Hm', signature: 'of OpenAI', id: 'rs_1' },
              { kind: 'tool-call', id: 'c', signature: 'of another' },
            ],
          },
        ],
      },
    })
  })
})

describe('the next request', () => {
  test('has the earlier items before its own, and no longer asks for them', () => {
    expect(
      joined('{"model":"m","input":"Gr\\u00fc\\"n","previous_response_id":"resp_1","x":1e3}', [ASKED]),
    ).toBe(
      `{"model":"m","input":[${JSON.stringify(ASKED)},{"type":"message","role":"user","content":` +
        '[{"type":"input_text","text":"Gr\\u00fc\\"n"}]}],"x":1e3}',
    )
    expect(joined('{"input":[ {"a": 1.0} , 2 ],"previous_response_id":"r"}', [ASKED])).toBe(
      `{"input":[${JSON.stringify(ASKED)},{"a": 1.0} , 2]}`,
    )
    expect(joined('{"previous_response_id":"r","input":[]}', [ASKED])).toBe(
      `{"input":[${JSON.stringify(ASKED)}]}`,
    )
  })

  test('names nothing that is stored nowhere, and keeps thoughts only where they are whole', () => {
    const items = [
      { id: 'rs_1', type: 'reasoning', summary: [] },
      { id: 'rs_2', type: 'reasoning', summary: [], encrypted_content: 'e' },
      { id: 'fc_1', type: 'function_call', status: 'completed', call_id: 'c', name: 'f', arguments: '{}' },
      { id: 'ws_1', type: 'web_search_call', status: 'completed' },
    ]
    expect(JSON.parse(joined('{"input":[]}', items))).toEqual({
      input: [items[1], { type: 'function_call', call_id: 'c', name: 'f', arguments: '{}' }, items[3]],
    })
  })

  test('whatever was asked and answered, it can be read', () => {
    const text = fc.string({ minLength: 1, unit: 'binary' })
    fc.assert(
      fc.property(text, text, text, (asked, answered, again) => {
        const body = openAiResponses.encodeAnswer(
          {
            id: 'a',
            model: 'm',
            parts: [{ kind: 'text', text: answered }],
            finishReason: 'stop',
            rawFinishReason: null,
            stopSequence: null,
            usage: null,
          },
          1,
        )
        const items = [...itemsOfRequest({ input: asked }), ...itemsOfAnswer(body)]
        const next = JSON.stringify({ model: 'm', input: again, previous_response_id: 'resp_a' })
        const request = openAiResponses.decodeRequest(JSON.parse(joined(next, items)))
        expect(request).toMatchObject({
          kind: 'ok',
          value: {
            messages: [asked, answered, again].map((words, index) => ({
              role: index === 1 ? 'assistant' : 'user',
              parts: [{ kind: 'text', text: words }],
            })),
          },
        })
      }),
    )
  })
})
