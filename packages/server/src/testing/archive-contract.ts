// What every `Archive` must say in lists and in the report. Part of `books-contract.ts`.

import { expect, test } from 'vitest'
import type { HoldMade } from '../core/task/records.js'
import type { Archive, Books } from '../engine/ports.js'
import {
  START_MS,
  attemptRecord,
  callRefused,
  holdMade,
  holdSettled,
  outcomeJudged,
  stepEnded,
  taskOpened,
} from './entries.js'

export type AllBooks = Books & Archive

const EVER = { sinceMs: 0, untilMs: START_MS * 2 }

/** A whole one-step task, as one model call writes it. */
export function writeCall(
  books: Books,
  id: string,
  changes: Parameters<typeof taskOpened>[1] = {},
): HoldMade {
  const hold = holdMade(id, `hold_${id}`)
  const settled = holdSettled(hold)
  books.write(taskOpened(id, changes))
  books.write(hold)
  books.write(settled)
  books.write(stepEnded(id, [settled.attempt]))
  books.write(outcomeJudged(id))
  return hold
}

export function aboutLists(books: () => AllBooks): void {
  test('pages run from the newest to the oldest without gaps or repeats', async () => {
    for (let i = 1; i <= 7; i++) writeCall(books(), `task_${i}`)
    const first = await books().list({ limit: 3 })
    const second = await books().list({ limit: 3, cursor: first.nextCursor ?? '' })
    const third = await books().list({ limit: 3, cursor: second.nextCursor ?? '' })
    const ids = [first, second, third].map(({ rows }) => rows.map(({ id }) => id))
    expect(ids).toEqual([['task_7', 'task_6', 'task_5'], ['task_4', 'task_3', 'task_2'], ['task_1']])
    expect(third.nextCursor).toBeNull()
  })

  test('every filter keeps what matches and nothing else', async () => {
    writeCall(books(), 'task_1', { session: 's1', externalId: 'x1' })
    writeCall(books(), 'task_2', { tenant: 'globex', contract: 'triage', atMs: START_MS + 7_200_000 })
    books().write(taskOpened('task_3', { atMs: START_MS + 10_800_000 }))
    books().write(stepEnded('task_3', [], { degraded: ['refine'], escalated: true }))
    const ids = async (filter: Parameters<AllBooks['list']>[0]): Promise<string[]> =>
      (await books().list(filter)).rows.map(({ id }) => id)
    expect(await ids({ contract: 'triage' })).toEqual(['task_2'])
    expect(await ids({ tenant: 'acme' })).toEqual(['task_3', 'task_1'])
    expect(await ids({ status: 'open' })).toEqual(['task_3'])
    expect(await ids({ session: 's1' })).toEqual(['task_1'])
    expect(await ids({ externalId: 'x1', tenant: 'acme' })).toEqual(['task_1'])
    expect(await ids({ degraded: true })).toEqual(['task_3'])
    expect(await ids({ degraded: false })).toEqual(['task_2', 'task_1'])
    expect(await ids({ sinceMs: START_MS + 7_200_000, untilMs: START_MS + 10_800_000 })).toEqual(['task_2'])
    const [row] = (await books().list({ status: 'open' })).rows
    expect(row).toMatchObject({
      latencyMs: null,
      success: null,
      harm: null,
      degraded: true,
      escalated: true,
      steps: 1,
    })
  })
}

