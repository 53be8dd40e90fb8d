import { cpSync, mkdtempSync, readdirSync, rmSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import type { TaskId } from '../../core/ids.js'
import { describeBooks } from '../../testing/books-contract.js'
import {
  ONE_CALL,
  START_MS,
  holdMade,
  holdSettled,
  outcomeJudged,
  taskOpened,
} from '../../testing/entries.js'
import { type FakeSystem, createFakeSystem } from '../../testing/fake-system.js'
import { type Store, type StoreOptions, openStore } from './open-store.js'
import { plainCall } from './written-story.test.child.js'

const root = mkdtempSync(join(tmpdir(), 'spillway-store-'))
afterAll(() => rmSync(root, { recursive: true }))

function newDir(): string {
  return mkdtempSync(join(root, 'books-'))
}

function unexpected(problem: string): never {
  throw new Error(problem)
}

function open(options: Partial<StoreOptions> = {}): Promise<Store> {
  return openStore({ dir: newDir(), system: createFakeSystem(), onProblem: unexpected, ...options })
}

function segmentsOf(dir: string): string[] {
  return readdirSync(dir).filter((name) => name.startsWith('journal-'))
}

describeBooks('durable store', () => open())
describeBooks('durable store with fsync', () => open({ fsync: true }))

/** A disk that can be filled, and takes only part of a write when it is. */
function disk(): { full: boolean; readonly writeSync: NonNullable<StoreOptions['writeSync']> } {
  const state = {
    full: false,
    writeSync(file: number, bytes: string | Uint8Array): number {
      const whole = typeof bytes === 'string' ? Buffer.from(bytes) : bytes
      if (!state.full) return writeSync(file, whole)
      writeSync(file, whole.subarray(0, Math.ceil(whole.length / 2)))
      throw Object.assign(new Error('ENOSPC: no space left on device'), { code: 'ENOSPC' })
    },
  }
  return state
}

describe('a disk that refuses', () => {
  async function fill(system: FakeSystem) {
    const problems: string[] = []
    const device = disk()
    const dir = newDir()
    const onProblem = (problem: string): void => void problems.push(problem)
    const store = await open({ dir, system, writeSync: device.writeSync, onProblem })
    device.full = true
    store.write(taskOpened('task_1'))
    await expect(store.durable()).rejects.toMatchObject({ code: 'journal-write' })
    return { store, device, problems, dir }
  }

  test('nothing pretends to be durable, and the books say so', async () => {
    const { store, device, problems } = await fill(createFakeSystem())
    store.write(outcomeJudged('task_1'))
    await expect(store.durable()).rejects.toMatchObject({ code: 'journal-write' })
    expect(store.failed?.code).toBe('journal-write')
    expect(problems).toEqual(['cannot write the journal: ENOSPC: no space left on device'])
    device.full = false
    await store.close()
  })

  test('once a write works again everything said is durable; half a line spoils nothing', async () => {
    const system = createFakeSystem()
    const { store, device, problems, dir } = await fill(system)
    store.write(outcomeJudged('task_1'))
    await system.advance(1_000)
    expect(store.failed).not.toBeNull()
    device.full = false
    await system.advance(1_000)
    expect(store.failed).toBeNull()
    await store.durable()
    expect(await store.loadTask('task_1' as TaskId)).toMatchObject({ status: 'succeeded' })
    expect(problems.at(-1)).toBe('the journal can be written again')
    await store.close()
    const again = await open({ dir })
    expect(await again.loadTask('task_1' as TaskId)).toMatchObject({ status: 'succeeded' })
    await again.close()
  })

  test('reads still answer from what was written', async () => {
    const { store, device } = await fill(createFakeSystem())
    expect(await store.list({})).toEqual({ rows: [], nextCursor: null })
    device.full = false
    await store.close()
  })

  test('closing while it still refuses fails, and what was never durable is not there later', async () => {
    const { store, dir } = await fill(createFakeSystem())
    await expect(store.close()).rejects.toMatchObject({ code: 'journal-write' })
    const again = await open({ dir })
    expect((await again.list({})).rows).toEqual([])
    await again.close()
  })

  test('a write that takes only part of the text is continued', async () => {
    const piecemeal = (file: number, bytes: string | Uint8Array): number =>
      writeSync(file, Buffer.from(bytes).subarray(0, 7))
    const store = await open({ writeSync: piecemeal })
    store.write(taskOpened('task_1'))
    await store.durable()
    expect((await store.loadTask('task_1' as TaskId))?.opened).toEqual(taskOpened('task_1'))
    await store.close()
  })
})

describe('the data directory', () => {
  test('belongs to one store at a time; the refusal names it', async () => {
    const dir = newDir()
    const store = await open({ dir })
    await expect(open({ dir })).rejects.toMatchObject({
      code: 'locked',
      message: expect.stringContaining(dir),
    })
    await store.close()
    await (await open({ dir })).close()
  })

  test('keeps no journal files that were read, and an open hold outlives every one of them', async () => {
    const dir = newDir()
    const store = await open({ dir, segmentBytesMax: 2_000 })
    const hold = holdMade('task_0', 'hold_0')
    store.write(taskOpened('task_0', { oneStep: false }))
    store.write(hold)
    for (let i = 1; i <= 40; i++) {
      store.write(taskOpened(`task_${i}`))
      store.write(outcomeJudged(`task_${i}`))
      await store.durable()
    }
    expect((await store.loadTask('task_0' as TaskId))?.spent.nanoUsd).toBe(0)
    expect(await store.check()).toBe('ok')
    expect(segmentsOf(dir).length).toBeLessThanOrEqual(2)
    await store.close()
    const again = await open({ dir })
    expect(again.recovery).toEqual({ settledHolds: 1, closedTasks: 0, nanoUsd: hold.amounts.nanoUsd })
    expect((await again.trace('task_0' as TaskId))?.charges).toMatchObject([
      { attempt: { end: 'process_died' } },
    ])
    await again.close()
    expect(segmentsOf(dir)).toEqual([])
  })

  test('every file of the journal can be read without those before it', async () => {
    const dir = newDir()
    const store = await open({ dir, segmentBytesMax: 1_500 })
    const attributes = { account_tier: 'enterprise' }
    const ids = Array.from({ length: 20 }, (_, i) => `task_${i}` as TaskId)
    const written = ids.map((id) => plainCall(id))
    for (const [i, [, ...rest]] of written.entries()) {
      store.write(taskOpened(ids[i] ?? '', { attributes }))
      for (const [part, entry] of rest.entries()) {
        if (part === 1) await store.durable()
        store.write(entry)
      }
      await store.durable()
    }
    // What a process that died now would leave behind.
    const left = newDir()
    cpSync(dir, left, { recursive: true })
    await store.close()
    const again = await open({ dir: left })
    for (const [i, id] of ids.entries()) {
      const trace = await again.trace(id)
      expect(trace?.summary.opened.attributes).toEqual(attributes)
      expect(trace?.charges).toEqual([written[i]?.[2]])
    }
    await again.close()
  })

  test('keeps no text past its time, in the journal neither', async () => {
    const dir = newDir()
    const store = await open({ dir })
    const gone = store.saveContent({ task: 'task_1' as TaskId, text: 'short-lived', deleteAfterMs: START_MS })
    const kept = store.saveContent({
      task: 'task_1' as TaskId,
      text: 'long-lived',
      deleteAfterMs: START_MS + 1,
    })
    const before = segmentsOf(dir)
    expect(await store.prune(START_MS)).toEqual({ contents: 1, tasks: 0 })
    expect(await store.loadContent(gone)).toBeNull()
    expect(await store.loadContent(kept)).toBe('long-lived')
    await store.check()
    expect(segmentsOf(dir)).not.toContain(before[0])
    await store.close()
  })
})

test('an entry that cannot be written is told and lost, and holds up no other', async () => {
  const problems: string[] = []
  const store = await open({ onProblem: (problem) => void problems.push(problem) })
  store.write(taskOpened('task_1', { attributes: { tier: 1n } }))
  store.write(taskOpened('task_2'))
  await store.durable()
  expect(problems).toEqual([expect.stringContaining('an entry cannot be written and is lost')])
  expect(store.stats().lostEntries).toBe(1)
  expect((await store.list({})).rows.map(({ id }) => id)).toEqual(['task_2'])
  await store.close()
})

test('the database follows the journal by itself', async () => {
  const system = createFakeSystem()
  const store = await open({ system })
  const hold = holdMade('task_1', 'hold_1')
  store.write(taskOpened('task_1'))
  store.write(hold)
  await store.durable()
  expect(store.stats()).toMatchObject({ openHolds: 1, queued: 0, lostEntries: 0 })
  expect(store.stats().behindBytes).toBeGreaterThan(0)
  await system.advance(200)
  // Nobody asked for anything: only the timer can have started the reading.
  while (store.stats().behindBytes > 0) await new Promise((resolve) => setImmediate(resolve))
  store.write(holdSettled(hold))
  expect((await store.loadTask('task_1' as TaskId))?.spent).toEqual(ONE_CALL)
  await store.close()
})

test('closed books say that they are closed', async () => {
  const store = await open()
  await store.close()
  await store.close()
  store.write(taskOpened('task_1'))
  await expect(store.durable()).rejects.toMatchObject({ code: 'closed' })
  await expect(store.loadTask('task_1' as TaskId)).rejects.toMatchObject({ code: 'closed' })
})
