import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  Breaker,
  type BreakerChange,
  EJECTION_MS,
  EJECTION_MS_MAX,
  FAILURES_IN_A_ROW,
  PIN_MS_MAX,
  PROBE_PATIENCE_MS,
  SHORT_OPEN_MS,
  SHORT_OPEN_MS_MAX,
} from './breaker.js'

const START_MS = 1_000_000

interface Rig {
  readonly breaker: Breaker
  readonly told: BreakerChange[]
  readonly fails: (times: number, nowMs: number, mayEject?: boolean) => void
}

function rig(): Rig {
  const told: BreakerChange[] = []
  const breaker = new Breaker((change) => told.push(change))
  const fails = (times: number, nowMs: number, mayEject = true) => {
    for (let n = 0; n < times; n++) breaker.fail(breaker.begin(nowMs), nowMs, mayEject)
  }
  return { breaker, told, fails }
}

function opened(mayEject = true): Rig {
  const made = rig()
  made.fails(FAILURES_IN_A_ROW, START_MS, mayEject)
  return made
}

const PIN = { action: 'open', forMs: 60_000, by: 'ops', reason: 'their status page' } as const

describe('a closed breaker', () => {
  test('opens on the fifth failure in a row, and says why and for how long', () => {
    const { breaker, told, fails } = rig()
    fails(4, START_MS)
    expect(breaker.blocks(START_MS)).toBe(false)
    fails(1, START_MS)
    expect(breaker.waitMs(START_MS)).toBe(EJECTION_MS)
    expect(told).toEqual([
      { from: 'closed', to: 'open', why: 'failures-in-a-row', forMs: EJECTION_MS, pin: null },
    ])
  })

  test('an answer in between begins the count anew, what says nothing does not', () => {
    const { breaker, fails } = rig()
    fails(4, START_MS)
    breaker.withdraw(breaker.begin(START_MS))
    breaker.succeed(breaker.begin(START_MS), START_MS)
    fails(4, START_MS)
    expect(breaker.kind).toBe('closed')
    breaker.withdraw(breaker.begin(START_MS))
    fails(1, START_MS)
    expect(breaker.kind).toBe('open')
  })
})

