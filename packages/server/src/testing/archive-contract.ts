// What every `Archive` must say in lists and in the report. Part of `books-contract.ts`.

import { expect, test } from 'vitest'
import { NOTHING } from '../core/budget/amounts.js'
import type { HoldMade } from '../core/task/records.js'
import type { Archive, Books } from '../engine/ports.js'
import { aboutDevices } from './device-contract.js'
import {
  START_MS,
  attemptRecord,
  callRefused,
  holdMade,
  holdSettled,
  outcomeJudged,
  releaseServed,
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

  aboutPlaces(books)
  aboutDevices(books)

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

/** A task that failed at our own deployment, throttled, and was answered by the hosted one. */
function writeHybrid(books: Books, id: string): void {
  const here = { deployment: 'gpu-a/llama', provider: 'gpu-a', model: 'llama' }
  const first = holdMade(id, `hold_1_of_${id}`, here)
  const second = holdMade(id, `hold_2_of_${id}`, { attempt: { ...first.attempt, number: 2 } })
  const thrown = attemptRecord('attempt_1', { ...here, status: 429, end: 'http_429', nanoUsd: 0 })
  const turnedAway = { ...thrown, chargedNanoUsd: 0, durationMs: 9, firstByteMs: 8 }
  const settled = [
    holdSettled(first, { attempt: turnedAway, actual: NOTHING }),
    holdSettled(second, { attempt: attemptRecord('attempt_2', { number: 2 }) }),
  ]
  books.write(taskOpened(id))
  for (const [i, hold] of [first, second].entries()) {
    books.write(hold)
    const charge = settled[i]
    if (charge !== undefined) books.write(charge)
  }
  books.write(
    stepEnded(
      id,
      settled.map(({ attempt }) => attempt),
    ),
  )
  books.write(outcomeJudged(id))
}

interface OwnCall {
  readonly afterMs: number
  readonly outputTokens: number
  /** Default: a whole one-step task of `acme`. */
  readonly opened?: Parameters<typeof taskOpened>[1]
}

/** A call that our own deployment answered in 2 s. */
function writeOwnCall(books: Books, id: string, { afterMs, outputTokens, opened = {} }: OwnCall): void {
  const own = { deployment: 'gpu-a/llama', provider: 'gpu-a', model: 'llama' }
  const hold = holdMade(id, `hold_of_${id}`, { ...own, atMs: START_MS + afterMs })
  const startedMs = START_MS + afterMs
  const times = { startedMs, durationMs: 2_000, firstByteMs: 500, held: hold.amounts }
  const free = { nanoUsd: 0, chargedNanoUsd: 0 }
  const attempt = attemptRecord(hold.attempt.id, { ...own, ...times, ...free })
  const actual = { ...NOTHING, modelCalls: 1, inputTokens: 300, outputTokens }
  const settled = holdSettled(hold, { attempt, actual })
  books.write(taskOpened(id, { atMs: START_MS + afterMs, ...opened }))
  books.write(hold)
  books.write(settled)
  books.write(stepEnded(id, [settled.attempt], { ...own }))
  books.write(outcomeJudged(id))
}

function aboutPlaces(books: () => AllBooks): void {
  test('a task that went to two approaches counts at each with what it spent there', async () => {
    books().write(releaseServed())
    writeHybrid(books(), 'task_1')
    writeCall(books(), 'task_2')
    const [hosted, own, ...rest] = await books().report({ ...EVER, by: 'approach' })
    expect(rest).toEqual([])
    expect(hosted).toMatchObject({ group: 'hosted', tasks: 2, successes: 2, attempts: 2, nanoUsd: 183_600 })
    expect(hosted?.place).toMatchObject({ answered: 2, throttled: 0, errors: 0, fallbacks: 0 })
    expect(hosted?.place?.durationMs).toEqual({ p50: 812, p95: 812 })
    expect(own).toMatchObject({ group: 'self-hosted', tasks: 1, ended: 1, successes: 0, attempts: 1 })
    expect(own).toMatchObject({ nanoUsd: 0, modelCalls: 0, latencyMs: null })
    const place = { answered: 0, durationMs: null, firstByteMs: null, throttled: 1, errors: 0, fallbacks: 1 }
    expect(own?.place).toMatchObject(place)
    const names = async (by: 'provider' | 'deployment') =>
      (await books().report({ ...EVER, by })).map(({ group }) => group)
    expect(await names('provider')).toEqual(['gpu-a', 'openai'])
    expect(await names('deployment')).toEqual(['gpu-a/llama', 'openai/gpt-4o-mini'])
  })

  test('the approach is what it was in the release of the task', async () => {
    books().write(releaseServed())
    writeCall(books(), 'task_1')
    const moved = releaseServed().deployments.map((one) => ({ ...one, hosting: 'serverless' as const }))
    const r2 = 'r2' as ReturnType<typeof releaseServed>['release']
    books().write(releaseServed({ release: r2, atMs: START_MS + 5, deployments: moved }))
    writeCall(books(), 'task_2', { release: r2 })
    writeCall(books(), 'task_3', { release: 'r0' as typeof r2 })
    const groups = await books().report({ ...EVER, by: 'approach' })
    expect(groups.map(({ group, tasks }) => [group, tasks])).toEqual([
      ['hosted', 1],
      ['serverless', 1],
      ['unknown', 1],
    ])
  })

  test('cost of reported steps, and tasks nobody was asked for, are at no place', async () => {
    books().write(releaseServed())
    writeCall(books(), 'task_1')
    books().write(
      stepEnded('task_1', [], { number: 2, step: 'retrieval', deployment: null, otherNanoUsd: 9 }),
    )
    books().write(taskOpened('task_2'))
    const groups = await books().report({ ...EVER, by: 'provider' })
    expect(
      groups.map(({ group, tasks, nanoUsd, place }) => [group, tasks, nanoUsd, place?.answered]),
    ).toEqual([
      ['none', 2, 9, 1],
      ['openai', 1, 91_800, 1],
    ])
  })

  test('owned hours run while a release with them serves, and are shared out over the work', async () => {
    books().write(releaseServed({ atMs: START_MS }))
    // A server that starts again begins nothing new.
    books().write(releaseServed({ atMs: START_MS + 3_000 }))
    const opened = { oneStep: false, tenant: 'globex', contract: 'triage' }
    writeOwnCall(books(), 'task_1', { afterMs: 1_000, outputTokens: 100 })
    writeOwnCall(books(), 'task_2', { afterMs: 2_000, outputTokens: 200, opened })
    books().write(releaseServed({ release: 'r2' as never, atMs: START_MS + 10_000, deployments: [] }))
    const window = { sinceMs: START_MS - 60_000, untilMs: START_MS + 60_000 }
    const costs = await books().ownedCosts({ ...window, by: 'contract' })
    // A thousand nano-dollars a ms: ten seconds owned, from 1 s to 4 s a call ran.
    const sums = { ownedMs: 10_000, busyMs: 3_000, ownedNanoUsd: 10_000_000, workNanoUsd: 3_000_000 }
    const shares = [
      { group: 'support_reply', nanoUsd: 1_000_000 },
      { group: 'triage', nanoUsd: 2_000_000 },
    ]
    const who = { deployment: 'gpu-a/llama', provider: 'gpu-a', hosting: 'self-hosted' }
    expect(costs).toEqual([{ ...who, ...sums, idleNanoUsd: 7_000_000, shares }])
    const own = await books().ownedCosts({ ...window, by: 'approach', tenant: 'acme' })
    const ownShares = [{ group: 'own', nanoUsd: 1_000_000 }]
    expect(own).toEqual([{ ...who, ...sums, idleNanoUsd: 7_000_000, shares: ownShares }])
    const later = { sinceMs: START_MS + 10_000, untilMs: START_MS + 60_000 }
    expect(await books().ownedCosts({ ...later, by: 'none' })).toEqual([])
  })
}
