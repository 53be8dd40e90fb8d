import { expect, test } from 'vitest'
import type { ReportGroup } from '../core/task/report.js'
import { summariseReport } from '../core/task/summarise-report.js'
import { groupJson, ownedJson } from './report-json.js'

const GROUP: ReportGroup = {
  group: 'support_reply',
  tasks: 3,
  ended: 2,
  successes: 2,
  harms: 0,
  nanoUsd: 4_000_000,
  costSquaredUsd: 8e-6,
  costOfSuccessesUsd: 0.004,
  priceNanoUsd: 200_000_000,
  latencyMs: { p50: 1, p95: 2, p99: 3 },
  sloMet: 1,
  sloJudged: 2,
  degraded: 1,
  escalated: 0,
  cacheHits: 0,
  modelCalls: 4,
  unpricedCalls: 0,
  attempts: 5,
  premiumCalls: 2,
  inputTokens: 10,
  outputTokens: 20,
  refused: 7,
  simulated: true,
}

test('a report group carries every number of the whiteboard', () => {
  expect(groupJson(onlyGroup('none', GROUP))).toMatchInlineSnapshot(`
    {
      "attempts": 5,
      "cache_hit_share": 0,
      "cache_saved_usd": 0,
      "cached_input_share": 0,
      "cost_per_success_usd": {
        "high": 0.002,
        "low": 0.002,
        "value": 0.002,
      },
      "cost_usd": 0.004,
      "degraded_share": 0.5,
      "ended": 2,
      "escalated_share": 0,
      "group": "support_reply",
      "harms": 0,
      "input_tokens": 10,
      "latency_ms": {
        "p50": 1,
        "p95": 2,
        "p99": 3,
      },
      "margin_usd": 0.196,
      "model_calls": 4,
      "output_tokens": 20,
      "premium_share": 0.5,
      "price_usd": 0.2,
      "refused": 7,
      "simulated": true,
      "slo_met": 0.5,
      "success_rate": 1,
      "successes": 2,
      "tasks": 3,
      "unpriced_share": 0,
    }
  `)
})

function onlyGroup(by: 'none' | 'approach', group: ReportGroup) {
  const [only] = summariseReport(by, [group], []).groups
  if (only === undefined) throw new Error('one group went in and none came out')
  return only
}

test('a place carries what it is compared by, and nothing else changes', () => {
  const place = {
    answered: 2,
    durationMs: { p50: 900, p95: 1_200 },
    firstByteMs: null,
    okDurationMs: 4_000,
    okOutputTokens: 20,
    errors: 1,
    throttled: 2,
    fallbacks: 1,
  }
  const { place: shown, ...rest } = groupJson(onlyGroup('approach', { ...GROUP, place }))
  expect(rest).toEqual(groupJson(onlyGroup('none', GROUP)))
  expect(shown).toEqual({
    duration_ms: { p50: 900, p95: 1_200 },
    first_byte_ms: null,
    output_tokens_per_second: 5,
    cost_per_1k_tokens_usd: 4 / 30,
    cost_per_success_usd: 0.002,
    error_rate: 0.2,
    throttle_rate: 0.4,
    fallback_rate: 0.2,
    task_share: 1,
    owned: null,
  })
})

test('owned hours carry what they cost and what came of it', () => {
  const cost = {
    deployment: 'gpu-a/llama',
    provider: 'gpu-a',
    hosting: 'self-hosted',
    ownedMs: 7_200_000,
    busyMs: 1_800_000,
    ownedNanoUsd: 8_000_000_000,
    workNanoUsd: 2_000_000_000,
    idleNanoUsd: 6_000_000_000,
    shares: [{ group: 'own', nanoUsd: 1_500_000_000 }],
  } as const
  const { owned, groups } = summariseReport('approach', [], [cost])
  expect(owned === null ? null : ownedJson(owned)).toEqual({
    hours: 2,
    owned_cost_usd: 8,
    work_cost_usd: 1.5,
    idle_cost_usd: 6,
    utilisation: 0.25,
  })
  // Nobody called it: it shows all the same.
  expect(groups.map(({ group, tasks, place }) => [group, tasks, place?.owned])).toEqual([
    ['self-hosted', 0, owned],
  ])
})
