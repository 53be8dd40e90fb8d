// What every `Archive` must say of events and of how tasks ended. Part of `books-contract.ts`.

import { expect, test } from 'vitest'
import type { AllBooks } from './archive-contract.js'
import { START_MS, eventHappened, outcomeJudged, taskOpened } from './entries.js'

const HOUR_MS = 3_600_000

export function aboutEvents(books: () => AllBooks): void {
  test('events come back newest first, whole, by kind and subject, and page by page', async () => {
    books().write(eventHappened())
    books().write(eventHappened({ event: 'slo-alert', subject: 'support_reply', atMs: START_MS + 1 }))
    books().write(eventHappened({ atMs: START_MS + 2, detail: {} }))
    const all = await books().events({})
    expect(all.map(({ atMs }) => atMs - START_MS)).toEqual([2, 1, 0])
    expect(all[2]).toMatchObject({ event: 'breaker', subject: 'openai/gpt-4o-mini' })
    expect(all[2]?.detail).toEqual({ from: 'closed', to: 'open', note: 'tab\tand\nline' })
    expect((await books().events({ event: 'slo-alert' })).map(({ subject }) => subject)).toEqual([
      'support_reply',
    ])
    expect(await books().events({ subject: 'nobody' })).toEqual([])
    const [newest] = await books().events({ limit: 1 })
    const rest = await books().events({ before: newest?.n ?? 0 })
    expect(rest).toEqual(all.slice(1))
  })

  test('how tasks ended is told by contract: the last hours by minutes, before that by hours', async () => {
    const end = (id: string, atMs: number, some: Parameters<typeof outcomeJudged>[1] = {}) => {
      books().write(taskOpened(id, { atMs: atMs - 1_000 }))
      books().write(outcomeJudged(id, { atMs, ...some }))
    }
    const nowMs = START_MS - (START_MS % HOUR_MS) + 10 * HOUR_MS
    end('task_1', nowMs - 8 * HOUR_MS + 60_000)
    end('task_2', nowMs - 8 * HOUR_MS + 120_000, { success: false, status: 'failed', sloMet: false })
    end('task_3', nowMs - 60_000, { sloMet: null })
    end('task_4', nowMs - 30_000, { success: false, status: 'failed', sloMet: null })
    end('task_5', nowMs, {})
    books().write(taskOpened('task_6', { atMs: nowMs - 1 }))
    const contract = taskOpened('task_1').contract
    expect(await books().endedTasks(nowMs - 9 * HOUR_MS, nowMs)).toEqual([
      { contract, atMs: nowMs - 8 * HOUR_MS, total: 2, failed: 1, slow: 1 },
      { contract, atMs: nowMs - 60_000, total: 2, failed: 1, slow: 0 },
    ])
    expect(await books().endedTasks(nowMs, nowMs + 1)).toHaveLength(1)
  })
}
