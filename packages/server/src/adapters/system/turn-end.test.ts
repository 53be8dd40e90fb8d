import { afterEach, expect, test, vi } from 'vitest'
import { TurnEnd } from './turn-end.js'

afterEach(() => vi.useRealTimers())

const turnOver = () => new Promise<void>((resolve) => setImmediate(resolve))

test('what came in one turn runs in order, in one piece, and not before the turn ends', async () => {
  const end = new TurnEnd()
  const ran: string[] = []
  for (const name of ['a', 'b', 'c']) {
    end.add(() => {
      ran.push(name)
      void Promise.resolve().then(() => ran.push(`after ${name}`))
    })
  }
  expect(ran).toEqual([])
  await turnOver()
  expect(ran).toEqual(['a', 'b', 'c', 'after a', 'after b', 'after c'])
})

test('what is added meanwhile waits for the next turn', async () => {
  const end = new TurnEnd()
  const ran: string[] = []
  end.add(() => {
    ran.push('first')
    end.add(() => ran.push('second'))
  })
  await turnOver()
  expect(ran).toEqual(['first'])
  await turnOver()
  expect(ran).toEqual(['first', 'second'])
})

test('one that throws does not keep the others from running', () => {
  vi.useFakeTimers({ toFake: ['setImmediate'] })
  const end = new TurnEnd()
  const ran: string[] = []
  end.add(() => ran.push('before'))
  end.add(() => {
    throw new Error('a fault')
  })
  end.add(() => ran.push('after'))
  expect(() => vi.runAllTimers()).toThrow('a fault')
  expect(ran).toEqual(['before'])
  vi.runAllTimers()
  expect(ran).toEqual(['before', 'after'])
})