describe('an open breaker', () => {
  test('is neither shortened nor lengthened by calls that began before', () => {
    const { breaker, fails } = rig()
    const running = Array.from({ length: 9 }, () => breaker.begin(START_MS))
    fails(FAILURES_IN_A_ROW, START_MS)
    for (const [n, ticket] of running.entries()) {
      const nowMs = START_MS + 100 * (n + 1)
      if (n % 2 === 0) breaker.fail(ticket, nowMs, false)
      else breaker.succeed(ticket, nowMs)
    }
    expect(breaker.waitMs(START_MS + 1_000)).toBe(EJECTION_MS - 1_000)
  })

  test('lets one call at a time try, and closes when it is answered', () => {
    const { breaker, told } = opened()
    const nowMs = START_MS + EJECTION_MS
    expect(breaker.blocks(nowMs - 1)).toBe(true)
    expect(breaker.blocks(nowMs)).toBe(false)
    const probe = breaker.begin(nowMs)
    expect(breaker.kind).toBe('half-open')
    expect(breaker.blocks(nowMs)).toBe(true)
    breaker.succeed(probe, nowMs + 50)
    expect(breaker.blocks(nowMs + 50)).toBe(false)
    expect(told.at(-1)).toMatchObject({ from: 'half-open', to: 'closed', why: 'probe-succeeded' })
  })

  test('a probe that says nothing gives its turn to the next call', () => {
    const { breaker } = opened()
    const nowMs = START_MS + EJECTION_MS
    breaker.withdraw(breaker.begin(nowMs))
    expect(breaker.kind).toBe('half-open')
    expect(breaker.blocks(nowMs)).toBe(false)
  })

  test('a probe that takes long lets another one try, and still counts', () => {
    const { breaker } = opened()
    const nowMs = START_MS + EJECTION_MS
    const slow = breaker.begin(nowMs)
    expect(breaker.blocks(nowMs + PROBE_PATIENCE_MS - 1)).toBe(true)
    expect(breaker.blocks(nowMs + PROBE_PATIENCE_MS)).toBe(false)
    breaker.begin(nowMs + PROBE_PATIENCE_MS)
    breaker.succeed(slow, nowMs + PROBE_PATIENCE_MS + 1)
    expect(breaker.kind).toBe('closed')
  })

  test('each ejection is longer up to five minutes, and health is forgiven by the half minute', () => {
    const { breaker, fails } = opened()
    let nowMs = START_MS
    const waits: number[] = []
    for (let n = 0; n < 12; n++) {
      nowMs += breaker.waitMs(nowMs)
      fails(1, nowMs)
      waits.push(breaker.waitMs(nowMs) / EJECTION_MS)
    }
    expect(waits).toEqual([2, 3, 4, 5, 6, 7, 8, 9, 10, 10, 10, 10])
    nowMs += EJECTION_MS_MAX
    breaker.succeed(breaker.begin(nowMs), nowMs)
    nowMs += 7 * EJECTION_MS
    fails(FAILURES_IN_A_ROW, nowMs)
    expect(breaker.waitMs(nowMs)).toBe(4 * EJECTION_MS)
  })

  test('where nobody else serves it is asked again at once, and then twice a second', () => {
    const { breaker, fails } = opened(false)
    let nowMs = START_MS
    const waits = [breaker.waitMs(nowMs)]
    for (let n = 0; n < 12; n++) {
      nowMs += breaker.waitMs(nowMs)
      fails(1, nowMs, false)
      waits.push(breaker.waitMs(nowMs))
    }
    expect(waits[0]).toBe(SHORT_OPEN_MS)
    expect(waits.slice(-3)).toEqual([SHORT_OPEN_MS_MAX, SHORT_OPEN_MS_MAX, SHORT_OPEN_MS_MAX])
    expect(breaker.isEjected(nowMs)).toBe(false)
  })
})

describe('a pin', () => {
  test('holds calls back until it ends, then what calls said is true again', () => {
    const { breaker, told } = rig()
    breaker.pin(PIN, START_MS)
    expect(breaker.waitMs(START_MS + 1)).toBe(59_999)
    expect(breaker.view(START_MS + 1)).toMatchObject({ kind: 'open', automatic: 'closed', pinLeftMs: 59_999 })
    expect(breaker.blocks(START_MS + 60_000)).toBe(false)
    expect(told.map(({ why, from, to }) => `${why} ${from} ${to}`)).toEqual([
      'pinned closed open',
      'pin-expired open closed',
    ])
  })

  test('closed by hand, calls flow while it is open underneath, and say nothing before its time', () => {
    const { breaker, told } = opened()
    breaker.pin({ ...PIN, action: 'close' }, START_MS)
    expect(breaker.blocks(START_MS)).toBe(false)
    breaker.succeed(breaker.begin(START_MS + 1), START_MS + 2)
    expect(breaker.view(START_MS + 2)).toMatchObject({ kind: 'closed', automatic: 'open' })
    breaker.succeed(breaker.begin(START_MS + EJECTION_MS), START_MS + EJECTION_MS)
    expect(breaker.view(START_MS + EJECTION_MS)).toMatchObject({ kind: 'closed', automatic: 'closed' })
    expect(told).toHaveLength(2)
  })

  test('lasts a day at most, and is lifted by name', () => {
    const { breaker, told } = rig()
    breaker.pin({ ...PIN, action: 'drain', forMs: 10 * PIN_MS_MAX }, START_MS)
    expect(breaker.waitMs(START_MS)).toBe(PIN_MS_MAX)
    breaker.unpin({ by: 'someone', reason: 'over' }, START_MS + 5)
    expect(breaker.blocks(START_MS + 5)).toBe(false)
    expect(told.at(-1)).toMatchObject({ why: 'pin-lifted', pin: { by: 'someone', reason: 'over' } })
  })
})

