// What every implementation of `Books` and `Archive` must do.

import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { NOTHING } from '../core/budget/amounts.js'
import type { TaskId } from '../core/ids.js'
import type { HoldMade } from '../core/task/records.js'
import type { Archive, Books } from '../engine/ports.js'
import {
  ONE_CALL,
  START_MS,
  attemptRecord,
  callRefused,
  holdMade,
  holdSettled,
  outcomeJudged,
  stepEnded,
  taskOpened,
} from './entries.js'

type AllBooks = Books & Archive

const EVER = { sinceMs: 0, untilMs: START_MS * 2 }

/** A whole one-step task, as one model call writes it. */
function writeCall(books: Books, id: string, changes: Parameters<typeof taskOpened>[1] = {}): HoldMade {
  const hold = holdMade(id, `hold_${id}`)
  const settled = holdSettled(hold)
  books.write(taskOpened(id, changes))
  books.write(hold)
  books.write(settled)
  books.write(stepEnded(id, [settled.attempt]))
  books.write(outcomeJudged(id))
  return hold
}

/** `open` gives empty books. */
export function describeBooks(name: string, open: () => Promise<AllBooks>): void {
  describe(name, () => {
    let books: AllBooks
    beforeEach(async () => {
      books = await open()
    })
    afterEach(() => books.close())
    describe('one task', () => aboutOneTask(() => books))
    describe('charges', () => aboutCharges(() => books))
    describe('lists', () => aboutLists(() => books))
    describe('the report', () => aboutReports(() => books))
    describe('contents', () => aboutContents(() => books))
  })
}

function aboutOneTask(books: () => AllBooks): void {
  test('a call is durable, and read back as it was written', async () => {
    const hold = writeCall(books(), 'task_1')
    await books().durable()
    const settled = holdSettled(hold)
    expect(await books().trace('task_1' as TaskId)).toEqual({
      summary: {
        opened: taskOpened('task_1'),
        status: 'succeeded',
        spent: ONE_CALL,
        unpricedCalls: 0,
        attempts: 1,
        steps: 1,
        outcome: outcomeJudged('task_1'),
        degraded: false,
        lastStepEndedMs: START_MS + 831,
      },
      steps: [stepEnded('task_1', [settled.attempt])],
      charges: [settled],
      outcomes: [outcomeJudged('task_1')],
      children: [],
    })
  })

  test('what was written is seen without waiting for it to be durable', async () => {
    books().write(taskOpened('task_1'))
    expect((await books().loadTask('task_1' as TaskId))?.status).toBe('open')
    books().write(outcomeJudged('task_1', { status: 'abandoned' }))
    expect((await books().loadTask('task_1' as TaskId))?.status).toBe('abandoned')
  })

  test('a task nobody opened is null', async () => {
    expect(await books().loadTask('task_0' as TaskId)).toBeNull()
    expect(await books().trace('task_0' as TaskId)).toBeNull()
  })

  test('steps and charges come in order of their numbers, with reads in between', async () => {
    books().write(taskOpened('task_1', { oneStep: false }))
    for (const number of [2, 1, 3]) {
      const hold = holdMade('task_1', `hold_${number}`, { stepNumber: number })
      books().write(hold)
      books().write(holdSettled(hold))
      const { attempt } = holdSettled(hold)
      books().write(stepEnded('task_1', [attempt], { number, name: `step ${number}` }))
      expect((await books().loadTask('task_1' as TaskId))?.steps).toBeGreaterThan(0)
    }
    const trace = await books().trace('task_1' as TaskId)
    expect(trace?.steps.map((step) => step.name)).toEqual(['step 1', 'step 2', 'step 3'])
    expect(trace?.charges.map((charge) => charge.stepNumber)).toEqual([1, 2, 3])
    expect(trace?.steps.map((step) => step.attempts)).toEqual(trace?.charges.map(({ attempt }) => [attempt]))
    expect(trace?.summary).toMatchObject({ status: 'open', steps: 3, attempts: 3, spent: { modelCalls: 3 } })
  })

  test('the last outcome stands and the earlier ones are kept', async () => {
    writeCall(books(), 'task_1')
    const disputed = outcomeJudged('task_1', { status: 'failed', success: false, source: 'application', sloMet: null })
    await books().loadTask('task_1' as TaskId)
    books().write(disputed)
    books().write(outcomeJudged('task_1', { score: 0.5 }))
    await books().loadTask('task_1' as TaskId)
    books().write({ ...disputed, reasons: ['again'] })
    const trace = await books().trace('task_1' as TaskId)
    expect(trace?.outcomes.map(({ status }) => status)).toEqual(['succeeded', 'failed', 'succeeded', 'failed'])
    expect(trace?.summary).toMatchObject({ status: 'failed', outcome: { reasons: ['again'], sloMet: null } })
  })

  test('a task knows its sub-tasks', async () => {
    books().write(taskOpened('task_1', { oneStep: false }))
    books().write(taskOpened('task_2', { parent: 'task_1' as TaskId }))
    books().write(taskOpened('task_3', { parent: 'task_1' as TaskId }))
    expect((await books().trace('task_1' as TaskId))?.children).toEqual(['task_2', 'task_3'])
  })

  test('a reported step adds its own cost and tool time', async () => {
    books().write(taskOpened('task_1', { oneStep: false }))
    const step = stepEnded('task_1', [], { step: 'tool', toolMs: 40, otherNanoUsd: 7, reported: { input: { q: 'x' } } })
    books().write(step)
    const trace = await books().trace('task_1' as TaskId)
    expect(trace?.summary.spent).toEqual({ ...NOTHING, toolCalls: 1, toolMs: 40, nanoUsd: 7 })
    expect(trace?.steps).toEqual([step])
  })
}

