// The use of a dependency as a step of its task.

import { type Amounts, NOTHING } from '../../core/budget/amounts.js'
import type { StepId } from '../../core/ids.js'
import type { Dependency } from '../../core/release/release.js'
import type { Decision } from '../../core/task/records.js'
import { bookStep } from '../book-step.js'
import type { Engine } from '../engine.js'
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

export function recordUse(engine: Engine, task: Task, ended: UseEnded): StepId {
  const { dependency, startedMs, used, decisions, error } = ended
  return bookStep(engine, task, {
    step: dependency.kind,
    name: dependency.name,
    startedMs,
    durationMs: Math.max(0, engine.system.nowMs() - startedMs),
    deployment: dependency.pool.deployments[0].id,
    decisions,
    otherNanoUsd: used.nanoUsd,
    accounts: used.accounts,
    toolMs: used.toolMs,
    error,
  })
}
