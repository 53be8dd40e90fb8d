// Books on a disk that is slow, or full for a while: what is durable is known here, whatever the server
// believes.

import type { HoldId, StepId, TaskId } from '../../core/ids.js'
import type { Entry } from '../../core/task/records.js'
import type { TaskSummary } from '../../core/task/views.js'
import type { Archive, Books } from '../../engine/ports.js'
import { storyOf, summaryOf } from '../task-story.js'
import type { SimClock } from './sim-clock.js'

export interface BooksOptions {
  readonly clock: SimClock
  readonly diskMs: number
  readonly isBroken: () => boolean
  readonly onEntry: (entry: Entry) => void
}

export class SimBooks implements Books {
  readonly entries: Entry[] = []
  /** As many of the entries survive the death of the process. */
  durableCount = 0
  readonly #options: BooksOptions
  readonly #stepAt = new Map<StepId, number>()
  readonly #holdAt = new Map<HoldId, number>()

  constructor(options: BooksOptions) {
    this.#options = options
  }

  get failed(): Error | null {
    return this.#options.isBroken() ? new Error('the disk is full') : null
  }

  write(entry: Entry): void {
    if (entry.kind === 'step-ended') this.#stepAt.set(entry.id, this.entries.length)
    if (entry.kind === 'hold-settled') this.#holdAt.set(entry.id, this.entries.length)
    this.entries.push(entry)
    this.#options.onEntry(entry)
  }

  async durable(): Promise<void> {
    const { clock, diskMs } = this.#options
    const count = this.entries.length
    if (diskMs > 0) await new Promise<void>((resolve) => void clock.after(diskMs, resolve))
    if (this.failed !== null) throw this.failed
    this.durableCount = Math.max(this.durableCount, count)
  }

  /** null: not written, or it would be lost with the process. */
  durableStep(id: StepId): Extract<Entry, { kind: 'step-ended' }> | null {
    const entry = this.#durableEntry(this.#stepAt.get(id))
    return entry?.kind === 'step-ended' ? entry : null
  }

  isSettlementDurable(id: HoldId): boolean {
    return this.#durableEntry(this.#holdAt.get(id)) !== null
  }

  #durableEntry(at: number | undefined): Entry | null {
    return at !== undefined && at < this.durableCount ? (this.entries[at] ?? null) : null
  }

  saveContent(): string {
    return 'not-kept'
  }

  close(): Promise<void> {
    return Promise.resolve()
  }

  loadTask(id: TaskId): TaskSummary | null {
    const opened = this.entries.find((entry) => entry.kind === 'task-opened' && entry.id === id)
    return opened?.kind === 'task-opened' ? summaryOf(storyOf(opened, this.entries)) : null
  }
}

/** What a run asks of the archive: tasks that have ended. */
export function archiveOf(books: SimBooks): Archive {
  const unused = (): Promise<never> => Promise.reject(new Error('the simulation does not ask for this'))
  return {
    loadTask: (id) => Promise.resolve(books.loadTask(id)),
    trace: () => Promise.resolve(null),
    list: unused,
    report: unused,
    ownedCosts: unused,
    accountTotals: unused,
    loadContent: () => Promise.resolve(null),
    endedTasks: unused,
    events: unused,
  }
}
