import type { ReportGroupJson } from '@spillway/protocol'
import { describe, expect, test } from 'vitest'
import { createPaint } from './paint.js'
import { isReport, renderReport } from './report-table.js'

const PLAIN = createPaint(false)

const GROUP: ReportGroupJson = {
  group: 'support_reply',
  tasks: 5_000,
  ended: 4_990,
  successes: 4_810,
  harms: 0,
  success_rate: 0.9639,
  cost_usd: 10.72,
  cost_per_success_usd: { value: 0.002229, low: 0.002183, high: 0.002276 },
  margin_usd: 470.28,
  price_usd: 481,
  latency_ms: { p50: 874, p95: 2_410, p99: 4_120 },
  slo_met: 0.984,
  degraded_share: 0.031,
  escalated_share: 0.12,
  cache_hit_share: 0.08,
  premium_share: 0.04,
  unpriced_share: 0,
  attempts: 6_020,
  model_calls: 5_900,
  input_tokens: 2_100_000,
  output_tokens: 410_000,
  refused: 12,
  simulated: true,
}

const QUIET: ReportGroupJson = {
  ...GROUP,
  group: 'a_contract_with_a_very_long_name',
  tasks: 3,
  ended: 2,
  successes: 0,
  success_rate: 0,
  cost_usd: 0.02,
  cost_per_success_usd: null,
  margin_usd: null,
  price_usd: null,
  latency_ms: null,
  slo_met: null,
  unpriced_share: 0.5,
  model_calls: 4,
  refused: 0,
  simulated: false,
}

function report(groups: readonly ReportGroupJson[]) {
  return {
    since: '2026-11-23T05:41:09.000Z',
    until: '2026-11-24T05:41:09.000Z',
    by: 'contract' as const,
    groups,
  }
}

test('the whiteboard reads well within 100 columns', () => {
  const text = renderReport(report([GROUP, QUIET]), PLAIN)
  expect(Math.max(...text.split('\n').map((line) => line.length))).toBeLessThanOrEqual(100)
  expect(text).toMatchInlineSnapshot(`
    "contract          tasks  success      cost/success   margin     p50     p95     p99  SLO met
    support_reply     5 000   96.4 %          $0.00223  $470.28  874 ms  2.41 s  4.12 s   98.4 %
                                      $0.00218–0.00228
    a_contract_with…      3      0 %                 –        –       –       –       –        –

    drivers             spent  calls     tokens  degraded  escalated  cached  premium  unpriced  refused
    support_reply      $10.72   1.18     420→82     3.1 %     12.0 %   8.0 %    4.0 %       0 %       12
    a_contract_with…  $0.0200   1.33  700k→137k     3.1 %     12.0 %   8.0 %    4.0 %    50.0 %        0

    a_contract_with_a_very_long_name: spent $0.0200, 0 successes.

    2026-11-23 05:41:09 – 2026-11-24 05:41:09 UTC
    simulated >99.9 % of tasks · priced >99.9 % of model calls
    Cost per success: everything spent, failures included; below it the 95 % interval.
    Calls and tokens (in→out) are per task; premium and unpriced are shares of model calls."
  `)
})

describe('what is not known', () => {
  test('is a dash and not a zero', () => {
    const text = renderReport(report([{ ...QUIET, cost_usd: 0, tasks: 0, model_calls: 0 }]), PLAIN)
    expect(text).toContain('simulated – of tasks · priced – of model calls')
    expect(text.split('\n')[1]).toMatch(/0 +0 % +– +– +– +– +– +–$/)
  })

  test('includes a bound that too few tasks cannot give', () => {
    const cost = { value: 0.31, low: null, high: null }
    expect(renderReport(report([{ ...GROUP, cost_per_success_usd: cost }]), PLAIN)).toContain(
      'too few to bound',
    )
  })
})

test('money without any success is said in words', () => {
  expect(renderReport(report([QUIET]), PLAIN)).toContain('spent $0.0200, 0 successes.')
})

test('what providers’ caches saved is said, and what they cost', () => {
  const cached = (saved: number) =>
    renderReport(report([{ ...GROUP, cached_input_share: 0.42, cache_saved_usd: saved }]), PLAIN)
  expect(cached(1.2)).toContain(
    'support_reply: 42.0 % of the input tokens read from providers’ caches, which saved $1.20.',
  )
  expect(cached(-0.5)).toContain('which cost $0.500 more.')
})

test('an empty window says which window', () => {
  expect(renderReport(report([]), PLAIN)).toBe(
    'No tasks between 2026-11-23 05:41:09 and 2026-11-24 05:41:09 UTC.',
  )
})

test('a loss is red, and only where colours are wanted', () => {
  const loss = report([{ ...GROUP, margin_usd: -1.5 }])
  expect(renderReport(loss, createPaint(true))).toContain('\u001b[31m-$1.50\u001b[39m')
  expect(renderReport(loss, PLAIN)).not.toContain('\u001b[')
})

test.each([[null], [[]], [{ groups: {} }], [{ since: 'x' }]])('%j is not taken for a report', (body) => {
  expect(isReport(body)).toBe(false)
})
