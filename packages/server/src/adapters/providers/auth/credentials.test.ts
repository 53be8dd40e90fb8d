import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { createFakeSystem, type FakeSystem } from '../../../testing/fake-system.js'
import { CredentialError } from './credential-error.js'
import { type Fetched, RefreshedCredentials } from './credentials.js'

const HOUR_MS = 3_600_000

interface Ask {
  readonly give: (value: string, lifetimeMs?: number | null) => void
  readonly refuse: (error: unknown) => void
}

/** A source whose answers the test gives, one by one. */
function source(system: FakeSystem) {
  const asked: Ask[] = []
  const fetch = () =>
    new Promise<Fetched<string>>((resolve, reject) => {
      asked.push({
        give: (value, lifetimeMs = HOUR_MS) =>
          resolve({ value, expiresAtMs: lifetimeMs === null ? null : system.nowMs() + lifetimeMs }),
        refuse: reject,
      })
    })
  const credentials = new RefreshedCredentials(fetch, system)
  return {
    asked,
    credentials,
    /** The latest question. */
    last: (): Ask => {
      const found = asked.at(-1)
      if (found === undefined) throw new Error('nothing was asked')
      return found
    },
  }
}

const failureOf = (credentials: RefreshedCredentials<string>): Promise<unknown> =>
  credentials.ready().catch((error: unknown) => error)

const unreachable = new CredentialError('the source is not there')

async function started(lifetimeMs: number | null = HOUR_MS) {
  const system = createFakeSystem()
  const from = source(system)
  const ready = from.credentials.ready()
  await system.advance(0)
  from.last().give('one', lifetimeMs)
  await ready
  return { system, ...from }
}

describe('the first one', () => {
  test('is fetched once, however many calls wait for it', async () => {
    const system = createFakeSystem()
    const { credentials, asked, last } = source(system)
    expect(credentials.current()).toBeNull()
    expect(asked).toHaveLength(0)
    const waiting = Promise.all([credentials.ready(), credentials.ready(), credentials.ready()])
    await system.advance(0)
    expect(asked).toHaveLength(1)
    last().give('one')
    await waiting
    expect(credentials.current()).toBe('one')
  })

  test('that cannot be had fails the calls that wait, and the next ones at once until the pause is over', async () => {
    const system = createFakeSystem()
    const { credentials, asked, last } = source(system)
    const first = credentials.ready()
    await system.advance(0)
    last().refuse(new CredentialError('wrong secret', { isFinal: true }))
    await expect(first).rejects.toMatchObject({ message: 'wrong secret', isFinal: true })
    await expect(credentials.ready()).rejects.toMatchObject({ message: 'wrong secret', isFinal: true })
    expect(asked).toHaveLength(1)
    await system.advance(1_000)
    const second = credentials.ready()
    await system.advance(0)
    expect(asked).toHaveLength(2)
    last().give('one')
    await second
    expect(credentials.current()).toBe('one')
  })

  test('that never comes is given up', async () => {
    const system = createFakeSystem()
    const { credentials } = source(system)
    const failed = failureOf(credentials)
    await system.advance(30_000)
    expect(await failed).toMatchObject({ message: 'no answer within 30000 ms', isFinal: false })
  })

  test('what throws without saying why is told without its words', async () => {
    const system = createFakeSystem()
    const { credentials, last } = source(system)
    const failed = failureOf(credentials)
    await system.advance(0)
    last().refuse(new Error('Bearer super-secret-token'))
    expect(await failed).toMatchObject({ message: 'the source failed', isFinal: false })
  })

  test('that has already ended is none, and is not asked for in a loop', async () => {
    const system = createFakeSystem()
    const { credentials, asked, last } = source(system)
    const failed = failureOf(credentials)
    await system.advance(0)
    last().give('late', 0)
    expect(String(await failed)).toContain('already ended')
    await system.advance(HOUR_MS)
    expect(asked).toHaveLength(1)
  })
})

describe('the next one', () => {
  test('is fetched well before the end, while calls go on with the present one', async () => {
    const { system, credentials, asked, last } = await started()
    const inMs = (system.nextTimerMs() ?? 0) - system.nowMs()
    expect(inMs).toBeGreaterThan(HOUR_MS * 0.7)
    expect(inMs).toBeLessThanOrEqual(HOUR_MS - 300_000)
    await system.advance(inMs - 1)
    expect(asked).toHaveLength(1)
    await system.advance(1)
    expect(asked).toHaveLength(2)
    expect(credentials.current()).toBe('one')
    last().give('two')
    await system.advance(0)
    expect(credentials.current()).toBe('two')
  })

  test('is fetched even when the timer comes late', async () => {
    const { system, credentials, asked } = await started()
    const late = createFakeSystem({ startMs: system.nowMs() })
    const clock = { ...late, after: () => ({ cancel: () => undefined }) }
    let count = 0
    const sleepy = new RefreshedCredentials(() => {
      count++
      return Promise.resolve({ value: `v${count}`, expiresAtMs: late.nowMs() + HOUR_MS })
    }, clock)
    await sleepy.ready()
    await late.advance(HOUR_MS * 0.95)
    expect(sleepy.current()).toBe('v1')
    await late.advance(0)
    expect(sleepy.current()).toBe('v2')
    expect(credentials.current()).toBe('one')
    expect(asked).toHaveLength(1)
  })

  test('may fail again and again: the present one serves until it really ends', async () => {
    const { system, credentials, asked, last } = await started()
    await system.advance(HOUR_MS * 0.95)
    const endMs = HOUR_MS * 0.05
    for (let passedMs = 0; passedMs < endMs - 10_000; passedMs += 10_000) {
      last().refuse(unreachable)
      await system.advance(10_000)
      expect(credentials.current()).toBe('one')
    }
    expect(asked.length).toBeGreaterThan(4)
    // Backoff: far fewer questions than seconds.
    expect(asked.length).toBeLessThan(20)
    await system.advance(10_000)
    expect(credentials.current()).toBeNull()
  })

  test('a source that hands out the same one until shortly before its end is asked again', async () => {
    const system = createFakeSystem()
    const endsAtMs = system.nowMs() + HOUR_MS
    let asked = 0
    const credentials = new RefreshedCredentials(() => {
      asked++
      const isLate = system.nowMs() > endsAtMs - 120_000
      return Promise.resolve(
        isLate ? { value: 'new', expiresAtMs: endsAtMs + HOUR_MS } : { value: 'old', expiresAtMs: endsAtMs },
      )
    }, system)
    await credentials.ready()
    await system.advance(HOUR_MS - 1_000)
    expect(credentials.current()).toBe('new')
    expect(asked).toBeLessThan(10)
  })

  test('what does not run out is not asked for again', async () => {
    const { system, credentials, asked } = await started(null)
    await system.advance(100 * HOUR_MS)
    expect(credentials.current()).toBe('one')
    expect(asked).toHaveLength(1)
  })
})

