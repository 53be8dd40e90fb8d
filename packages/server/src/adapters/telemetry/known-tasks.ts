// Which contract a task runs under, for the entries that name only the task. Open tasks are remembered until
// they end, ended ones a little longer: a hedge may be settled after the answer it lost to.

import { IdTable } from '../../core/id-table.js'
import type { TaskId } from '../../core/ids.js'

/** Open tasks remembered, as many as may be open at once; beyond that they are not told apart. */
export const OPEN_TASKS_MAX = 100_000
/** Ended tasks are remembered in two generations of this many. */
const GENERATION = 1_000

export class KnownTasks<Value> {
  readonly #open = new IdTable<TaskId, Value>()
  #ended = new Map<TaskId, Value>()
  #endedBefore = new Map<TaskId, Value>()

  open(id: TaskId, value: Value): void {
    if (this.#open.size < OPEN_TASKS_MAX) this.#open.set(id, value)
  }

  find(id: TaskId): Value | undefined {
    return this.#open.get(id) ?? this.#ended.get(id) ?? this.#endedBefore.get(id)
  }

  /** The task's value, if it was open; undefined when it ended before or was never seen. */
  end(id: TaskId): Value | undefined {
    const value = this.#open.take(id)
    if (value === undefined) return undefined
    if (this.#ended.size >= GENERATION) {
      this.#endedBefore = this.#ended
      this.#ended = new Map()
    }
    this.#ended.set(id, value)
    return value
  }
}
