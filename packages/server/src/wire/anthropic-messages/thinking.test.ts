// How an ask to reason is said to Claude models, new and old, and when it gives way.

import { describe, expect, test } from 'vitest'
import { type ModelRequest, NOT_ASKED, type ReasoningAsk } from '../../core/model/message.js'
import { decodeReasoning, sayReasoning } from './thinking.js'

const LOW: ReasoningAsk = { effort: 'low', budgetTokens: null, visible: false }
const HIGH: ReasoningAsk = { effort: 'high', budgetTokens: null, visible: true }
const OLD = 'claude-sonnet-4-5-20250929'
const NEW = 'claude-opus-4-7'
const TOOL = { name: 'f', parameters: {} }

function asking(reasoning: ReasoningAsk, more: Partial<ModelRequest> = {}): ModelRequest {
  return {
    ...NOT_ASKED,
    model: NEW,
    messages: [{ role: 'user', parts: [{ kind: 'text', text: 'Hi' }] }],
    tools: [],
    toolChoice: null,
    parallelToolCalls: null,
    maxOutputTokens: 32_000,
    temperature: null,
    topP: null,
    stop: [],
    stream: false,
    includeUsage: true,
    json: null,
    user: null,
    reasoning,
    ...more,
  }
}

describe('newer models', () => {
  test('get an effort, and think as they see fit', () => {
    expect(sayReasoning(asking(LOW))).toEqual({
      thinking: { type: 'adaptive', display: 'omitted' },
      effort: 'low',
      leftOut: [],
    })
    expect(sayReasoning(asking(HIGH))).toMatchObject({ thinking: { display: 'summarized' }, effort: 'high' })
  })

  test('get the effort that covers a budget, and the loss is told', () => {
    expect(sayReasoning(asking({ effort: null, budgetTokens: 5_000, visible: true }))).toMatchObject({
      effort: 'medium',
      leftOut: ['reasoning.budgetTokens'],
    })
  })

  test('know no minimal effort', () => {
    expect(sayReasoning(asking({ ...LOW, effort: 'minimal' }))).toMatchObject({
      effort: 'low',
      leftOut: ['reasoning.effort'],
    })
  })
})

describe('older models', () => {
  test.each([
    ['low', 1_024],
    ['medium', 8_192],
    ['high', 24_576],
  ] as const)('effort %s is a budget of %d tokens', (effort, budget_tokens) => {
    expect(sayReasoning(asking({ ...LOW, effort }, { model: OLD }))).toEqual({
      thinking: { type: 'enabled', budget_tokens },
      effort: null,
      leftOut: [],
    })
  })

  test('a budget that the limit does not cover becomes half of it; less than the least is none', () => {
    const ask = { effort: null, budgetTokens: 8_000, visible: true }
    expect(sayReasoning(asking(ask, { model: OLD, maxOutputTokens: 8_000 }))).toMatchObject({
      thinking: { budget_tokens: 4_000 },
      leftOut: ['reasoning.budgetTokens'],
    })
    expect(sayReasoning(asking(ask, { model: OLD, maxOutputTokens: 2_000 }))).toEqual({
      thinking: null,
      effort: null,
      leftOut: ['reasoning'],
    })
  })

  test('do not think on about results of calls whose thoughts they were not given back', () => {
    const call = { kind: 'tool-call', id: 'c', name: 'f', argumentsJson: '{}' } as const
    const result = { kind: 'tool-result', callId: 'c', content: [], isError: false } as const
    const signed = { kind: 'reasoning', text: 'hm', signature: 's' } as const
    const turn = (parts: ModelRequest['messages'][number]['parts']): Partial<ModelRequest> => ({
      model: OLD,
      messages: [
        { role: 'assistant', parts },
        { role: 'user', parts: [result] },
      ],
    })
    expect(sayReasoning(asking(LOW, turn([call]))).leftOut).toEqual(['reasoning'])
    expect(sayReasoning(asking(LOW, turn([signed, call]))).leftOut).toEqual([])
  })

  test.each([
    ['claude-3-7-sonnet-20250219', true],
    ['us.anthropic.claude-sonnet-4-20250514-v1:0', true],
    ['claude-sonnet-4-5@20250929', true],
    ['claude-opus-4-1', true],
    ['anthropic.claude-opus-4-5-20251101-v1:0', true],
    ['claude-opus-4-6', false],
    ['anthropic.claude-opus-4-6-v1', false],
    ['claude-sonnet-5', false],
    ['something-else', false],
  ])('%s is one: %s', (model, old) => {
    const { thinking } = sayReasoning(asking(LOW, { model }))
    expect(thinking?.['type']).toBe(old ? 'enabled' : 'adaptive')
  })
})

describe('either', () => {
  test.each<[string, Partial<ModelRequest>]>([
    ['a temperature', { temperature: 0 }],
    ['a low top_p', { topP: 0.5 }],
    ['top_k', { topK: 4 }],
    ['a forced call', { tools: [TOOL], toolChoice: { kind: 'required' } }],
    ['JSON by a forced call', { json: { name: 'x', schema: null, strict: false } }],
  ])('gives up thinking for %s, and says so', (_, more) => {
    for (const model of [OLD, NEW]) {
      const said = sayReasoning(asking(LOW, { ...more, model }))
      expect(said).toMatchObject({ thinking: null, leftOut: ['reasoning'] })
      expect(said.effort).toBe(model === NEW ? 'low' : null)
    }
  })

  test('thinks not at all when asked not to, whatever else is asked', () => {
    const none: ReasoningAsk = { effort: 'none', budgetTokens: null, visible: false }
    expect(sayReasoning(asking(none, { temperature: 0 }))).toEqual({
      thinking: { type: 'disabled' },
      effort: null,
      leftOut: [],
    })
  })
})

test.each([
  [{}, null],
  [{ output_config: { effort: 'max' } }, { effort: 'xhigh', budgetTokens: null, visible: false }],
  [{ thinking: { type: 'disabled' } }, { effort: 'none', budgetTokens: null, visible: false }],
  [{ thinking: { type: 'adaptive' } }, { effort: null, budgetTokens: null, visible: true }],
  [
    { thinking: { type: 'enabled', budget_tokens: 2048, display: 'omitted' } },
    { effort: null, budgetTokens: 2048, visible: false },
  ],
])('%j asks %j', (body, expected) => {
  expect(decodeReasoning(body, [])).toEqual(expected)
})
