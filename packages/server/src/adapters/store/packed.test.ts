import { expect, test } from 'vitest'
import type { AttemptId, TaskId } from '../../core/ids.js'
import type { AttemptRecord, StepEnded } from '../../core/task/records.js'
import { ONE_CALL, attemptRecord, holdMade, stepEnded } from '../../testing/entries.js'
import { packAttempt, packHold, unpackAttempt, unpackHold } from './packed.js'
import { packStep, unpackStep } from './packed-step.js'

/** Through JSON, as the journal does it. */
function written<T>(value: T): T {
  return JSON.parse(JSON.stringify(value)) as T
}

// Every number differs from every other, so that two fields that changed places cannot look right.
const tokens = {
  input: 101,
  cacheRead: 102,
  cacheWrite: 103,
  cacheWrite1h: 104,
  output: 105,
  reasoning: 106,
  audioInput: 107,
  audioOutput: 108,
}
const held = {
  modelCalls: 201,
  inputTokens: 202,
  outputTokens: 203,
  toolCalls: 204,
  toolMs: 205,
  nanoUsd: 206,
}
const attempts: readonly AttemptRecord[] = [
  attemptRecord('att_1', { number: 7, tokens, held, chargedNanoUsd: 301, nanoUsd: 302, simulated: true }),
  attemptRecord('att_2', {
    disputed: { input: 1, output: null, total: 3 },
    nanoUsd: null,
    firstByteMs: null,
  }),
  attemptRecord('att_3', { purpose: 'hedge', tier: 'premium', status: 0, end: 'timeout', priceBook: null }),
]
const steps: readonly StepEnded[] = [
  stepEnded('task_1', attempts, {
    number: 3,
    durationMs: 401,
    firstByteMs: 402,
    otherNanoUsd: 403,
    toolMs: 404,
  }),
  stepEnded('task_1', [], {
    step: 'tool',
    route: null,
    model: null,
    deployment: null,
    tier: null,
    cache: 'exact',
    cacheAgeMs: 501,
    degraded: ['smaller_model', 'cached_answer'],
    escalated: true,
    streamed: true,
    promptHash: null,
    error: 'timeout',
    content: 'msg_1',
    finishReason: 'length',
    reported: { input: { q: [1, 'x'] }, output: null },
    traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
  }),
]

test.each(attempts)('attempt $id comes back as it was', (attempt) => {
  expect(unpackAttempt(written(packAttempt(attempt)))).toEqual(attempt)
})

test('a hold comes back as it was', () => {
  const hold = holdMade('task_1', 'hold_1', {
    stepNumber: 9,
    simulated: true,
    priceBook: null,
    amounts: held,
  })
  expect(unpackHold(written(packHold(hold)))).toEqual(hold)
  expect(unpackHold(written(packHold({ ...hold, amounts: ONE_CALL })))).toEqual({
    ...hold,
    amounts: ONE_CALL,
  })
})

test.each(steps)('step $step comes back as it was', (step) => {
  const packed = written(packStep(step, step.attempts.map(packAttempt)))
  expect(unpackStep('task_1' as TaskId, packed, new Map())).toEqual(step)
})

test('attempts that are named come back from the ledger; a name that is not there shows nothing', () => {
  const step = stepEnded('task_1', attempts)
  const charged = new Map<AttemptId, AttemptRecord>(attempts.slice(1).map((attempt) => [attempt.id, attempt]))
  const packed = written(
    packStep(
      step,
      attempts.map(({ id }) => id),
    ),
  )
  expect(unpackStep('task_1' as TaskId, packed, charged).attempts).toEqual(attempts.slice(1))
})
