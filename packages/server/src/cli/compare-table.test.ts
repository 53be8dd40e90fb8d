import type { OwnedJson, PlaceJson, Report, ReportGroupJson } from '@spillway/protocol'
import { expect, test } from 'vitest'
import { createPaint } from './paint.js'
import { renderReport } from './report-table.js'

const PLAIN = createPaint(false)

const PLACE: PlaceJson = {
  duration_ms: { p50: 812, p95: 2_410 },
  first_byte_ms: { p50: 310, p95: 640 },
  output_tokens_per_second: 61.25,
  cost_per_1k_tokens_usd: 0.000_231,
  cost_per_success_usd: 0.001_92,
  error_rate: 0.004,
  throttle_rate: 0.021,
  fallback_rate: 0.018,
  task_share: 0.72,
  owned: null,
}

const OWNED: OwnedJson = {
  hours: 24,
  owned_cost_usd: 71.76,
  work_cost_usd: 51.31,
  idle_cost_usd: 20.45,
  utilisation: 0.715,
}

const HOSTED: ReportGroupJson = {
  group: 'hosted',
  tasks: 3_600,
  ended: 3_600,
  successes: 3_500,
  harms: 0,
  success_rate: 0.97,
  cost_usd: 6.72,
  cost_per_success_usd: { value: 0.00192, low: 0.0019, high: 0.00195 },
  margin_usd: null,
  price_usd: null,
  latency_ms: null,
  slo_met: null,
  degraded_share: 0,
  escalated_share: 0,
  cache_hit_share: 0,
  premium_share: 0,
  unpriced_share: 0,
  attempts: 3_704,
  model_calls: 3_650,
  input_tokens: 27_000_000,
  output_tokens: 2_000_000,
  refused: 0,
  simulated: false,
  place: PLACE,
}

const OWN: ReportGroupJson = {
  ...HOSTED,
  group: 'self-hosted',
  cost_usd: 0,
  place: {
    ...PLACE,
    first_byte_ms: null,
    output_tokens_per_second: null,
    throttle_rate: 0,
    task_share: 0.28,
    owned: OWNED,
  },
}

function reportOf(groups: readonly ReportGroupJson[], owned?: OwnedJson): Report {
  const window = { since: '2026-11-23T05:41:09.000Z', until: '2026-11-24T05:41:09.000Z' }
  return { ...window, by: 'approach', groups, ...(owned === undefined ? {} : { owned }) }
}

test('approaches stand side by side, within 110 columns', () => {
  const text = renderReport(reportOf([HOSTED, OWN], OWNED), PLAIN)
  expect(Math.max(...text.split('\n').map((line) => line.length))).toBeLessThanOrEqual(110)
  expect(text).toMatchInlineSnapshot(`
    "approach            hosted  self-hosted
    attempts             3 704        3 704
    tasks answered      72.0 %       28.0 %
    duration p50        812 ms       812 ms
    duration p95        2.41 s       2.41 s
    first byte p50      310 ms            –
    first byte p95      640 ms            –
    output tokens/s       61.3            –
    spent                $6.72           $0
    cost/1k tokens   $0.000231    $0.000231
    cost/success      $0.00192     $0.00192
    errors               0.4 %        0.4 %
    throttled            2.1 %          0 %
    fallbacks            1.8 %        1.8 %
    owned hours              –         24.0
    owned cost               –       $71.76
    of it idle               –       $20.45
    utilisation              –       71.5 %

    2026-11-23 05:41:09 – 2026-11-24 05:41:09 UTC
    simulated 0 % of tasks · priced 100 % of model calls
    owned $71.76 for 24.0 hours: work of these tasks $51.31, idle $20.45, utilisation 71.5 %
    Durations, first bytes and speed: attempts that ended well. Errors, throttled, fallbacks: of all attempts.
    Cost per success: all that was spent there, per success that was last answered there.
    Costs per token and success include the work of owned hours; idle hours are apart."
  `)
})

test('where nothing is owned, nothing is said of hours', () => {
  const text = renderReport(reportOf([HOSTED]), PLAIN)
  expect(text).not.toMatch(/owned (hours|cost)|utilisation|owned \$/)
})

test('more places than fit side by side go below', () => {
  const groups = Array.from({ length: 7 }, (_, i) => ({
    ...HOSTED,
    group: `provider-${i}/a-model-with-a-name`,
  }))
  const text = renderReport({ ...reportOf(groups), by: 'deployment' }, PLAIN)
  expect(text.match(/^deployment /gm)).toHaveLength(2)
  expect(text.match(/^attempts/gm)).toHaveLength(2)
  for (const { group } of groups) expect(text).toContain(group.slice(0, 17))
})
