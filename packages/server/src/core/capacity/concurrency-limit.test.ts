import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { ConcurrencyLimit, type LimitSettings } from './concurrency-limit.js'

const NO_TARGETS: LimitSettings = { firstTokenMs: null, perTokenMs: null, callsMax: null }

/** Calls whose answers come whole: begun all at once, ended all a while later. */
function round(
  limit: ConcurrencyLimit,
  ask: { calls: number; tokens: number; dropped: boolean },
  nowMs: number,
) {
  let begun = 0
  while (begun < ask.calls && limit.hasRoom(ask.tokens)) {
    limit.begin(ask.tokens, false, nowMs)
    begun += 1
  }
  for (let each = 0; each < begun; each++) {
    const end = { nowMs: nowMs + 1_000, streamed: false, dropped: ask.dropped, frames: 0, outputTokens: 10 }
    limit.end(ask.tokens, false, end)
  }
  return begun
}

/** Streams of one token per `perTokenMs` each, for one second. */
function streamSecond(limit: ConcurrencyLimit, calls: number, perTokenMs: number, nowMs: number): void {
  for (let each = 0; each < calls; each++) limit.begin(1_000, true, nowMs)
  for (let each = 0; each < calls; each++) limit.firstToken(10, nowMs)
  limit.generated(Math.round((calls * 1_000) / perTokenMs))
  const end = { nowMs: nowMs + 1_000, streamed: true, dropped: false, frames: 1, outputTokens: 1 }
  for (let each = 0; each < calls; each++) limit.end(1_000, true, end)
}

describe('before anything is known', () => {
  test('a thousand calls of 16,000 tokens pass at once', () => {
    const limit = new ConcurrencyLimit(NO_TARGETS, 0)
    expect(round(limit, { calls: 1_000, tokens: 16_000, dropped: false }, 0)).toBe(1_000)
    expect(limit.isInitial).toBe(true)
  })

  test('a call larger than the limit runs alone', () => {
    const limit = new ConcurrencyLimit(NO_TARGETS, 0)
    expect(limit.hasRoom(20_000_000)).toBe(true)
    limit.begin(20_000_000, false, 0)
    expect(limit.hasRoom(1)).toBe(false)
  })

  test('a call that fits into the whole limit may not fit into a share of it', () => {
    const limit = new ConcurrencyLimit(NO_TARGETS, 0)
    limit.begin(9_000_000, false, 0)
    expect([limit.hasRoom(1_000_000, 0.5), limit.hasRoom(1_000_000, 0.75)]).toEqual([false, true])
  })
})

describe('a configured number of calls', () => {
  test('is never exceeded, and follows a reload', () => {
    const limit = new ConcurrencyLimit({ ...NO_TARGETS, callsMax: 2 }, 0)
    limit.begin(1, false, 0)
    expect(limit.hasRoom(1)).toBe(true)
    limit.begin(1, false, 0)
    expect([limit.hasRoom(1), limit.utilisation]).toEqual([false, 1])
    limit.adopt({ ...NO_TARGETS, callsMax: 3 })
    expect(limit.hasRoom(1)).toBe(true)
  })
})

describe('answers that come whole', () => {
  test('throttled for an hour, one call still runs; a minute of well ones later there is room again', () => {
    const limit = new ConcurrencyLimit(NO_TARGETS, 0)
    let nowMs = 0
    for (; nowMs < 3_600_000; nowMs += 2_000) round(limit, { calls: 40, tokens: 1_000, dropped: true }, nowMs)
    expect(limit.lastMove.reason).toBe('drops')
    expect(limit.limitTokens).toBeLessThan(3_000)
    expect(limit.hasRoom(1_000)).toBe(true)
    for (; nowMs < 3_660_000; nowMs += 2_000)
      round(limit, { calls: 40, tokens: 1_000, dropped: false }, nowMs)
    expect(limit.limitTokens).toBeGreaterThan(8_000)
  })

  test('one call at a time, refused for an hour, says nothing about how many may run', () => {
    const limit = new ConcurrencyLimit(NO_TARGETS, 0)
    for (let nowMs = 0; nowMs < 3_600_000; nowMs += 2_000) {
      round(limit, { calls: 1, tokens: 1_000, dropped: true }, nowMs)
    }
    expect(limit.isInitial).toBe(true)
  })

  test('throttled twice in a window counts once: a tenth less than twice what ran', () => {
    const limit = new ConcurrencyLimit(NO_TARGETS, 0)
    round(limit, { calls: 20, tokens: 1_000, dropped: true }, 0)
    round(limit, { calls: 1, tokens: 1_000, dropped: false }, 2_000)
    expect(limit.limitTokens).toBe(36_000)
  })

  test('a limit that is not used does not grow', () => {
    const limit = new ConcurrencyLimit(NO_TARGETS, 0)
    for (let nowMs = 0; nowMs < 60_000; nowMs += 2_000) {
      round(limit, { calls: 20, tokens: 1_000, dropped: nowMs < 40_000 }, nowMs)
    }
    round(limit, { calls: 1, tokens: 1_000, dropped: false }, 60_000)
    const { limitTokens } = limit
    for (let nowMs = 62_000; nowMs < 90_000; nowMs += 2_000) {
      round(limit, { calls: 1, tokens: limitTokens / 4, dropped: false }, nowMs)
    }
    expect(limit.limitTokens).toBe(limitTokens)
  })
})

