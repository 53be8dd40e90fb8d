// What every implementation of `Books` and `Archive` must do.

import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { NOTHING } from '../core/budget/amounts.js'
import type { TaskId } from '../core/ids.js'
import { type AllBooks, aboutLists, aboutReports, writeCall } from './archive-contract.js'
import { aboutEvents } from './events-contract.js'
import { addAmounts } from './task-story.js'
import { ONE_CALL, START_MS, holdMade, holdSettled, outcomeJudged, stepEnded, taskOpened } from './entries.js'

/** `open` gives empty books. */
export function describeBooks(name: string, open: () => Promise<AllBooks>): void {
  describe(`books: ${name}`, () => {
    let books: AllBooks
    beforeEach(async () => {
      books = await open()
    })
    afterEach(() => books.close())
    describe('one task', () => {
      aboutOneTask(() => books)
    })
    describe('charges', () => {
      aboutCharges(() => books)
    })
    describe('lists', () => {
      aboutLists(() => books)
    })
    describe('events and ends', () => {
      aboutEvents(() => books)
    })
    describe('the report', () => {
      aboutReports(() => books)
    })
    describe('contents', () => {
      aboutContents(() => books)
    })
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
    const disputed = outcomeJudged('task_1', {
      status: 'failed',
      success: false,
      source: 'application',
      sloMet: null,
    })
    await books().loadTask('task_1' as TaskId)
    books().write(disputed)
    books().write(outcomeJudged('task_1', { score: 0.5 }))
    await books().loadTask('task_1' as TaskId)
    books().write({ ...disputed, reasons: ['again'] })
    const trace = await books().trace('task_1' as TaskId)
    expect(trace?.outcomes.map(({ status }) => status)).toEqual([
      'succeeded',
      'failed',
      'succeeded',
      'failed',
    ])
    expect(trace?.summary).toMatchObject({ status: 'failed', outcome: { reasons: ['again'], sloMet: null } })
  })

  test('a task knows its sub-tasks', async () => {
    books().write(taskOpened('task_1', { oneStep: false }))
    books().write(taskOpened('task_2', { parent: 'task_1' as TaskId }))
    books().write(taskOpened('task_3', { parent: 'task_1' as TaskId }))
    expect((await books().trace('task_1' as TaskId))?.children).toEqual(['task_2', 'task_3'])
  })

  test('what its sub-tasks and theirs spent is shown beside what a task spent itself', async () => {
    writeCall(books(), 'task_1', { oneStep: false })
    writeCall(books(), 'task_2', { parent: 'task_1' as TaskId })
    writeCall(books(), 'task_3', { parent: 'task_2' as TaskId })
    writeCall(books(), 'task_4', { parent: 'task_2' as TaskId })
    const times = (n: number) => Array.from({ length: n }, () => ONE_CALL).reduce(addAmounts, NOTHING)
    const loaded = (id: string) => books().loadTask(id as TaskId)
    expect(await loaded('task_1')).toMatchObject({ spent: ONE_CALL, spentWithChildren: times(4) })
    expect((await books().trace('task_2' as TaskId))?.summary).toMatchObject({ spentWithChildren: times(3) })
    expect(await loaded('task_3')).not.toHaveProperty('spentWithChildren')
  })

  test('a reported step adds its own cost and tool time', async () => {
    books().write(taskOpened('task_1', { oneStep: false }))
    const step = stepEnded('task_1', [], {
      step: 'tool',
      toolMs: 40,
      otherNanoUsd: 7,
      reported: { input: { q: 'x' } },
    })
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
    const hedge = {
      ...attempt,
      purpose: 'hedge' as const,
      number: 2,
      nanoUsd: null,
      basis: 'estimated' as const,
    }
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

function aboutContents(books: () => AllBooks): void {
  test('stored text comes back by its reference, character by character', async () => {
    const text = 'line\nwith\ttab, "quotes", ü, 😀 and a lone \ud800 surrogate'.repeat(3)
    const content = { task: 'task_1' as TaskId, text, deleteAfterMs: START_MS + 1 }
    const reference = books().saveContent(content)
    expect(await books().loadContent(reference)).toBe(text)
    expect(await books().loadContent('msg_unknown')).toBeNull()
    const gone = books().saveContent({ ...content, deleteAfterMs: START_MS })
    expect(await books().loadContent(gone)).toBeNull()
  })

  test('text under a reference of its own is replaced, and forgotten by an empty one', async () => {
    const reference = 'response:acme:resp_1'
    const content = { task: 'task_1' as TaskId, reference, deleteAfterMs: START_MS + 1 }
    expect(books().saveContent({ ...content, text: 'first' })).toBe(reference)
    books().saveContent({ ...content, text: 'second' })
    expect(await books().loadContent(reference)).toBe('second')
    books().saveContent({ ...content, text: '' })
    expect(await books().loadContent(reference)).toBeNull()
  })
}