describe('one that the provider refuses', () => {
  test('is replaced before the next call, once', async () => {
    const { system, credentials, asked, last } = await started()
    credentials.refused(system.nowMs())
    credentials.refused(system.nowMs())
    expect(credentials.current()).toBeNull()
    const next = credentials.ready()
    await system.advance(0)
    expect(asked).toHaveLength(2)
    last().give('two')
    await next
    expect(credentials.current()).toBe('two')
    // Answers to calls that went out with the first come late, and a provider may refuse the second, too.
    credentials.refused(system.nowMs())
    await system.advance(0)
    expect(asked).toHaveLength(2)
    expect(credentials.current()).toBe('two')
    await system.advance(60_000)
    credentials.refused(system.nowMs())
    await system.advance(0)
    expect(asked).toHaveLength(3)
  })

  test('a call that went out with the one before is told that there is another by now', async () => {
    const { system, credentials, last } = await started()
    const beforeMs = system.nowMs()
    await system.advance(5)
    expect(credentials.refused(system.nowMs())).toBe(true)
    expect(credentials.refused(beforeMs)).toBe(true)
    await system.advance(0)
    last().give('two')
    await system.advance(0)
    expect(credentials.refused(beforeMs)).toBe(true)
    await system.advance(5)
    // The newest is refused as well: another would be, too.
    expect(credentials.refused(system.nowMs())).toBe(false)
  })

  test('serves on when no other can be had: the provider may have meant something else', async () => {
    const { system, credentials, last } = await started()
    credentials.refused(system.nowMs())
    await system.advance(0)
    last().refuse(unreachable)
    await system.advance(0)
    expect(credentials.current()).toBe('one')
  })
})

test('a closed one asks nobody any more', async () => {
  const { system, credentials, asked } = await started()
  credentials.close()
  await system.advance(2 * HOUR_MS)
  credentials.refused(system.nowMs())
  expect(asked).toHaveLength(1)
  expect(system.pendingTimers()).toBe(0)
})

test('no history of answers and failures hands out one that has ended, or asks twice at a time', async () => {
  const moves = fc.array(
    fc.oneof(
      fc.record({ kind: fc.constant('wait' as const), ms: fc.integer({ min: 0, max: 2 * HOUR_MS }) }),
      fc.record({ kind: fc.constant('give' as const), ms: fc.integer({ min: -5, max: 2 * HOUR_MS }) }),
      fc.record({ kind: fc.constantFrom('refuse' as const, 'refused' as const, 'use' as const) }),
    ),
    { maxLength: 25 },
  )
  await fc.assert(
    fc.asyncProperty(moves, fc.integer(), async (history, seed) => {
      const system = createFakeSystem({ seed })
      let open: Ask | null = null
      let askedAtMs = -Infinity
      let overlaps = 0
      const fetch = () =>
        new Promise<Fetched<number>>((resolve, reject) => {
          // One that was not answered in time is given up; another may follow.
          if (open !== null && system.nowMs() - askedAtMs < 30_000) overlaps++
          askedAtMs = system.nowMs()
          open = {
            give: (_, lifetimeMs) => {
              const expiresAtMs = system.nowMs() + (lifetimeMs ?? 0)
              resolve({ value: expiresAtMs, expiresAtMs })
            },
            refuse: reject,
          }
        })
      const credentials = new RefreshedCredentials(fetch, system)
      const take = (): Ask | null => {
        const taken = open
        open = null
        return taken
      }
      for (const move of history) {
        if (move.kind === 'wait') await system.advance(move.ms)
        else if (move.kind === 'give') take()?.give('', move.ms)
        else if (move.kind === 'refuse') take()?.refuse(unreachable)
        else if (move.kind === 'refused') credentials.refused(system.nowMs())
        else void credentials.ready().catch(() => undefined)
        await system.advance(0)
        const value = credentials.current()
        expect(value === null || value > system.nowMs()).toBe(true)
        expect(overlaps).toBe(0)
      }
      credentials.close()
    }),
    { numRuns: 60 },
  )
})
