import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { NO_LIMITS } from '../budget/amounts.js'
import { FACTS } from '../release/facts.js'
import { type AtEnd, type BeforeCall, beforeFacts, endFacts, signalFacts } from './facts.js'

const call: BeforeCall = {
  task: 'support_reply',
  tenant: 'acme',
  model: 'support_reply',
  priority: 'interactive',
  session: null,
  stream: false,
  inputTokens: 120,
  hasTools: false,
  hasImages: true,
  remaining: { ...NO_LIMITS, nanoUsd: 50_000_000, modelCalls: 4 },
  remainingMs: 7_500,
  attributes: { account_tier: 'enterprise' },
}
const end: AtEnd = {
  task: 'support_reply',
  tenant: 'acme',
  attributes: { account_tier: 'enterprise' },
  signals: { confidence: 0.8 },
  output: {
    text: '{"reply":"Hello"}',
    finishReason: 'tool-calls',
    toolCalls: [{ name: 'refund', argumentsJson: '{"order":7}' }],
  },
  checks: { finished: true, not_empty: true, leaked_secret: false },
  evidence: ['https://example.com/kb/1'],
  verdict: { status: 'succeeded', score: null, reason: 'sent' },
  costNanoUsd: 1_230_000,
  latencyMs: 900,
  degraded: ['shorter_context'],
  escalated: true,
  modelCalls: 2,
}
const namesKnown = (...times: readonly string[]): readonly string[] =>
  FACTS.filter(({ known }) => times.includes(known)).map(({ name }) => name)

describe('beforeFacts', () => {
  test('has every fact that is listed as known before the call, and the attributes', () => {
    expect(Object.keys(beforeFacts(call)).sort()).toEqual([...namesKnown('before'), 'account_tier'].sort())
    expect(beforeFacts(call)).toMatchObject({ input_tokens: 120, has_images: true, session: '' })
  })

  test('what has no limit is not among what remains', () => {
    expect(beforeFacts(call)['remaining']).toEqual({ cost_usd: 0.05, model_calls: 4, ms: 7_500 })
  })

  test('no attribute and no signal can pass for a fact of ours', () => {
    const names = fc.constantFrom(...namesKnown('before'), '__proto__', 'other')
    fc.assert(
      fc.property(fc.dictionary(names, fc.jsonValue()), (attributes) => {
        for (const facts of [
          beforeFacts({ ...call, attributes }),
          signalFacts({ ...call, attributes: {} }, attributes),
        ]) {
          const ours = beforeFacts({ ...call, attributes: {} })
          for (const name of namesKnown('before')) expect(facts[name]).toEqual(ours[name])
          expect(Object.getPrototypeOf(facts)).toBe(Object.prototype)
        }
      }),
    )
  })
})

describe('signalFacts', () => {
  test('a signal replaces an attribute of its name; one that did not arrive leaves it alone', () => {
    const before = { ...call, attributes: { confidence: 0.1, mood: 'calm' } }
    expect(signalFacts(before, { confidence: 0.9, mood: null })).toMatchObject({
      confidence: 0.9,
      mood: 'calm',
    })
  })
})

describe('endFacts', () => {
  test('has every fact that is listed as known when a task is judged', () => {
    const facts = endFacts(end)
    for (const name of namesKnown('judged')) expect(facts).toHaveProperty(name)
    expect(facts).toEqual({
      account_tier: 'enterprise',
      confidence: 0.8,
      task: 'support_reply',
      tenant: 'acme',
      output: {
        text: '{"reply":"Hello"}',
        json: { reply: 'Hello' },
        finish_reason: 'tool-calls',
        tool_calls: [{ name: 'refund', arguments: { order: 7 } }],
      },
      checks: { finished: true, not_empty: true, leaked_secret: false },
      evidence: ['https://example.com/kb/1'],
      verdict: { status: 'succeeded', reason: 'sent' },
      cost_usd: 0.00123,
      latency_ms: 900,
      degraded: ['shorter_context'],
      escalated: true,
      model_calls: 2,
    })
  })

  test('what never came is left out: output, checks, JSON, a score', () => {
    const facts = endFacts({ ...end, output: null, checks: null, verdict: null })
    expect(Object.keys(facts)).not.toContain('output')
    expect(Object.keys(facts)).not.toContain('checks')
    expect(facts['verdict']).toEqual({})
    const prose = { text: 'Hello', finishReason: null, toolCalls: [{ name: 'a', argumentsJson: '{' }] }
    expect(endFacts({ ...end, output: prose })['output']).toEqual({
      text: 'Hello',
      tool_calls: [{ name: 'a' }],
    })
  })
})
