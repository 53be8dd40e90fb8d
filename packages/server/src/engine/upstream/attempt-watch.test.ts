import { expect, test } from 'vitest'
import { createFakeSystem } from '../../testing/fake-system.js'
import { AttemptWatch, type WatchTerms } from './attempt-watch.js'
import { Race } from './race.js'

const BROKEN = new Error('broken on purpose')
const breaks = (): never => {
  throw BROKEN
}

test.each<readonly [string, Partial<WatchTerms>]>([
  ['whether a copy is to be sent', { hedge: breaks }],
  ['whether another could serve', { elsewhere: breaks }],
])('what throws when a timer asks %s ends the attempt, and no timer is left', async (_, broken) => {
  const system = createFakeSystem()
  const ends: unknown[] = []
  const watch = new AttemptWatch({
    system,
    race: new Race(),
    p95Ms: 100,
    limitMs: 400,
    perFrameMs: null,
    hedge: null,
    elsewhere: () => false,
    ...broken,
  })
  watch.start({ stop: (end) => ends.push(end), fail: (error) => ends.push(error) })
  await system.advance(1_000)
  expect(ends).toEqual([BROKEN])
  expect(system.pendingTimers()).toBe(0)
})
