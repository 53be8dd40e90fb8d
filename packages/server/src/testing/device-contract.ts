// What every `Archive` must say of runs on the caller's own device. Part of `books-contract.ts`.

import type { DeviceEnd } from '@spillway/protocol'
import { expect, test } from 'vitest'
import type { StepEnded } from '../core/task/records.js'
import type { Archive, Books } from '../engine/ports.js'
import {
  START_MS,
  holdMade,
  holdSettled,
  outcomeJudged,
  releaseServed,
  stepEnded,
  taskOpened,
} from './entries.js'

const EVER = { sinceMs: 0, untilMs: START_MS * 2 }

function ran(end: DeviceEnd, changes: Partial<StepEnded> = {}, told: Record<string, number> = {}) {
  return {
    route: 'on-device',
    model: end === 'answered' || end === 'escalated' ? 'on-device/browser' : null,
    deployment: 'on-device/browser',
    escalated: end === 'escalated',
    tier: null,
    cache: 'off' as const,
    decisions: [{ stage: 'attempt' as const, choice: 'on-device', reason: end, inputs: told }],
    ...changes,
  }
}

/** Answered on the device; then one that escalated to the server, told late; nothing was there for another. */
function writeDeviceTasks(books: Books): void {
  books.write(releaseServed())
  books.write(taskOpened('task_1', { oneStep: false }))
  const told = { input_tokens: 40, output_tokens: 10 }
  books.write(stepEnded('task_1', [], ran('answered', { durationMs: 200, firstByteMs: 50 }, told)))
  books.write(outcomeJudged('task_1', { latencyMs: 210 }))

  const hold = holdMade('task_2', 'hold_2')
  const settled = holdSettled(hold)
  books.write(taskOpened('task_2', { oneStep: false }))
  books.write(hold)
  books.write(settled)
  books.write(stepEnded('task_2', [settled.attempt]))
  books.write(stepEnded('task_2', [], ran('escalated', { number: 2, durationMs: 400, firstByteMs: null })))
  books.write(outcomeJudged('task_2'))

  books.write(taskOpened('task_3', { oneStep: false }))
  books.write(stepEnded('task_3', [], ran('failed', { otherNanoUsd: 7 })))
  books.write(stepEnded('task_3', [], ran('aborted', { number: 2 })))
  books.write(stepEnded('task_3', [], ran('unavailable', { number: 3 })))
}

export function aboutDevices(books: () => Books & Archive): void {
  test('what ran on the caller’s device is an attempt there, and its answers are successes there', async () => {
    writeDeviceTasks(books())
    const [hosted, none, device, ...others] = await books().report({ ...EVER, by: 'approach' })
    expect(others).toEqual([])
    expect(hosted).toMatchObject({ group: 'hosted', tasks: 1, successes: 1, attempts: 1, nanoUsd: 91_800 })
    expect(none).toMatchObject({ group: 'none', tasks: 1, attempts: 0, nanoUsd: 0 })
    expect(device).toMatchObject({ group: 'on-device', tasks: 3, ended: 2, successes: 1, attempts: 4 })
    expect(device).toMatchObject({ nanoUsd: 7, modelCalls: 0, unpricedCalls: 0, escalated: 1 })
    expect(device).toMatchObject({ inputTokens: 40, outputTokens: 10 })
    expect(device?.latencyMs?.p50).toBe(210)
    expect(device?.place).toEqual({
      answered: 1,
      durationMs: { p50: 300, p95: 390 },
      firstByteMs: { p50: 50, p95: 50 },
      // Only of the run whose tokens were counted: the other would make it slow.
      okDurationMs: 200,
      okOutputTokens: 10,
      errors: 1,
      throttled: 0,
      fallbacks: 0,
    })
    const names = async (by: 'provider' | 'deployment') =>
      (await books().report({ ...EVER, by })).map(({ group }) => group)
    expect(await names('provider')).toEqual(['none', 'on-device', 'openai'])
    expect(await names('deployment')).toEqual(['none', 'on-device/browser', 'openai/gpt-4o-mini'])
  })
}
