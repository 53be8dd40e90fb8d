import { expect, test } from 'vitest'
import { createGenaiPrices } from '../adapters/prices/genai-prices.js'
import { parseConfig } from './load-config.js'

const prices = createGenaiPrices(Date.UTC(2026, 10, 24))

function parse(rest: string) {
  const text = `providers: { sim: { kind: simulated } }\n${rest}\n`
  return parseConfig({ text, file: 'f.yaml', env: {}, prices, sha256: (hashed) => hashed })
}

function releaseOf(rest: string) {
  const result = parse(rest)
  if (result.kind === 'ok') return result.value
  throw new Error(result.problems.map(({ at, message }) => `${at} ${message}`).join('\n'))
}

function problemsOf(rest: string): readonly string[] {
  const result = parse(rest)
  return result.kind === 'ok' ? [] : result.problems.map(({ at, message }) => `${at} ${message}`)
}

test('a queue takes a thousand calls, of one tenant as many, and a second of waiting is long', () => {
  expect(releaseOf('').capacity.queue).toEqual({
    maxWaiting: 1_000,
    maxWaitingPerTenant: 1_000,
    targetWaitMs: 1_000,
  })
  expect(releaseOf('capacity: { queue: { max_waiting: 50 } }').capacity.queue.maxWaitingPerTenant).toBe(50)
})

test('what is written is what holds, or is told', () => {
  const written = 'capacity: { queue: { max_waiting: 50, max_waiting_per_tenant: 5, target_wait_ms: 300 } }'
  expect(releaseOf(written).capacity.queue).toEqual({
    maxWaiting: 50,
    maxWaitingPerTenant: 5,
    targetWaitMs: 300,
  })
  expect(problemsOf('capacity: { queue: { max_waiting: 5, max_waiting_per_tenant: 50 } }')).toEqual([
    'f.yaml:2:62 is above `max_waiting` (5), so it would never bind',
  ])
  expect(problemsOf('capacity: { queue: { max_waitng: 5 } }')[0]).toContain('max_waiting')
})

test('the criticality of a task and the weight of a tenant have defaults and bounds', () => {
  const release = releaseOf(
    'tenants: { acme: { keys: [k], weight: 2.5 }, other: { keys: [l] } }\ntasks: { job: { criticality: sheddable } }',
  )
  expect([...release.tenants.values()].map(({ weight }) => weight)).toEqual([2.5, 1])
  expect([...release.contracts.values()].map(({ criticality }) => criticality)).toEqual([
    'sheddable',
    'critical',
  ])
  expect(problemsOf('tenants: { acme: { keys: [k], weight: 0 } }')).toHaveLength(1)
  expect(problemsOf('tasks: { job: { criticality: sheddible } }')[0]).toContain('sheddable')
})
