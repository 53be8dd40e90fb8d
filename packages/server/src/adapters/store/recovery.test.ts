import { appendFileSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, expect, test } from 'vitest'
import type { TaskId } from '../../core/ids.js'
import type { Entry, HoldMade } from '../../core/task/records.js'
import { START_MS, holdMade, holdSettled, taskOpened } from '../../testing/entries.js'
import { createFakeSystem } from '../../testing/fake-system.js'
import { type MemoryBooks, createMemoryBooks } from '../../testing/memory-books.js'
import { settledLine, versionLine } from './lines.js'
import { type Store, openStore } from './open-store.js'
import { closeAsFailed, settleAtWorst } from './recovery.js'
import { segmentPath } from './segments.js'
import { type WrittenLine, journalText, writtenLines, writtenStory } from './written-story.test.child.js'

const root = mkdtempSync(join(tmpdir(), 'spillway-recovery-'))
afterAll(() => rmSync(root, { recursive: true }))

const TASKS = [1, 2, 3, 4, 5, 6, 7, 8].map((n) => `task_${n}` as TaskId)
const system = createFakeSystem()

function open(dir: string): Promise<Store> {
  return openStore({
    dir,
    system,
    onProblem: (problem) => {
      throw new Error(problem)
    },
  })
}

/** What a process that died at byte `cut` of its journal had written, whole lines only. */
function survivors(
  lines: readonly WrittenLine[],
  cut: number,
): { readonly bytes: Buffer; readonly kept: readonly Entry[] } {
  let bytes = Buffer.alloc(0)
  const kept: Entry[] = []
  for (const line of lines) {
    bytes = Buffer.concat([bytes, Buffer.from(line.text)])
    if (bytes.length <= cut) kept.push(...line.entries)
  }
  return { bytes: bytes.subarray(0, cut), kept }
}

function openHoldsOf(entries: readonly Entry[]): readonly HoldMade[] {
  const settled = new Set(entries.flatMap((entry) => (entry.kind === 'hold-settled' ? [entry.id] : [])))
  return entries.flatMap((entry) => (entry.kind === 'hold-made' && !settled.has(entry.id) ? [entry] : []))
}

/** What the books must say after recovery, computed the plain way. */
async function expected(kept: readonly Entry[]): Promise<MemoryBooks> {
  const books = createMemoryBooks(system)
  for (const entry of kept) books.write(entry)
  for (const hold of openHoldsOf(kept)) books.write(settleAtWorst(hold, system.nowMs()))
  for (const id of TASKS) {
    const task = await books.loadTask(id)
    if (task?.status === 'open' && task.opened.oneStep) books.write(closeAsFailed(task, system.nowMs()))
  }
  return books
}

async function contentsOf(books: Omit<Store, 'recovery'> | MemoryBooks): Promise<unknown> {
  const report = await books.report({ sinceMs: 0, untilMs: 1e15, by: 'contract' })
  return {
    traces: await Promise.all(TASKS.map((id) => books.trace(id))),
    accounts: Object.fromEntries(await books.accountTotals(['tenant:', 'product:'])),
    // Floating-point sums depend on the order of rows: compared to a millionth of a cent.
    report: report.map((group) => ({
      ...group,
      costSquaredUsd: group.costSquaredUsd.toFixed(8),
      costOfSuccessesUsd: group.costOfSuccessesUsd.toFixed(8),
      latencyMs: group.latencyMs && Object.values(group.latencyMs).map((ms) => ms.toFixed(3)),
    })),
  }
}

test('a process that died at any byte leaves every charge once and no open hold', async () => {
  await fc.assert(
    fc.asyncProperty(writtenStory, fc.nat(), async ([entries, isTurnOver], at) => {
      const lines = writtenLines(entries, isTurnOver)
      const whole = survivors(lines, Infinity).bytes.length
      const { bytes, kept } = survivors(lines, at % (whole + 1))
      const dir = mkdtempSync(join(root, 'data-'))
      appendFileSync(segmentPath(dir, 1), bytes)
      const should = await contentsOf(await expected(kept))
      const store = await open(dir)
      expect(store.recovery.settledHolds).toBe(openHoldsOf(kept).length)
      expect(store.stats().openHolds).toBe(0)
      expect(await contentsOf(store)).toEqual(should)
      await store.close()
      const again = await open(dir)
      expect(again.recovery).toEqual({ settledHolds: 0, closedTasks: 0, nanoUsd: 0 })
      expect(await contentsOf(again)).toEqual(should)
      expect(await again.check()).toBe('ok')
      await again.close()
    }),
    { numRuns: 30 },
  )
})

test('a call nobody answered is charged its whole hold and closed as failed at its deadline', async () => {
  const dir = mkdtempSync(join(root, 'data-'))
  const hold = holdMade('task_1', 'hold_1')
  appendFileSync(segmentPath(dir, 1), journalText([taskOpened('task_1'), hold]))
  const hourLater = createFakeSystem({ startMs: START_MS + 3_600_000 })
  const store = await openStore({ dir, system: hourLater, onProblem: (problem) => expect.fail(problem) })
  expect(store.recovery).toEqual({ settledHolds: 1, closedTasks: 1, nanoUsd: hold.amounts.nanoUsd })
  const trace = await store.trace('task_1' as TaskId)
  expect(trace?.summary.spent).toEqual(hold.amounts)
  expect(trace?.charges).toMatchObject([{ attempt: { basis: 'worst-case', end: 'process_died', number: 1 } }])
  expect(trace?.summary.outcome).toMatchObject({
    source: 'recovery',
    status: 'failed',
    latencyMs: 6_000,
    nanoUsd: hold.amounts.nanoUsd,
  })
  await store.close()
})

test('a death during recovery settles no hold twice', async () => {
  const first = holdMade('task_1', 'hold_1')
  const rest = [holdMade('task_1', 'hold_2'), holdMade('task_1', 'hold_3')]
  const entries = [taskOpened('task_1'), first, ...rest]
  const dir = mkdtempSync(join(root, 'data-'))
  appendFileSync(segmentPath(dir, 1), journalText(entries))
  // The recovering process wrote one settlement into its own segment, half of another, and died.
  const second = versionLine() + settledLine(settleAtWorst(first, system.nowMs()))
  appendFileSync(segmentPath(dir, 2), `${second}S\t["task_1","ho`)
  const store = await open(dir)
  expect(store.recovery.settledHolds).toBe(2)
  expect(await contentsOf(store)).toEqual(await contentsOf(await expected(entries)))
  await store.close()
})

test('after a clean close no journal file is left to read again', async () => {
  const dir = mkdtempSync(join(root, 'data-'))
  const store = await open(dir)
  const hold = holdMade('task_1', 'hold_1')
  for (const entry of [taskOpened('task_1'), hold, holdSettled(hold)]) store.write(entry)
  await store.close()
  expect(readdirSync(dir).filter((name) => name.startsWith('journal-'))).toEqual([])
})