describe('a clock that jumps', () => {
  test('back: an open breaker goes on from there and is not open for ever', () => {
    const { breaker } = opened()
    expect(breaker.waitMs(START_MS - 3_600_000)).toBe(EJECTION_MS)
    expect(breaker.waitMs(START_MS - 3_600_000 + EJECTION_MS)).toBe(0)
  })

  test('ahead and back: what opens afterwards lasts as long as always', () => {
    const { breaker, fails } = rig()
    fails(4, START_MS + 1e12)
    fails(1, START_MS)
    expect(breaker.waitMs(START_MS + 10)).toBe(EJECTION_MS - 10)
  })
})

describe('under any events', () => {
  const event = fc.oneof(
    { weight: 4, arbitrary: fc.constant('begin' as const) },
    { weight: 2, arbitrary: fc.constant('succeed' as const) },
    { weight: 6, arbitrary: fc.constant('fail' as const) },
    fc.constantFrom('withdraw' as const, 'eject' as const, 'pin' as const, 'unpin' as const),
  )
  const step = fc.record({
    event,
    which: fc.nat(100),
    afterMs: fc.oneof(fc.nat(2_000), fc.integer({ min: -100_000, max: 400_000 })),
    mayEject: fc.boolean(),
    action: fc.constantFrom('open' as const, 'close' as const, 'drain' as const),
  })

  test('it never stays shut, never lets two probes in at once, and tells a gapless story', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 120 }), (steps) => {
        const { breaker, told } = rig()
        const running: number[] = []
        let nowMs = START_MS
        for (const { event: what, which, afterMs, mayEject, action } of steps) {
          nowMs += afterMs
          const before = breaker.waitMs(nowMs)
          const automatic = breaker.view(nowMs).automatic
          const [ticket] = what === 'begin' ? [] : running.splice(which % Math.max(1, running.length), 1)
          if (what === 'begin' && before === 0) running.push(breaker.begin(nowMs))
          if (what === 'succeed' && ticket !== undefined) breaker.succeed(ticket, nowMs)
          if (what === 'fail' && ticket !== undefined) breaker.fail(ticket, nowMs, mayEject)
          if (what === 'withdraw' && ticket !== undefined) breaker.withdraw(ticket)
          if (what === 'eject') breaker.eject(nowMs)
          if (what === 'pin') breaker.pin({ ...PIN, action }, nowMs)
          if (what === 'unpin') breaker.unpin(PIN, nowMs)
          const waitMs = breaker.waitMs(nowMs)
          expect(waitMs).toBeGreaterThanOrEqual(0)
          expect(waitMs === Infinity || waitMs <= EJECTION_MS_MAX).toBe(true)
          // While open, nothing but a pin or time changes when the next call may go.
          const isResult = what === 'fail' || what === 'succeed'
          expect(automatic === 'open' && isResult ? waitMs : before).toBe(before)
          const isProbe = breaker.view(nowMs).kind === 'half-open' && what === 'begin' && before === 0
          expect(waitMs > 0 || !isProbe).toBe(true)
        }
        for (const [n, { from }] of told.entries()) {
          const earlier = told[n - 1]?.to ?? 'closed'
          expect(from === 'half-open' ? 'open' : from).toBe(earlier === 'half-open' ? 'open' : earlier)
        }
        const { pinLeftMs } = breaker.view(nowMs)
        nowMs += (pinLeftMs ?? 0) + EJECTION_MS_MAX + PROBE_PATIENCE_MS
        expect(breaker.blocks(nowMs)).toBe(false)
        breaker.succeed(breaker.begin(nowMs), nowMs)
        expect(breaker.view(nowMs).automatic).toBe('closed')
      }),
      { numRuns: 500 },
    )
  })
})
