import { expect, test } from 'vitest'
import { createIds } from './ids.js'
import { createLiveSystem } from './live-system.js'

test('ids made in one process are strictly ordered, also within one millisecond', () => {
  const system = createLiveSystem()
  const ids = Array.from({ length: 20_000 }, () => system.newId('task'))
  expect([...ids].sort()).toEqual(ids)
  expect(new Set(ids).size).toBe(ids.length)
  expect(ids[0]).toMatch(/^task_[0-9A-HJKMNP-TV-Z]{20}$/)
})

test('an id made later sorts after an earlier one, over the whole range of the clock', () => {
  let now = 0
  const newId = createIds(
    () => now,
    () => 0.999_999_999,
  )
  const ids = [0, 1, 31, 32, 1023, 1024, 2 ** 25 - 1, 2 ** 25, 1_764_000_000_000, 2 ** 42].map((ms) => {
    now = ms
    return newId('step')
  })
  expect([...ids].sort()).toEqual(ids)
})

test('ids stay ordered when the clock steps back and when the tail carries over', () => {
  let now = 1_764_000_000_000
  const newId = createIds(
    () => now,
    () => 1 - 2 ** -30,
  )
  const first = newId('hold')
  now -= 5_000
  const later = Array.from({ length: 3 }, () => newId('hold'))
  expect([first, ...later].sort()).toEqual([first, ...later])
  expect(new Set([first, ...later]).size).toBe(4)
})

test('each kind of id says what it is', () => {
  const system = createLiveSystem()
  const kinds = ['task', 'step', 'attempt', 'hold', 'message'] as const
  expect(kinds.map((kind) => system.newId(kind).split('_')[0])).toEqual([
    'task',
    'step',
    'att',
    'hold',
    'msg',
  ])
})

test('a cancelled timer never runs and a live one does', async () => {
  const system = createLiveSystem()
  const ran: string[] = []
  // `after` does not keep the process alive; the interval does while we wait for it.
  const alive = setInterval(() => undefined, 1_000)
  await new Promise<void>((resolve) => {
    system.after(1, () => ran.push('cancelled')).cancel()
    system.after(2, () => {
      ran.push('ran')
      resolve()
    })
  })
  clearInterval(alive)
  expect(ran).toEqual(['ran'])
})

test('sha256 is the well-known hash of text and of bytes', () => {
  const system = createLiveSystem()
  const abc = 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad'
  expect(system.sha256('abc')).toBe(abc)
  expect(system.sha256(Buffer.from('abc'))).toBe(abc)
})
