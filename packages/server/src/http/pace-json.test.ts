import { expect, test } from 'vitest'
import { Pace } from '../engine/capacity/pace.js'
import type { Demand, Observation } from '../core/capacity/demand.js'
import { exampleDeployment } from '../testing/example-route.js'
import { paceJson } from './pace-json.js'

const deployment = {
  ...exampleDeployment('gpu/llama'),
  targets: { firstTokenMs: 3_000, perTokenMs: 100 },
}
const demand: Demand = {
  inputTokens: 400,
  outputTokens: 100,
  outputTokensMax: 200,
  criticality: 'critical',
  tenant: 'local',
  weight: 1,
  deadlineMs: 1e9,
  stream: true,
}
const seen: Observation = {
  end: 'ok',
  status: 200,
  durationMs: 2_200,
  firstTokenMs: 200,
  inputTokens: 400,
  cachedTokens: 0,
  outputTokens: 11,
  retryAfterMs: null,
  headers: {},
}

test('before any call nothing is known and nothing limits', () => {
  expect(paceJson(deployment, new Pace(deployment, 0))).toEqual({
    concurrency: { limit: null, in_flight: 0, tokens_limit: null, tokens_in_flight: 0, moved: null },
    targets: { first_token_ms: 3_000, per_token_ms: 100 },
    latency_ms: null,
    first_token_ms: null,
    per_token_ms: null,
  })
})

test('streams twice as slow as the target: the limit, why it moved, and how long they took', () => {
  const pace = new Pace(deployment, 0)
  for (let round = 0; round < 6; round++) {
    const nowMs = round * 2_200
    const runs = Array.from({ length: 10 }, () => pace.begin(demand, nowMs))
    for (const run of runs) pace.generated(run, 1, { demand, nowMs: nowMs + 200 })
    for (const run of runs) pace.generated(run, 10, { demand, nowMs: nowMs + 200 })
    for (const run of runs) pace.end(run, seen, { demand, nowMs: nowMs + 2_200 })
  }
  pace.begin(demand, 13_200)
  const json = paceJson(deployment, pace)
  expect(json).toMatchObject({
    concurrency: { in_flight: 1, tokens_in_flight: 500, moved: { reason: 'per_token' } },
    latency_ms: { p50: expect.any(Number), p95: expect.any(Number), p99: expect.any(Number) },
    per_token_ms: 200,
  })
  expect(json.concurrency.tokens_limit).toBeLessThan(10 * 500)
  expect(Math.abs((json.first_token_ms?.p50 ?? 0) - 200)).toBeLessThan(20)
})
