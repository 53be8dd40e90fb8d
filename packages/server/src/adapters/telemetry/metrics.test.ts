import { describe, expect, test } from 'vitest'
import type { TaskId } from '../../core/ids.js'
import {
  exampleAttempt,
  exampleOpened,
  exampleOutcome,
  exampleSettled,
  exampleStep,
  exampleTool,
} from '../../testing/example-task.js'
import type { Entry } from '../../core/task/records.js'
import { HistogramCell } from './metric-families.js'
import { createMetrics } from './metrics.js'

async function textOf(...entries: readonly Entry[]): Promise<string> {
  const metrics = createMetrics({ processMetrics: false })
  for (const entry of entries) metrics.observe(entry)
  return metrics.text()
}

/** The samples of one metric, without those that are zero. */
async function samples(name: string, ...entries: readonly Entry[]): Promise<string[]> {
  const lines = (await textOf(...entries)).split('\n')
  return lines
    .filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `))
    .filter((line) => !line.endsWith(' 0'))
}

const opened = exampleOpened()
const step = exampleStep()
const settled = step.attempts.map((attempt) => exampleSettled(attempt))
const whole: readonly Entry[] = [opened, ...settled, step, exampleTool(), exampleOutcome()]

describe('a task', () => {
  test('is counted once under its contract, with duration and cost', async () => {
    expect(await samples('spillway_tasks_total', ...whole)).toEqual([
      'spillway_tasks_total{contract="support_reply",outcome="success"} 1',
    ])
    const text = await textOf(...whole)
    expect(text).toContain('spillway_task_duration_seconds_sum{contract="support_reply"} 1.842')
    expect(text).toContain('spillway_task_duration_seconds_bucket{contract="support_reply",le="1.5"} 0')
    expect(text).toContain('spillway_task_duration_seconds_bucket{contract="support_reply",le="2"} 1')
    expect(text).toContain('spillway_task_cost_usd_sum{contract="support_reply"} 0.0011125')
    expect(text).toContain('spillway_task_slo_total{contract="support_reply",met="true"} 1')
  })

  test.each([
    [{ success: false }, 'failure'],
    [{ success: false, status: 'abandoned' as const }, 'abandoned'],
    [{ success: false, harm: true }, 'harm'],
  ])('that ended with %j is a %s', async (changes, outcome) => {
    expect(await samples('spillway_tasks_total', opened, exampleOutcome(changes))).toEqual([
      `spillway_tasks_total{contract="support_reply",outcome="${outcome}"} 1`,
    ])
  })

  test('that is judged again is not counted again', async () => {
    const entries = [opened, exampleOutcome(), exampleOutcome({ success: false })]
    expect(await samples('spillway_tasks_total', ...entries)).toHaveLength(1)
    expect(await samples('spillway_outcomes_revised_total', ...entries)).toEqual([
      'spillway_outcomes_revised_total 1',
    ])
  })
})

describe('money and tokens', () => {
  test('are those of the ledger, by model and class, and the step does not add them again', async () => {
    expect(await samples('spillway_cost_usd_total', ...whole)).toEqual([
      'spillway_cost_usd_total{contract="support_reply",model="gpt-4o-mini",provider="openai"} 0.0001125',
      'spillway_cost_usd_total{contract="support_reply",model="none",provider="tool"} 0.001',
    ])
    expect(await samples('spillway_tokens_total', ...whole)).toEqual([
      'spillway_tokens_total{model="gpt-4o-mini",class="input"} 300',
      'spillway_tokens_total{model="gpt-4o-mini",class="cache_read"} 100',
      'spillway_tokens_total{model="gpt-4o-mini",class="output"} 90',
      'spillway_tokens_total{model="gpt-4o-mini",class="reasoning"} 10',
    ])
  })

  test('of a hedge that is settled after the outcome still belong to the contract', async () => {
    const late = exampleSettled(exampleAttempt({ provider: 'gpu-a' }))
    expect(await samples('spillway_cost_usd_total', opened, exampleOutcome(), late)).toEqual([
      'spillway_cost_usd_total{contract="support_reply",model="gpt-4o-mini",provider="gpu-a"} 0.0001125',
    ])
  })

  test('of unknown price are counted as unpriced and cost nothing that is not known', async () => {
    const unknown = exampleSettled(
      exampleAttempt({ nanoUsd: null, disputed: { input: 1, output: 1, total: 9 } }),
    )
    expect(await samples('spillway_cost_usd_total', opened, unknown)).toEqual([])
    expect(await samples('spillway_unpriced_calls_total', opened, unknown)).toEqual([
      'spillway_unpriced_calls_total{model="gpt-4o-mini"} 1',
    ])
    expect(await samples('spillway_usage_disputed_total', opened, unknown)).toEqual([
      'spillway_usage_disputed_total{provider="openai"} 1',
    ])
  })
})

test('attempts are counted by how they ended, with their times', async () => {
  expect(await samples('spillway_attempts_total', ...whole)).toEqual([
    'spillway_attempts_total{deployment="openai/gpt-4o-mini-2024-07-18",end="ok"} 1',
    'spillway_attempts_total{deployment="openai/gpt-4o-mini-2024-07-18",end="http_429"} 1',
  ])
  const text = await textOf(...whole)
  expect(text).toContain(
    'spillway_attempt_duration_seconds_count{deployment="openai/gpt-4o-mini-2024-07-18"} 2',
  )
  expect(text).toContain(
    'spillway_attempt_first_byte_seconds_sum{deployment="openai/gpt-4o-mini-2024-07-18"} 0.31',
  )
})

test('copies of calls are counted by how they ended, and what was in vain by its cost', async () => {
  const won = exampleSettled(exampleAttempt({ purpose: 'hedge', deployment: 'b/m' }))
  const lost = exampleSettled(
    exampleAttempt({ end: 'hedge_lost', deployment: 'a/m', nanoUsd: 2_000_000, chargedNanoUsd: 2_000_000 }),
  )
  expect(await samples('spillway_hedges_total', won, lost)).toEqual([
    'spillway_hedges_total{deployment="b/m",end="ok"} 1',
  ])
  expect(await samples('spillway_hedge_lost_usd_total', won, lost)).toEqual([
    'spillway_hedge_lost_usd_total{deployment="a/m"} 0.002',
  ])
})

test('two models on one deployment keep their tokens apart', async () => {
  const other = exampleSettled(exampleAttempt({ model: 'small-twin' }))
  const lines = await samples('spillway_tokens_total', opened, ...settled, other)
  expect(lines.filter((line) => line.includes('class="input"'))).toEqual([
    'spillway_tokens_total{model="gpt-4o-mini",class="input"} 300',
    'spillway_tokens_total{model="small-twin",class="input"} 300',
  ])
})

test.each<[string, Partial<typeof step>, string]>([
  ['spillway_degraded_total', { degraded: ['refine'] }, '{contract="support_reply",rung="refine"} 1'],
  [
    'spillway_escalations_total',
    { escalated: true, route: 'escalated:1' },
    '{contract="support_reply",rule="1"} 1',
  ],
  [
    'spillway_escalations_total',
    { escalated: true, route: 'on-device' },
    '{contract="support_reply",rule="on-device"} 1',
  ],
  [
    'spillway_escalations_total',
    { escalated: true, route: 'degraded' },
    '{contract="support_reply",rule="unknown"} 1',
  ],
  ['spillway_unknown_facts_total', { unknownRules: ['a', 'b'] }, '{contract="support_reply"} 2'],
  ['spillway_cache_total', { cache: 'exact' }, '{contract="support_reply",result="exact"} 1'],
  [
    'spillway_holds_refused_total',
    { decisions: [{ stage: 'hold', choice: 'refused', reason: 'short', inputs: { limit: 'nanoUsd' } }] },
    '{limit="nanoUsd"} 1',
  ],
])('%s counts steps with %j', async (name, changes, sample) => {
  expect(await samples(name, opened, exampleStep(changes))).toEqual([`${name}${sample}`])
})

test('refusals are counted by code', async () => {
  const refusal: Entry = {
    kind: 'call-refused',
    atMs: 0,
    tenant: null,
    contract: null,
    task: null,
    code: 'auth.missing',
  }
  expect(await samples('spillway_refusals_total', refusal, refusal)).toEqual([
    'spillway_refusals_total{code="auth.missing"} 2',
  ])
})

describe('the OpenTelemetry metrics', () => {
  const labels =
    'gen_ai_operation_name="chat",gen_ai_provider_name="openai",gen_ai_request_model="gpt-4o-mini"'

  test('count input with what was cached and output with reasoning, per operation', async () => {
    const text = await textOf(...whole)
    expect(text).toContain(`gen_ai_client_token_usage_sum{${labels},gen_ai_token_type="input"} 400`)
    expect(text).toContain(`gen_ai_client_token_usage_sum{${labels},gen_ai_token_type="output"} 100`)
    expect(text).toContain(
      `gen_ai_client_operation_duration_seconds_count{${labels},error_type="http_429"} 1`,
    )
    expect(text).toContain(`gen_ai_client_operation_duration_seconds_sum{${labels},error_type=""} 0.84`)
  })

  test('tell the time to the first chunk of streams only', async () => {
    const name = `gen_ai_client_operation_time_to_first_chunk_seconds_count{${labels}}`
    expect(await textOf(...whole)).toContain(`${name} 0`)
    expect(await textOf(opened, ...settled, exampleStep({ streamed: true }))).toContain(`${name} 1`)
  })
})

test('a caller cannot make the metrics grow without bound', async () => {
  const metrics = createMetrics({ processMetrics: false })
  for (let n = 0; n < 2_500; n += 1) {
    metrics.observe({
      kind: 'call-refused',
      atMs: 0,
      tenant: null,
      contract: null,
      task: null,
      code: `code.${n}`,
    })
  }
  const lines = (await metrics.text())
    .split('\n')
    .filter((line) => line.startsWith('spillway_refusals_total{'))
  expect(lines).toHaveLength(2_001)
  expect(lines.at(-1)).toBe('spillway_refusals_total{code="other"} 500')
})

test('gauges show what they were set to last, and the process is measured', async () => {
  const metrics = createMetrics()
  metrics.setInFlight(7)
  metrics.setPace('gpu/llama', { tokensLimit: 9_000, tokensInFlight: 800 })
  metrics.setJournal({ pendingBytes: 42, openHolds: 5, lostEntries: 0, failed: true })
  metrics.setDropped('traces', 3)
  const text = await metrics.text()
  expect(text).toContain('spillway_in_flight 7')
  expect(text).toContain('spillway_concurrency_limit_tokens{deployment="gpu/llama"} 9000')
  expect(text).toContain('spillway_tokens_in_flight{deployment="gpu/llama"} 800')
  expect(text).toContain('spillway_journal_pending_bytes 42')
  expect(text).toContain('spillway_journal_failed 1')
  expect(text).toContain('spillway_telemetry_dropped{signal="traces"} 3')
  expect(text).toContain('process_cpu_seconds_total')
  expect(metrics.contentType).toBe('text/plain; version=0.0.4; charset=utf-8')
})

test('a histogram puts a value into the first bucket that holds it', () => {
  const cell = new HistogramCell([1, 2])
  for (const value of [0, 1, 1.5, 2, 3]) cell.observe(value)
  expect(cell).toMatchObject({ counts: [2, 2, 1], count: 5, sum: 7.5 })
})

test('every sample has a name and labels that Prometheus accepts', async () => {
  const sample = /^[a-z_:][a-z0-9_:]*(?:\{(?:[a-z_]+="(?:[^"\\]|\\.)*",?)+\})? (?:NaN|[+-]?Inf|[-+0-9.e]+)$/
  const odd = exampleOpened({ contract: 'a "quoted"\ncontract', id: 'task_2' as TaskId })
  const text = await textOf(...whole, odd, exampleOutcome({ task: odd.id }))
  const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'))
  expect(lines.filter((line) => !sample.test(line))).toEqual([])
})
