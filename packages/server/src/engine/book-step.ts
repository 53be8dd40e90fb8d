// Steps that are no model call through Spillway: what the application ran itself, and uses of dependencies.

import type { StepId } from '../core/ids.js'
import type { StepEnded } from '../core/task/records.js'
import { type Engine, record } from './engine.js'
import type { Task } from './task-registry.js'

type Said = 'step' | 'name' | 'startedMs' | 'durationMs' | 'otherNanoUsd' | 'toolMs' | 'error'

export type OtherStep = Pick<StepEnded, Said> & Partial<StepEnded>

/** Nothing was held attempt by attempt: it is a step, but no attempt. */
const NO_MODEL_CALL = {
  kind: 'step-ended',
  firstByteMs: null,
  route: null,
  model: null,
  deployment: null,
  tier: null,
  cache: 'off',
  cacheAgeMs: null,
  degraded: [],
  escalated: false,
  streamed: false,
  unknownRules: [],
  attempts: [],
  decisions: [],
  promptHash: null,
  content: null,
  finishReason: null,
  traceparent: null,
} as const

/** The ledger has its cost already: here it reaches the books and the task's own sums. */
export function bookStep(engine: Engine, task: Task, said: OtherStep): StepId {
  const id = engine.system.newId('step') as StepId
  task.nanoUsd += said.otherNanoUsd
  task.steps += 1
  task.lastStepEndedMs = engine.system.nowMs()
  record(engine, { ...NO_MODEL_CALL, task: task.id, id, number: task.steps, ...said })
  return id
}
