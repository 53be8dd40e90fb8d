// Permits that applications hold: one that nobody ends in its time has timed out.

import { IdTable } from '../../core/id-table.js'
import type { HoldId, TaskId } from '../../core/ids.js'
import type { Dependency } from '../../core/release/release.js'
import type { Place } from '../capacity/deployment-state.js'
import type { System, Timer } from '../ports.js'
import type { Task } from '../task-registry.js'

export interface Permit {
  readonly kind: 'permit'
  readonly id: HoldId
  readonly task: Task
  readonly dependency: Dependency
  readonly startedMs: number
  readonly timeoutMs: number
  /** 1 where it counts as a tool call. */
  readonly toolCalls: number
  readonly accounts: readonly string[]
  readonly place: Place
  isOver: boolean
}

/** More are refused. */
const PERMITS_MAX = 10_000

export class PermitTable {
  readonly #held = new IdTable<string, { readonly permit: Permit; readonly timer: Timer }>()

  get isFull(): boolean {
    return this.#held.size >= PERMITS_MAX
  }

  add(system: Pick<System, 'after'>, permit: Permit, onTimeout: () => void): void {
    const timer = system.after(permit.timeoutMs, () => {
      if (this.#held.take(permit.id) !== undefined) onTimeout()
    })
    this.#held.set(permit.id, { permit, timer })
  }

  /** undefined: never given to this task, ended, or past its time. */
  take(id: string, task: TaskId): Permit | undefined {
    const held = this.#held.get(id)
    if (held?.permit.task.id !== task) return undefined
    this.#held.take(id)
    held.timer.cancel()
    return held.permit
  }
}
