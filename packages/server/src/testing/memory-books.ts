// Books in memory: the list of entries, and everything else computed from it when asked. Slow and plain on
// purpose: it is what the durable store is compared with.

import { type Amounts, NOTHING } from '../core/budget/amounts.js'
import type { HoldId, TaskId } from '../core/ids.js'
import type { Entry, HoldSettled } from '../core/task/records.js'
import type { TaskFilter, TaskRow, TaskSummary, TaskTrace } from '../core/task/views.js'
import type { Archive, Books, Content, System } from '../engine/ports.js'
import { memoryEndedTasks, memoryEvents } from './memory-events.js'
import { memoryOwnedCosts } from './memory-owned.js'
import { memoryReport } from './memory-report.js'
import { type TaskStory, addAmounts, rowOf, storiesOf, storyOf, summaryOf } from './task-story.js'

export interface MemoryBooks extends Books, Archive {
  readonly entries: readonly Entry[]
  /** Set to make `durable` fail, as a full disk does; null heals it. */
  fail(error: Error | null): void
}

function childrenOf({ opened }: TaskStory, entries: readonly Entry[]): readonly TaskStory[] {
  return storiesOf(entries).filter((story) => story.opened.parent === opened.id)
}

function spentWithChildren(story: TaskStory, entries: readonly Entry[]): Amounts {
  const children = childrenOf(story, entries).map((child) => spentWithChildren(child, entries))
  return children.reduce(addAmounts, summaryOf(story).spent)
}

function loaded(story: TaskStory, entries: readonly Entry[]): TaskSummary {
  const summary = summaryOf(story)
  if (childrenOf(story, entries).length === 0) return summary
  return { ...summary, spentWithChildren: spentWithChildren(story, entries) }
}

function traceOf(story: TaskStory, entries: readonly Entry[]): TaskTrace {
  const children = childrenOf(story, entries).map(({ opened }) => opened.id)
  const place = (charge: HoldSettled): number => charge.stepNumber * 2 ** 20 + charge.attempt.number
  return {
    summary: loaded(story, entries),
    steps: [...story.steps].sort((a, b) => a.number - b.number),
    charges: [...story.settled].sort((a, b) => place(a) - place(b)),
    outcomes: story.outcomes,
    children: [...children].sort(),
  }
}

function matches(filter: TaskFilter, row: TaskRow): boolean {
  const { contract, tenant, status, session, externalId, degraded, sinceMs, untilMs, cursor } = filter
  return (
    (contract === undefined || row.contract === contract) &&
    (tenant === undefined || row.tenant === tenant) &&
    (status === undefined || row.status === status) &&
    (session === undefined || row.session === session) &&
    (externalId === undefined || row.externalId === externalId) &&
    (degraded === undefined || row.degraded === degraded) &&
    (sinceMs === undefined || row.openedMs >= sinceMs) &&
    (untilMs === undefined || row.openedMs < untilMs) &&
    (cursor === undefined || row.id < cursor)
  )
}

function page(filter: TaskFilter, entries: readonly Entry[]): Awaited<ReturnType<Archive['list']>> {
  const limit = Math.min(Math.max(filter.limit ?? 50, 1), 500)
  const found = storiesOf(entries)
    .map(rowOf)
    .filter((row) => matches(filter, row))
    .sort((a, b) => (a.id < b.id ? 1 : -1))
  const rows = found.slice(0, limit)
  return { rows, nextCursor: found.length > limit ? (rows.at(-1)?.id ?? null) : null }
}

function totals(prefixes: readonly string[], entries: readonly Entry[]): ReadonlyMap<string, Amounts> {
  const sums = new Map<string, Amounts>()
  for (const entry of entries) {
    if (entry.kind !== 'hold-settled') continue
    for (const name of entry.accounts) {
      if (name.startsWith('task:') || !prefixes.some((prefix) => name.startsWith(prefix))) continue
      sums.set(name, addAmounts(sums.get(name) ?? NOTHING, entry.actual))
    }
  }
  return sums
}

class MemoryContents {
  private readonly kept = new Map<string, Content>()

  constructor(private readonly system: Pick<System, 'newId' | 'nowMs'>) {}

  save(content: Content): string {
    const { reference = this.system.newId('message') } = content
    this.kept.set(reference, content)
    return reference
  }

  load(reference: string): string | null {
    const found = this.kept.get(reference)
    return found !== undefined && found.deleteAfterMs > this.system.nowMs() ? found.text || null : null
  }
}

/** `system` makes the references of stored content, and says when its time is up. */
export function createMemoryBooks(system: Pick<System, 'newId' | 'nowMs'>): MemoryBooks {
  const entries: Entry[] = []
  const openHolds = new Set<HoldId>()
  const contents = new MemoryContents(system)
  let failure: Error | null = null

  function find<T>(id: TaskId, show: (story: TaskStory) => T): T | null {
    const opened = entries.find((entry) => entry.kind === 'task-opened' && entry.id === id)
    return opened?.kind === 'task-opened' ? show(storyOf(opened, entries)) : null
  }

  return {
    entries,
    fail: (error) => {
      failure = error
    },
    write(entry) {
      if (entry.kind === 'hold-made') openHolds.add(entry.id)
      if (entry.kind === 'hold-settled' && !openHolds.delete(entry.id)) return
      entries.push(structuredClone(entry))
    },
    get failed() {
      return failure
    },
    durable: () => (failure === null ? Promise.resolve() : Promise.reject(failure)),
    saveContent: (content) => contents.save(content),
    loadTask: (id) => Promise.resolve(find(id, (story) => loaded(story, entries))),
    trace: (id) => Promise.resolve(find(id, (story) => traceOf(story, entries))),
    list: (filter) => Promise.resolve(page(filter, entries)),
    report: (filter) => Promise.resolve(memoryReport(filter, entries)),
    ownedCosts: (filter) => Promise.resolve(memoryOwnedCosts(filter, entries)),
    events: (filter) => Promise.resolve(memoryEvents(filter, entries)),
    endedTasks: (sinceMs, untilMs) => Promise.resolve(memoryEndedTasks({ sinceMs, untilMs }, entries)),
    accountTotals: (prefixes) => Promise.resolve(totals(prefixes, entries)),
    loadContent: (reference) => Promise.resolve(contents.load(reference)),
    close: () => Promise.resolve(),
  }
}
