import { describe, expect, test } from 'vitest'
import { alertChanges } from './alert-changes.js'
import { type ObjectiveState, type Slo, stateOf } from './burn-rate.js'
import { SloCounts } from './slo-counts.js'

const MINUTE_MS = 60_000
const T0 = 1_700_000_000_000
const SLO: Slo = { successRate: 0.95, p95LatencyMs: 6_000 }

/** `perMinute` tasks in each of the last minutes, with a share of failures. */
function traffic(counts: SloCounts, ask: { minutes: number; perMinute: number; failed: number }): void {
  for (let ago = ask.minutes - 1; ago >= 0; ago -= 1) {
    const bad = Math.round(ask.perMinute * ask.failed)
    counts.add({ atMs: T0 - ago * MINUTE_MS, total: ask.perMinute, failed: bad, slow: 0 })
  }
}

const success = (counts: SloCounts, nowMs = T0, slo = SLO): ObjectiveState => {
  const state = stateOf(counts, { slo, objective: 'success_rate', nowMs })
  if (state === null) throw new Error('no objective')
  return state
}
const firing = (state: ObjectiveState) =>
  state.burns.filter((b) => b.isBurning).map(({ alert }) => alert.name)

describe('burn rates', () => {
  test('failing as much as is allowed burns at 1 and leaves no budget', () => {
    const counts = new SloCounts()
    traffic(counts, { minutes: 60, perMinute: 100, failed: 0.05 })
    const state = success(counts)
    expect(state.burns[0]?.longRate).toBeCloseTo(1)
    expect(state.budgetLeft).toBeCloseTo(0)
    traffic(counts, { minutes: 60, perMinute: 100, failed: 0.1 })
    expect(firing(success(counts))).toEqual(['steady'])
  })

  test('an outage pages within minutes; when it is over the short window says so', () => {
    const counts = new SloCounts()
    traffic(counts, { minutes: 60, perMinute: 20, failed: 0.8 })
    expect(firing(success(counts))).toEqual(['fast', 'slow', 'steady'])
    for (let minute = 1; minute <= 6; minute += 1)
      counts.add({ atMs: T0 + minute * MINUTE_MS, total: 20, failed: 0, slow: 0 })
    expect(firing(success(counts, T0 + 6 * MINUTE_MS))).not.toContain('fast')
  })

  test('one or two unlucky tasks in a quiet hour are no incident', () => {
    const counts = new SloCounts()
    counts.add({ atMs: T0, total: 2, failed: 2, slow: 0 })
    expect(firing(success(counts))).toEqual([])
    counts.add({ atMs: T0, total: 1, failed: 1, slow: 0 })
    expect(firing(success(counts))).toContain('fast')
  })

  test('an objective that can burn no faster than 5 still pages', () => {
    const counts = new SloCounts()
    traffic(counts, { minutes: 60, perMinute: 20, failed: 1 })
    expect(firing(success(counts, T0, { successRate: 0.8, p95LatencyMs: null }))).toContain('fast')
  })

  test('an objective of all burns without end on the first failure, as a finite number', () => {
    const counts = new SloCounts()
    traffic(counts, { minutes: 3, perMinute: 1, failed: 1 })
    const state = success(counts, T0, { successRate: 1, p95LatencyMs: null })
    expect(Number.isFinite(state.burns[0]?.longRate)).toBe(true)
    expect(firing(state)).toContain('fast')
  })

  test('a latency objective counts slow tasks, one in twenty is allowed', () => {
    const counts = new SloCounts()
    counts.add({ atMs: T0, total: 100, failed: 50, slow: 10 })
    const state = stateOf(counts, { slo: SLO, objective: 'p95_latency_ms', nowMs: T0 })
    expect(state?.burns[0]?.longRate).toBeCloseTo(2)
    expect(
      stateOf(counts, { slo: { ...SLO, p95LatencyMs: null }, objective: 'p95_latency_ms', nowMs: T0 }),
    ).toBe(null)
  })
})

describe('alerts', () => {
  const outage = () => {
    const counts = new SloCounts()
    traffic(counts, { minutes: 60, perMinute: 20, failed: 0.8 })
    return new Map([['support_reply', [success(counts)]]])
  }

  test('are told once when they begin and once when they end, with since when', () => {
    const began = alertChanges(new Map(), outage(), T0)
    expect(began.changes.map(({ alert, state }) => `${alert} ${state}`)).toEqual([
      'fast firing',
      'slow firing',
      'steady firing',
    ])
    expect(alertChanges(began.firing, outage(), T0 + 1).changes).toEqual([])
    const well = new Map([['support_reply', [success(new SloCounts())]]])
    const ended = alertChanges(began.firing, well, T0 + 60_000)
    expect(ended.changes.map(({ state, sinceMs }) => [state, sinceMs])).toEqual(
      Array.from({ length: 3 }, () => ['resolved', T0]),
    )
    expect(ended.firing.size).toBe(0)
  })

  test('of a contract or an objective that was taken away are over', () => {
    const { firing: before } = alertChanges(new Map(), outage(), T0)
    expect(alertChanges(before, new Map(), T0).changes).toHaveLength(3)
    expect(alertChanges(before, new Map([['support_reply', []]]), T0).changes).toHaveLength(3)
  })
})
