// Open tasks of this process. A task that is not here may still be open in the books (after a restart): it
// is loaded when somebody joins it, with what it has spent.

import type { Amounts } from '../core/budget/amounts.js'
import { NO_LIMITS } from '../core/budget/amounts.js'
import { IdTable } from '../core/id-table.js'
import type { TaskId } from '../core/ids.js'
import type { JsonObject } from '../core/json.js'
import type { Contract, Release, RungName, Tenant } from '../core/release/release.js'
import type { Facts } from '../core/release/rule.js'
import type { OutcomeJudged, TaskOpened } from '../core/task/records.js'
import type { TaskStatus } from '../core/task/views.js'

/** Open tasks kept in memory; more are refused. At ~2 KB each this is 200 MB, far beyond any sane load. */
export const OPEN_TASKS_MAX = 100_000

export interface Task {
  readonly id: TaskId
  readonly contract: Contract
  readonly release: Release
  readonly tenant: Tenant
  readonly attributes: Facts
  readonly session: string | null
  readonly externalId: string | null
  readonly parent: Task | null
  readonly oneStep: boolean
  readonly openedMs: number
  readonly deadlineMs: number
  readonly limits: Amounts
  /** Accounts of the task and its parents, nearest first. Ceilings are added per hold, since days change. */
  readonly accounts: readonly string[]
  status: TaskStatus
  steps: number
  /** Upstream attempts so far, for the cap over the whole task. */
  attempts: number
  modelCalls: number
  nanoUsd: number
  unpricedCalls: number
  /** Model calls and reported steps that are running now. */
  running: number
  /** Calls that were turned away inside this task, in this process. */
  refusedSteps: number
  degraded: RungName[]
  escalated: boolean
  /** Signals of the last judged answer, by name. */
  signals: Readonly<Record<string, unknown>>
  /** The last answer that was delivered: what the contract judges. */
  answer: TaskAnswer | null
  lastStepEndedMs: number | null
  outcome: OutcomeJudged | null
}

export interface TaskAnswer {
  readonly text: string
  readonly finishReason: string | null
  readonly toolCalls: readonly { readonly name: string; readonly argumentsJson: string }[]
  /** The JSON Schema that was asked for, to check the answer against. */
  readonly jsonSchema: JsonObject | null
  readonly refined: boolean
}

export class TaskRegistry {
  readonly #tasks = new IdTable<TaskId, Task>()

  get size(): number {
    return this.#tasks.size
  }

  get(id: TaskId): Task | undefined {
    return this.#tasks.get(id)
  }

  add(task: Task): void {
    this.#tasks.set(task.id, task)
  }

  remove(id: TaskId): void {
    this.#tasks.take(id)
  }

  /** Does any open task run under this release? */
  hasRelease(id: string): boolean {
    for (const task of this.#tasks.values()) if (task.release.id === id) return true
    return false
  }

  /** Idle tasks whose time is up. */
  expired(nowMs: number): Task[] {
    return [...this.#tasks.values()].filter((task) => task.deadlineMs <= nowMs && task.running === 0)
  }
}

/** The entry that opens a task in the books; Infinity cannot be written in JSON, so no limit is null. */
export function taskOpened(task: Task): TaskOpened {
  const bound = (limit: number) => (limit === Infinity ? null : limit)
  return {
    kind: 'task-opened',
    id: task.id,
    atMs: task.openedMs,
    contract: task.contract.name,
    release: task.release.id,
    tenant: task.tenant.name,
    parent: task.parent?.id ?? null,
    session: task.session,
    externalId: task.externalId,
    attributes: task.attributes,
    limits: {
      modelCalls: bound(task.limits.modelCalls),
      inputTokens: bound(task.limits.inputTokens),
      outputTokens: bound(task.limits.outputTokens),
      toolCalls: bound(task.limits.toolCalls),
      toolMs: bound(task.limits.toolMs),
      nanoUsd: bound(task.limits.nanoUsd),
    },
    deadlineMs: task.deadlineMs,
    oneStep: task.oneStep,
  }
}

export function limitsOf(opened: TaskOpened): Amounts {
  const limits = { ...NO_LIMITS }
  for (const [resource, limit] of Object.entries(opened.limits)) {
    if (limit !== null) limits[resource as keyof Amounts] = limit
  }
  return limits
}

/** Further tries that all calls of a task share where the contract sets no cap. */
const RETRIES_DEFAULT = 3

/**
 * Attempts the task may make in all: the contract's cap, or a first try per step and a few more together.
 */
export function attemptsMax({ contract, steps }: Task): number {
  return contract.maxAttempts ?? steps + RETRIES_DEFAULT
}

export const accountOf = (id: TaskId) => `task:${id}`
