// Events and ends of tasks over a list of entries: the plain way.

import type { Entry } from '../core/task/records.js'
import type { EventFilter, EventRow } from '../core/task/views.js'
import type { ContractTasks } from '../engine/ports.js'
import { storiesOf } from './task-story.js'

export function memoryEvents(filter: EventFilter, entries: readonly Entry[]): readonly EventRow[] {
  const { event, subject, before, limit = 50 } = filter
  return entries
    .filter((entry) => entry.kind === 'event')
    .map(({ kind: _kind, ...rest }, i) => ({ n: i + 1, ...rest }))
    .filter((row) => event === undefined || row.event === event)
    .filter((row) => subject === undefined || row.subject === subject)
    .filter((row) => before === undefined || row.n < before)
    .reverse()
    .slice(0, Math.min(Math.max(limit, 1), 500))
}

const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS

export function memoryEndedTasks(
  window: { readonly sinceMs: number; readonly untilMs: number },
  entries: readonly Entry[],
): readonly ContractTasks[] {
  const { sinceMs, untilMs } = window
  const ends = storiesOf(entries).flatMap(({ opened, outcomes }) => {
    const last = outcomes.at(-1)
    return last === undefined || last.atMs < sinceMs || last.atMs >= untilMs
      ? []
      : [{ contract: opened.contract, last }]
  })
  const sums = new Map<string, ContractTasks>()
  for (const { contract, last } of ends) {
    const spanMs = last.atMs < untilMs - 6 * HOUR_MS ? HOUR_MS : MINUTE_MS
    const atMs = Math.floor(last.atMs / spanMs) * spanMs
    const key = `${atMs} ${contract}`
    const sum = sums.get(key) ?? { contract, atMs, total: 0, failed: 0, slow: 0 }
    const failed = sum.failed + (last.success ? 0 : 1)
    const slow = sum.slow + (last.sloMet === false ? 1 : 0)
    sums.set(key, { contract, atMs, total: sum.total + 1, failed, slow })
  }
  return [...sums.values()].sort((a, b) => a.atMs - b.atMs || (a.contract < b.contract ? -1 : 1))
}