export function aboutReports(books: () => AllBooks): void {
  test('a group sums cost, results and latency of its tasks', async () => {
    for (const [i, latencyMs] of [100, 200, 400].entries()) {
      writeCall(books(), `task_${i}`)
      const success = i > 0
      const status = success ? 'succeeded' : 'failed'
      books().write(outcomeJudged(`task_${i}`, { latencyMs, success, status, sloMet: latencyMs < 300 }))
    }
    books().write(taskOpened('task_9'))
    const [group, ...rest] = await books().report({ ...EVER, by: 'contract' })
    expect(rest).toEqual([])
    expect(group).toMatchObject({ group: 'support_reply', tasks: 4, ended: 3, successes: 2, harms: 0 })
    expect(group).toMatchObject({ nanoUsd: 275_400, sloMet: 2, sloJudged: 3, modelCalls: 3, attempts: 3 })
    expect(group?.latencyMs?.p50).toBe(200)
    expect(group?.latencyMs?.p95).toBeCloseTo(380, 6)
    expect(group?.costOfSuccessesUsd).toBeCloseTo(2 * 91_800e-9, 12)
    expect(group?.costSquaredUsd).toBeCloseTo(3 * 91_800e-9 ** 2, 15)
    expect(group?.priceNanoUsd).toBe(300_000_000)
  })

  test('tasks are grouped by what was asked for', async () => {
    writeCall(books(), 'task_1', { tenant: 'globex' })
    writeCall(books(), 'task_2')
    books().write(stepEnded('task_2', [], { model: 'gpt-4o', number: 2, cache: 'exact' }))
    books().write(taskOpened('task_3'))
    const names = async (by: 'tenant' | 'model' | 'release' | 'none'): Promise<string[]> =>
      (await books().report({ ...EVER, by })).map(({ group, tasks }) => `${group}:${tasks}`)
    expect(await names('tenant')).toEqual(['acme:2', 'globex:1'])
    expect(await names('model')).toEqual(['gpt-4o:1', 'gpt-4o-mini:1', 'none:1'])
    expect(await names('release')).toEqual(['r1:3'])
    expect(await names('none')).toEqual(['all:3'])
    const [acme] = await books().report({ ...EVER, by: 'contract', tenant: 'acme' })
    expect(acme).toMatchObject({ tasks: 2, cacheHits: 1 })
  })

  test('the window is about when a task was opened', async () => {
    writeCall(books(), 'task_1', { atMs: START_MS - 1 })
    writeCall(books(), 'task_2', { atMs: START_MS })
    writeCall(books(), 'task_3', { atMs: START_MS + 7_200_000 })
    const window = { sinceMs: START_MS, untilMs: START_MS + 7_200_000 }
    expect((await books().report({ ...window, by: 'none' }))[0]?.tasks).toBe(1)
    const later = { sinceMs: START_MS + 1, untilMs: START_MS + 7_200_001 }
    expect((await books().report({ ...later, by: 'none' }))[0]?.tasks).toBe(1)
    expect(await books().report({ sinceMs: 0, untilMs: 1, by: 'none' })).toEqual([])
  })

  test('refused calls are counted by contract and tenant, also where there is no task', async () => {
    writeCall(books(), 'task_1')
    for (let i = 0; i < 3; i++) books().write(callRefused())
    books().write(callRefused({ tenant: null, contract: null, code: 'auth.unknown' }))
    const refused = async (by: 'contract' | 'tenant' | 'none' | 'model'): Promise<Record<string, number>> =>
      Object.fromEntries((await books().report({ ...EVER, by })).map((group) => [group.group, group.refused]))
    expect(await refused('contract')).toEqual({ support_reply: 3, none: 1 })
    expect(await refused('tenant')).toEqual({ acme: 3, none: 1 })
    expect(await refused('none')).toEqual({ all: 4 })
    expect(await refused('model')).toEqual({ 'gpt-4o-mini': 0 })
  })

  test('unknown prices, premium calls and simulated answers show', async () => {
    const hold = holdMade('task_1', 'hold_1', { tier: 'premium', simulated: true })
    const attempt = attemptRecord('attempt_1', { nanoUsd: null, tier: 'premium', simulated: true })
    books().write(taskOpened('task_1'))
    books().write(hold)
    books().write(holdSettled(hold, { attempt }))
    const [group] = await books().report({ ...EVER, by: 'none' })
    expect(group).toMatchObject({
      unpricedCalls: 1,
      premiumCalls: 1,
      simulated: true,
      latencyMs: null,
      sloMet: null,
    })
    expect(group).toMatchObject({ priceNanoUsd: null, ended: 0, costSquaredUsd: 0 })
  })
}
