import { describe, expect, test } from 'vitest'
import type { AttemptId } from '../core/ids.js'
import type { TaskTrace } from '../core/task/views.js'
import { traceJson } from '../http/task-json.js'
import {
  exampleAttempt,
  exampleOutcome,
  exampleSettled,
  exampleStep,
  exampleTrace,
} from '../testing/example-task.js'
import { createPaint } from './paint.js'
import { isTrace, renderTrace } from './trace-tree.js'

function render(changes: Partial<TaskTrace> = {}): string {
  return renderTrace(traceJson({ ...exampleTrace(), ...changes }), createPaint(false))
}

test('a task reads as a tree of steps, choices, attempts and its outcome', () => {
  expect(render()).toMatchInlineSnapshot(`
    "support_reply task_01example
    tenant acme · release rel_0123456789abcdef · succeeded · 1.84 s · $0.00111
    opened 2026-11-24 05:41:09 UTC · session conversation-7 · external id ticket-42
    budget  calls 2/5 · tokens in 400/6 000 · out 100/700 · tools 1/8 · tool ms 400/∞ · cost $0.00111/$0.0500 · time 1.84 s/8.00 s
    ├─ ██████████████······ 1 chat.completions +2 ms 1.10 s
    │  ├─ gpt-4o-mini (small) · route default · first byte 570 ms · finish stop
    │  ├─ rule without its facts: sentiment == 'high_risk'
    │  ├─ plan: gpt-4o-mini (no rule applies) {"input_tokens":400}
    │  ├─ judge: accept (confidence 0.91)
    │  ├─ attempt 1 openai/gpt-4o-mini-2024-07-18: 429 http_429 · 12 ms · no tokens · not charged
    │  └─ attempt 2 openai/gpt-4o-mini-2024-07-18: 200 ok · 840 ms · input 300, cache read 100, output 90, reasoning 10 · $0.000112 (reported, genai-prices-0.1.8)
    ├─ ···············█████ 2 tool lookup_order +1.20 s 400 ms
    │  └─ cost $0.00100
    ├─ sub-task task_02child
    └─ outcome succeeded: success · SLO met · price $0.100 · margin $0.0989 · by application"
  `)
})

describe('a trace tells', () => {
  test('what a crash left behind as recovered, with its worst case', () => {
    const lost = exampleAttempt({
      id: 'attempt_9' as AttemptId,
      number: 3,
      basis: 'worst-case',
      end: 'process_died',
      status: 0,
    })
    const text = render({ charges: [...exampleTrace().charges, exampleSettled(lost)] })
    expect(text).toContain('recovered charge of step 1')
    expect(text).toContain('attempt 3 openai/gpt-4o-mini-2024-07-18: process_died')
    expect(text).toContain('(worst-case, genai-prices-0.1.8)')
  })

  test('a call on a device, with its tokens and that it cost nothing', () => {
    const inputs = { approach: 'on-device', model: 'browser', output_tokens: 5 }
    const decision = { stage: 'attempt', choice: 'on-device', reason: 'answered', inputs } as const
    const by = { model: 'on-device/browser', deployment: 'on-device/browser', route: 'on-device', tier: null }
    const text = render({ steps: [exampleStep({ ...by, attempts: [], decisions: [decision] })] })
    expect(text).toContain('on-device/browser · route on-device · no cost')
    expect(text).toContain(
      'attempt: on-device (answered) {"approach":"on-device","model":"browser","output_tokens":5}',
    )
  })

  test('a price that is unknown, and what the budget was charged for it', () => {
    const attempt = exampleAttempt({ nanoUsd: null, chargedNanoUsd: 495_000, priceBook: null })
    expect(render({ steps: [exampleStep({ attempts: [attempt] })] })).toContain(
      'price –, budget charged $0.000495 (reported)',
    )
  })

  test('a claim of the provider that was not believed', () => {
    const attempt = exampleAttempt({
      disputed: { input: 9_000_000, output: 1, total: null },
      basis: 'estimated',
    })
    const text = render({ steps: [exampleStep({ attempts: [attempt] })] })
    expect(text).toContain('not believed: the provider claimed 9 000 000 in, 1 out, – in all')
  })

  test('a cached answer with its age, rungs taken, and the error of a failed step', () => {
    const cached = exampleStep({
      cache: 'exact',
      cacheAgeMs: 61_000,
      attempts: [],
      degraded: ['cached_answer'],
    })
    const failed = exampleStep({ error: 'upstream.failed', escalated: true, streamed: true })
    const text = render({ steps: [cached, failed] })
    expect(text).toContain('exact cache, 1 min 01 s old · degraded: cached_answer')
    expect(text).toContain('upstream.failed')
    expect(text).toContain('escalated · streamed')
  })

  test('every outcome, the harmful one in words', () => {
    const harmful = exampleOutcome({
      success: false,
      harm: true,
      reasons: ['checks.leaked_secret'],
      priceNanoUsd: null,
    })
    const text = render({ outcomes: [exampleOutcome(), harmful] })
    expect(text).toContain('outcome succeeded: no success · harm · SLO met · by application')
    expect(text).toContain('checks.leaked_secret')
  })
})

test('a task without any step yet is shown', () => {
  const { summary } = exampleTrace()
  const open = { ...summary, status: 'open', outcome: null } as const
  const text = render({ summary: open, steps: [], charges: [], outcomes: [], children: [] })
  expect(text).toContain('open · – · $0.00111')
})

test.each([[null], [{ task: {} }], [{ task: {}, steps: [] }]])('%j is not taken for a trace', (body) => {
  expect(isTrace(body)).toBe(false)
})