test('calls that may use half of the limit only make it grow too, when they are refused', () => {
  const limit = new ConcurrencyLimit(NO_TARGETS, 0)
  let nowMs = 0
  for (; nowMs < 60_000; nowMs += 2_000) round(limit, { calls: 20, tokens: 1_000, dropped: true }, nowMs)
  const { limitTokens } = limit
  for (; nowMs < 120_000; nowMs += 2_000) {
    const wasRefused = !fill(limit, nowMs)
    expect(wasRefused).toBe(true)
  }
  expect(limit.limitTokens).toBeGreaterThan(limitTokens * 1.5)
})

/** Begins and ends as many as half of the limit lets in, of at most 100. */
function fill(limit: ConcurrencyLimit, nowMs: number): boolean {
  let begun = 0
  for (; begun < 100 && limit.hasRoom(100, 0.5); begun++) limit.begin(100, false, nowMs)
  const end = { nowMs: nowMs + 1_000, streamed: false, dropped: false, frames: 0, outputTokens: 10 }
  for (let each = 0; each < begun; each++) limit.end(100, false, end)
  return begun === 100
}

describe('streams', () => {
  const targets = { firstTokenMs: 3_000, perTokenMs: 100, callsMax: null }

  test('twice too slow per token: after two windows no more may run than did, then fewer', () => {
    const limit = new ConcurrencyLimit(targets, 0)
    streamSecond(limit, 30, 200, 0)
    expect(limit.limitTokens).toBeGreaterThan(100_000)
    streamSecond(limit, 30, 200, 1_000)
    expect(limit.limitTokens).toBeLessThanOrEqual(37_500)
    expect(limit.lastMove.reason).toBe('per_token')
    expect(limit.isShrinking).toBe(true)
  })

  test('one slow second among good ones changes nothing', () => {
    const limit = new ConcurrencyLimit(targets, 0)
    for (let second = 0; second < 10; second++)
      streamSecond(limit, 30, second === 5 ? 500 : 50, second * 1_000)
    expect(limit.lastMove.reason).toBe('initial')
    expect(limit.isShrinking).toBe(false)
  })

  test('a provider that packs several tokens into a frame is not taken for slow', () => {
    const limit = new ConcurrencyLimit(targets, 0)
    let nowMs = 0
    const second = (frames: number, outputTokens: number): void => {
      for (let each = 0; each < 20; each++) limit.begin(1_000, true, nowMs)
      for (let each = 0; each < 20; each++) limit.firstToken(10, nowMs)
      limit.generated(20 * frames)
      nowMs += 1_000
      const end = { nowMs, streamed: true, dropped: false, frames, outputTokens }
      for (let each = 0; each < 20; each++) limit.end(1_000, true, end)
    }
    for (let each = 0; each < 10; each++) second(2, 40)
    expect(limit.lastMove.reason).toBe('initial')
  })
})

describe('whatever happens', () => {
  const step = fc.record({
    kind: fc.constantFrom('begin', 'first', 'end', 'drop', 'giveBack', 'frames'),
    tokens: fc.integer({ min: 0, max: 200_000 }),
    afterMs: fc.oneof(fc.integer({ min: 0, max: 3_000 }), fc.integer({ min: -1e12, max: 1e12 })),
  })
  const settings = fc.record({
    firstTokenMs: fc.constantFrom(null, 1, 3_000),
    perTokenMs: fc.constantFrom(null, 1, 150),
    callsMax: fc.constantFrom(null, 1, 5),
  })

  test('counts are those of the calls that run, the limit is a number, and one call may run', () => {
    fc.assert(
      fc.property(settings, fc.array(step, { maxLength: 200 }), (given, steps) => {
        const limit = new ConcurrencyLimit(given, 0)
        const open: { tokens: number; streamed: boolean }[] = []
        let nowMs = 0
        for (const { kind, tokens, afterMs } of steps) {
          nowMs += afterMs
          act(limit, open, { kind, tokens, nowMs })
          expect(limit.callsInFlight).toBe(open.length)
          expect(limit.tokensInFlight).toBe(open.reduce((sum, call) => sum + call.tokens, 0))
          expect(limit.limitTokens).toBeGreaterThanOrEqual(1)
          expect(limit.limitTokens).toBeLessThanOrEqual(2 ** 30)
          expect(open.length).toBeLessThanOrEqual(given.callsMax ?? Infinity)
        }
        for (const call of open.splice(0)) limit.giveBack(call.tokens, true, call.streamed)
        expect(limit.hasRoom(1e9)).toBe(true)
      }),
    )
  })
})

interface Act {
  readonly kind: string
  readonly tokens: number
  readonly nowMs: number
}

function act(limit: ConcurrencyLimit, open: { tokens: number; streamed: boolean }[], now: Act): void {
  const { kind, tokens, nowMs } = now
  if (kind === 'frames') return limit.generated(tokens)
  if (kind === 'begin') {
    if (!limit.hasRoom(tokens)) return
    limit.begin(tokens, true, nowMs)
    open.push({ tokens, streamed: false })
    return
  }
  const first = open[0]
  if (first === undefined) return
  if (kind === 'first') {
    if (first.streamed) return
    first.streamed = true
    return limit.firstToken(tokens, nowMs)
  }
  open.shift()
  if (kind === 'giveBack') return limit.giveBack(first.tokens, true, first.streamed)
  const end = { nowMs, streamed: first.streamed, dropped: kind === 'drop', frames: 3, outputTokens: tokens }
  limit.end(first.tokens, true, end)
}
