import { expect, test } from 'vitest'
import type { Entry } from '../../core/task/records.js'
import { exampleAttempt, exampleOutcome } from '../../testing/example-task.js'
import { logEntry } from './log-entries.js'
import type { Logger } from './logs.js'

function lines(entry: Entry): readonly string[] {
  const seen: string[] = []
  const at = (level: string) => (event: string) => void seen.push(`${level} ${event}`)
  const logger = { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') }
  logEntry(logger as unknown as Logger, entry)
  return seen
}

const settled = (attempt: Partial<ReturnType<typeof exampleAttempt>>) =>
  ({ kind: 'hold-settled', task: 'task_1', attempt: { ...exampleAttempt(), ...attempt } }) as unknown as Entry

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
  expect(
    lines({ kind: 'call-refused', atMs: 0, tenant: null, contract: null, task: null, code: 'auth.missing' }),
  ).toEqual(['info call.refused'])
})
