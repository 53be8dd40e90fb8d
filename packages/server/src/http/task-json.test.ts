import { describe, expect, test } from 'vitest'
import { exampleAttempt, exampleOpened, exampleOutcome, exampleTrace } from '../testing/example-task.js'
import { amountsJson, limitsJson } from '../engine/answer/budget-json.js'
import { attemptJson, outcomeJson, taskJson, taskRowJson, traceJson } from './task-json.js'

function keysOf(value: unknown): string[] {
  if (Array.isArray(value)) return value.flatMap(keysOf)
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value).flatMap(([key, inner]) => [key, ...keysOf(inner)])
}

test('a trace is snake_case all the way down and survives JSON unchanged', () => {
  const json = traceJson(exampleTrace())
  expect(keysOf(json).filter((key) => /[A-Z]/.test(key))).toEqual([])
  expect(JSON.parse(JSON.stringify(json))).toEqual(json)
})

test("what the caller sent keeps the caller's own keys", () => {
  const trace = exampleTrace()
  const summary = { ...trace.summary, opened: exampleOpened({ attributes: { accountTier: 'gold' } }) }
  expect(traceJson({ ...trace, summary }).task.attributes).toEqual({ accountTier: 'gold' })
})

test('times are given as text and as ms, money as dollars of the exact decimal', () => {
  const json = taskJson(exampleTrace().summary)
  expect(json).toMatchObject({
    opened_at: '2026-11-24T05:41:09.000Z',
    opened_ms: 1_795_498_869_000,
    deadline: '2026-11-24T05:41:17.000Z',
    cost_usd: 0.0011125,
  })
})

describe('the budget of a task', () => {
  test('shows what is left, exactly, and no limit as null', () => {
    expect(taskJson(exampleTrace().summary).budget.remaining).toEqual({
      model_calls: 3,
      input_tokens: 5_600,
      output_tokens: 600,
      tool_calls: 7,
      tool_ms: null,
      cost_usd: 0.0488875,
    })
  })

  test('never has less than nothing left', () => {
    const { summary } = exampleTrace()
    const spent = { ...summary.spent, outputTokens: 900, nanoUsd: 60_000_000 }
    expect(taskJson({ ...summary, spent }).budget.remaining).toMatchObject({ output_tokens: 0, cost_usd: 0 })
  })

  test('counts what its sub-tasks spent; the cost of the task is its own', () => {
    const { summary } = exampleTrace()
    const spentWithChildren = { ...summary.spent, modelCalls: 4, nanoUsd: 10_000_000 }
    const json = taskJson({ ...summary, spentWithChildren })
    expect(json.budget.spent).toMatchObject({ model_calls: 4, cost_usd: 0.01 })
    expect(json.budget.remaining).toMatchObject({ model_calls: 1, cost_usd: 0.04 })
    expect(json.cost_usd).toBe(0.0011125)
  })

  test('accepts Infinity for no limit, as it is inside', () => {
    const limits = {
      modelCalls: 3,
      inputTokens: Infinity,
      outputTokens: 9,
      toolCalls: 0,
      toolMs: 0,
      nanoUsd: Infinity,
    }
    expect(limitsJson(limits)).toMatchObject({ model_calls: 3, input_tokens: null, cost_usd: null })
    expect(amountsJson({ ...limits, inputTokens: 1, nanoUsd: 1 })).toMatchObject({
      input_tokens: 1,
      cost_usd: 1e-9,
    })
  })
})

test('an unknown price stays unknown, and what the budget was charged is told beside it', () => {
  expect(attemptJson(exampleAttempt({ nanoUsd: null, chargedNanoUsd: 495_000 }))).toMatchObject({
    cost_usd: null,
    charged_usd: 0.000495,
  })
})

test('an outcome without a price has no margin', () => {
  expect(outcomeJson(exampleOutcome({ priceNanoUsd: null }))).toMatchObject({
    price_usd: null,
    margin_usd: null,
  })
  expect(outcomeJson(exampleOutcome()).margin_usd).toBe(0.0988875)
})

test('a row of the list has the columns of the list', () => {
  const { opened } = exampleTrace().summary
  const row = {
    id: opened.id,
    contract: 'support_reply',
    tenant: 'acme',
    status: 'open',
    openedMs: opened.atMs,
    latencyMs: null,
    success: null,
    harm: null,
    nanoUsd: 5,
    unpricedCalls: 1,
    steps: 0,
    attempts: 0,
    degraded: true,
    escalated: false,
    session: null,
    externalId: null,
  } as const
  expect(taskRowJson(row)).toMatchObject({
    id: opened.id,
    cost_usd: 5e-9,
    unpriced_calls: 1,
    latency_ms: null,
    degraded: true,
  })
})
