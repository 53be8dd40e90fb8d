import { expect, test } from 'vitest'
import { createFakeSystem, seededRandom } from './fake-system.js'

test('timers run in order of time, and see the time they were set for', async () => {
  const system = createFakeSystem({ startMs: 1_000 })
  const seen: string[] = []
  system.after(30, () => seen.push(`c@${system.nowMs()}`))
  system.after(10, () => seen.push(`a@${system.nowMs()}`))
  system.after(10, () => seen.push(`b@${system.nowMs()}`))
  await system.advance(20)
  expect(seen).toEqual(['a@1010', 'b@1010'])
  expect(system.nowMs()).toBe(1_020)
  await system.advance(10)
  expect(seen).toEqual(['a@1010', 'b@1010', 'c@1030'])
})

test('a timer set by awaited work of an earlier timer runs in the same advance', async () => {
  const system = createFakeSystem()
  const started = system.nowMs()
  const seen: number[] = []
  async function work(): Promise<void> {
    await Promise.resolve()
    system.after(5, () => seen.push(system.nowMs() - started))
  }
  system.after(10, () => void work())
  await system.advance(100)
  expect(seen).toEqual([15])
})

test('a cancelled timer does not run', async () => {
  const system = createFakeSystem()
  let ran = false
  system
    .after(1, () => {
      ran = true
    })
    .cancel()
  await system.advance(10)
  expect(ran).toBe(false)
  expect(system.pendingTimers()).toBe(0)
})

test('the same seed gives the same dice and ids; ids sort by age', () => {
  const draw = (seed: number): number[] => {
    const system = createFakeSystem({ seed })
    return Array.from({ length: 5 }, () => system.random())
  }
  expect(draw(7)).toEqual(draw(7))
  expect(draw(7)).not.toEqual(draw(8))
  expect(draw(7).every((value) => value >= 0 && value < 1)).toBe(true)
  const system = createFakeSystem()
  const ids = Array.from({ length: 12 }, () => system.newId('task'))
  expect([...ids].sort()).toEqual(ids)
})

test('timers run in order however they were set and cancelled', async () => {
  const dice = seededRandom(3)
  const system = createFakeSystem({ turns: 1 })
  const startedMs = system.nowMs()
  const due: number[] = []
  const ran: number[] = []
  for (let count = 0; count < 300; count++) {
    const delayMs = Math.floor(dice() * 100)
    const timer = system.after(delayMs, () => ran.push(system.nowMs() - startedMs))
    if (dice() < 0.3) timer.cancel()
    else due.push(delayMs)
  }
  expect(system.pendingTimers()).toBe(due.length)
  while (await system.step()) continue
  expect(ran).toEqual(due.sort((a, b) => a - b))
  expect(system.pendingTimers()).toBe(0)
})

test('a clock that is set does not bring timers nearer', async () => {
  const system = createFakeSystem({ startMs: 1_000_000 })
  let atMs = 0
  system.after(100, () => (atMs = system.nowMs()))
  system.jump(-500_000)
  expect(system.nowMs()).toBe(500_000)
  expect(system.nextTimerMs()).toBe(500_100)
  await system.advance(99)
  expect(atMs).toBe(0)
  await system.advance(1)
  expect(atMs).toBe(500_100)
})
