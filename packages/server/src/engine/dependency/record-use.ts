// The use of a dependency as a step of its task.

import { type Amounts, NOTHING } from '../../core/budget/amounts.js'
import type { StepId } from '../../core/ids.js'
import type { Dependency } from '../../core/release/release.js'
import type { Decision, StepEnded } from '../../core/task/records.js'
import { type Engine, record } from '../engine.js'
import type { Task } from '../task-registry.js'

/** Of one or more attempts. */
export interface Used extends Amounts {
  readonly accounts: readonly string[]
}

export const NOTHING_USED: Used = { ...NOTHING, accounts: [] }

export function sumOf(a: Used, b: Used): Used {
  const { toolCalls, toolMs, nanoUsd } = a
  return {
    ...b,
    toolCalls: toolCalls + b.toolCalls,
    toolMs: toolMs + b.toolMs,
    nanoUsd: nanoUsd + b.nanoUsd,
  }
}

export interface UseEnded {
  readonly dependency: Dependency
  readonly startedMs: number
  readonly used: Used
  readonly decisions: readonly Decision[]
  readonly error: string | null
}

/** The ledger has it already: here it reaches the books and the task's own sums. */
export function recordUse(engine: Engine, task: Task, ended: UseEnded): StepId {
  const { dependency, startedMs, used, decisions, error } = ended
  const nowMs = engine.system.nowMs()
  task.nanoUsd += used.nanoUsd
  task.steps += 1
  task.lastStepEndedMs = nowMs
  const entry: StepEnded = {
    kind: 'step-ended',
    task: task.id,
    id: engine.system.newId('step') as StepId,
    number: task.steps,
    step: dependency.kind,
    name: dependency.name,
    startedMs,
    durationMs: Math.max(0, nowMs - startedMs),
    firstByteMs: null,
    route: null,
    model: null,
    deployment: dependency.pool.deployments[0].id,
    tier: null,
    cache: 'off',
    cacheAgeMs: null,
    degraded: [],
    escalated: false,
    streamed: false,
    unknownRules: [],
    attempts: [],
    decisions,
    promptHash: null,
    otherNanoUsd: used.nanoUsd,
    accounts: used.accounts,
    toolMs: used.toolMs,
    error,
    content: null,
    finishReason: null,
    traceparent: null,
  }
  record(engine, entry)
  return entry.id
}
