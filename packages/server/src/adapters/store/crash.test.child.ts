// The process that `crash.test.ts` kills: it answers calls as fast as it can, and prints an id only when the
// charge behind it is durable. Run as `node crash.test.child.js <dir> <first number>`.

import type { TaskId } from '../../core/ids.js'
import { holdMade, holdSettled, outcomeJudged, stepEnded, taskOpened } from '../../testing/entries.js'
import { createLiveSystem } from '../system/live-system.js'
import { type Store, openStore } from './open-store.js'

const CALLS_AT_ONCE = 8

function say(line: string): void {
  process.stdout.write(`${line}\n`)
}

async function call(store: Store, number: number): Promise<void> {
  const id = `task_${String(number).padStart(8, '0')}`
  const hold = holdMade(id, `hold_${id}`)
  const settled = holdSettled(hold)
  store.write(taskOpened(id))
  store.write(hold)
  if (number % 3 === 0) await store.durable()
  if (number % 50 === 0) store.saveContent({ task: id as TaskId, text: 'x'.repeat(20_000), deleteAfterMs: 0 })
  store.write(settled)
  store.write(stepEnded(id, [settled.attempt]))
  store.write(outcomeJudged(id))
  await store.durable()
  say(`done ${id}`)
}

const [, , dir = '', first = '0'] = process.argv
const system = createLiveSystem()
const store = await openStore({
  dir,
  system,
  onProblem: (problem) => say(`problem ${problem}`),
  segmentBytesMax: 300_000,
})
say(`recovered ${JSON.stringify(store.recovery)}`)
async function run(lane: number): Promise<void> {
  for (let number = Number(first) + lane; ; number += CALLS_AT_ONCE) await call(store, number)
}
await Promise.all(Array.from({ length: CALLS_AT_ONCE }, (_, lane) => run(lane)))
