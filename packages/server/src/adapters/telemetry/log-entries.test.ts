import { expect, test } from 'vitest'
import type { Entry } from '../../core/task/records.js'
import { exampleAttempt, exampleOutcome } from '../../testing/example-task.js'
import { createFakeSystem } from '../../testing/fake-system.js'
import { EntryLog } from './log-entries.js'
import type { Logger } from './logs.js'

function world() {
  const seen: string[] = []
  const facts: unknown[] = []
  const at = (level: string) => (event: string, fields: unknown) => {
    seen.push(`${level} ${event}`)
    facts.push(fields)
  }
  const logger = { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') }
  const system = createFakeSystem()
  return { seen, facts, system, log: new EntryLog(logger as unknown as Logger, system) }
}

function lines(entry: Entry): readonly string[] {
  const { seen, log } = world()
  log.observe(entry)
  return seen
}

const settled = (attempt: Partial<ReturnType<typeof exampleAttempt>>) =>
  ({ kind: 'hold-settled', task: 'task_1', attempt: { ...exampleAttempt(), ...attempt } }) as unknown as Entry

const refusal = (tenant: string): Entry => ({
  kind: 'call-refused',
  atMs: 0,
  tenant,
  contract: null,
  task: null,
  code: 'auth.missing',
})

test('what went well is not worth a line at `info`', () => {
  expect(lines(exampleOutcome())).toEqual(['debug task.ended'])
  expect(lines(settled({ end: 'ok' }))).toEqual([])
})

test('failures, refusals, harm and lies are said', () => {
  expect(lines({ ...exampleOutcome(), success: false })).toEqual(['info task.ended'])
  expect(lines({ ...exampleOutcome(), harm: true })).toEqual(['info task.ended'])
  expect(lines(settled({ end: 'http_503' }))).toEqual(['warn attempt.failed'])
  expect(lines(settled({ end: 'ok', disputed: { input: 1, output: 2, total: 4 } }))).toEqual([
    'warn usage.disputed',
  ])
  expect(lines(refusal('acme'))).toEqual(['info call.refused'])
})

test('a storm of the same refusal is ten lines a second and a count; another tenant is heard through it', async () => {
  const { seen, facts, system, log } = world()
  for (let call = 0; call < 1_000; call++) log.observe(refusal('acme'))
  log.observe(refusal('quiet'))
  expect(seen).toEqual(Array.from({ length: 11 }, () => 'info call.refused'))
  await system.advance(1_000)
  expect(seen.at(-1)).toBe('info log.repeats_left_out')
  expect(facts.at(-1)).toEqual({ lines: 'call.refused auth.missing acme', count: 990 })
  log.observe(refusal('acme'))
  expect(seen.at(-1)).toBe('info call.refused')
})

test('nothing is left running, and nothing said, when nothing repeats', async () => {
  const { seen, system, log } = world()
  log.observe(refusal('acme'))
  await system.advance(1_000)
  expect([seen, system.pendingTimers()]).toEqual([['info call.refused'], 0])
})