function aboutCharges(books: () => AllBooks): void {
  test('ceiling accounts sum what was settled, by name; accounts of tasks are not kept', async () => {
    writeCall(books(), 'task_1')
    writeCall(books(), 'task_2')
    const totals = await books().accountTotals(['tenant:', 'product:', 'task:'])
    const twice = { ...NOTHING, modelCalls: 2, inputTokens: 840, outputTokens: 96, nanoUsd: 183_600 }
    expect(Object.fromEntries(totals)).toEqual({
      'tenant:acme:day:2026-11-24': twice,
      'product:day:2026-11-24': twice,
    })
    expect((await books().accountTotals(['tenant:b'])).size).toBe(0)
  })

  test('a hold is settled once: saying it again charges nothing', async () => {
    const hold = writeCall(books(), 'task_1')
    books().write(holdSettled(hold, { actual: { ...ONE_CALL, nanoUsd: 999 } }))
    expect((await books().loadTask('task_1' as TaskId))?.spent).toEqual(ONE_CALL)
    expect((await books().trace('task_1' as TaskId))?.charges).toHaveLength(1)
    expect((await books().accountTotals(['tenant:acme:day:2026-11-24'])).size).toBe(1)
  })

  test('an attempt that settles after its step and its outcome still counts', async () => {
    const late = holdMade('task_1', 'hold_late')
    const { attempt } = holdSettled(late)
    const hedge = { ...attempt, purpose: 'hedge' as const, number: 2, nanoUsd: null, basis: 'estimated' as const }
    books().write(taskOpened('task_1'))
    books().write(late)
    books().write(stepEnded('task_1', [hedge]))
    books().write(outcomeJudged('task_1'))
    await books().loadTask('task_1' as TaskId)
    books().write(holdSettled(late, { attempt: hedge }))
    const trace = await books().trace('task_1' as TaskId)
    expect(trace?.summary).toMatchObject({ attempts: 1, unpricedCalls: 1, spent: ONE_CALL })
    expect(trace?.charges.map((charge) => charge.attempt)).toEqual([hedge])
    expect(trace?.steps[0]?.attempts).toEqual([hedge])
  })
}

function aboutLists(books: () => AllBooks): void {
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
    expect(row).toMatchObject({ latencyMs: null, success: null, harm: null, degraded: true, escalated: true, steps: 1 })
  })
}

function aboutReports(books: () => AllBooks): void {
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
    expect(group).toMatchObject({ unpricedCalls: 1, premiumCalls: 1, simulated: true, latencyMs: null, sloMet: null })
    expect(group).toMatchObject({ priceNanoUsd: null, ended: 0, costSquaredUsd: 0 })
  })
}

function aboutContents(books: () => AllBooks): void {
  test('stored text comes back by its reference, character by character', async () => {
    const text = 'line\nwith\ttab, "quotes", ü, 😀 and a lone \ud800 surrogate'.repeat(3)
    const content = { task: 'task_1' as TaskId, text, deleteAfterMs: START_MS }
    const reference = books().saveContent(content)
    expect(await books().loadContent(reference)).toBe(text)
    expect(await books().loadContent('msg_unknown')).toBeNull()
  })
}
