import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { EXAMPLE_QUOTA } from '../../testing/example-quota.js'
import type { Demand } from './demand.js'
import type { QuotaDimension, ToldBucket } from './limit-report.js'
import type { QuotaRules } from './quota-rules.js'
import { type Charge, type ConfiguredLimits, NO_CHARGE, RateBuckets } from './rate-buckets.js'

const NONE: ConfiguredLimits = { requests: null, tokens: null, input_tokens: null, output_tokens: null }

const demand = (inputTokens = 10, outputTokens = 20, outputTokensMax = 100): Demand => ({
  inputTokens,
  outputTokens,
  outputTokensMax,
  criticality: 'critical',
  tenant: 'local',
  weight: 1,
  deadlineMs: 1e12,
  stream: false,
})

const MINUTE_MS = 60_000
const told = (dimension: QuotaDimension, some: Partial<ToldBucket>): ToldBucket => ({
  dimension,
  spanMs: MINUTE_MS,
  limit: null,
  isBinding: true,
  remaining: null,
  resetMs: null,
  ...some,
})

function buckets(limits: Partial<ConfiguredLimits>, rules: Partial<QuotaRules> = {}): RateBuckets {
  const all = { ...EXAMPLE_QUOTA, ...rules }
  const made = new RateBuckets(all, 0)
  made.configure({ ...NONE, ...limits }, all)
  return made
}

/** Sends as many as there is room for, at most `most`. */
function sent(of: RateBuckets, nowMs: number, most = 10_000): Charge[] {
  const charges: Charge[] = []
  while (charges.length < most && of.waitMs(demand(), nowMs) === 0) charges.push(of.charge(demand(), nowMs))
  return charges
}

const refusal = (some: {
  retryAfterMs?: number
  durationMs?: number
  told?: ToldBucket[]
  charge?: Charge
}) => ({
  retryAfterMs: null,
  durationMs: 10,
  told: [],
  charge: NO_CHARGE,
  ...some,
})

describe('where no limit is known', () => {
  test('nothing waits and nothing is counted', () => {
    const free = buckets({})
    expect(sent(free, 0, 1_000)).toHaveLength(1_000)
    expect(free.charge(demand(), 0)).toBe(NO_CHARGE)
    expect(free.view(0)).toEqual([])
  })

  test('a refusal is heeded all the same: for as long as it says, else longer each time', () => {
    const free = buckets({})
    free.refused(refusal({ retryAfterMs: 7_000 }), 0)
    expect([free.waitMs(demand(), 0), free.waitMs(demand(), 6_999), free.waitMs(demand(), 7_000)]).toEqual([
      7_000, 1, 0,
    ])
    const waits: number[] = []
    let nowMs = 7_000
    for (let hour = 0; hour < 8; hour += 1) {
      free.refused(refusal({}), nowMs)
      waits.push(free.waitMs(demand(), nowMs))
      nowMs += free.waitMs(demand(), nowMs) + 10
    }
    expect(waits).toEqual([2_000, 4_000, 8_000, 16_000, 30_000, 30_000, 30_000, 30_000])
    // Once it answers and the rate has recovered, the next refusal is the first again.
    free.waitMs(demand(), nowMs + 60_000)
    free.accepted()
    free.refused(refusal({}), nowMs + 60_000)
    expect(free.waitMs(demand(), nowMs + 60_000)).toBe(1_000)
  })
})

describe('charging', () => {
  test('a minute has room for its requests, and for one more as soon as it has been made up for', () => {
    const of = buckets({ requests: 60 })
    expect(sent(of, 0)).toHaveLength(60)
    expect(of.waitMs(demand(), 0)).toBe(1_000)
    expect(sent(of, 1_000)).toHaveLength(1)
  })

  test('requests that are counted in slices are spread over the minute', () => {
    const of = buckets({ requests: 600 }, { requestsSliceMs: 1_000 })
    expect(sent(of, 0)).toHaveLength(10)
    expect(sent(of, 1_000)).toHaveLength(10)
    expect(sent(of, 60_000)).toHaveLength(10)
    const slow = buckets({ requests: 6 }, { requestsSliceMs: 1_000 })
    expect([sent(slow, 0).length, sent(slow, 9_999).length, sent(slow, 10_000).length]).toEqual([1, 0, 1])
  })

  test.each([
    ['the greater of input and what may come', 'greater_of_input_and_max_output', 'as_at_start', 100, 100],
    ['input and what may come, settled by what came', 'input_and_max_output', 'input_and_output', 110, 14],
    ['what is expected, settled by what came', 'input_and_expected_output', 'input_and_output', 30, 14],
    ['nothing before it is produced', 'nothing', 'output', 0, 8],
  ] as const)('%s', (_title, start, end, atStart, atEnd) => {
    const of = buckets({ tokens: 1_000 }, { tokens: { start, end, outputWeight: 1 } })
    const charge = of.charge(demand(), 0)
    expect(of.view(0)[0]?.remaining).toBe(1_000 - atStart)
    of.settle(charge, { inputTokens: 10, cachedTokens: 4, outputTokens: 8 }, 0)
    expect(of.view(0)[0]?.remaining).toBe(1_000 - atEnd)
  })

  test('output that burns down five times as fast, and cache reads that count', () => {
    const tokens = { start: 'input_and_max_output', end: 'input_and_output', outputWeight: 5 } as const
    const of = buckets({ tokens: 1_000 }, { tokens, chargesCacheReads: true })
    of.settle(of.charge(demand(), 0), { inputTokens: 10, cachedTokens: 4, outputTokens: 8 }, 0)
    expect(of.view(0)[0]?.remaining).toBe(950)
  })

  test('input and output each have their own bucket, and the fuller one waits for the emptier', () => {
    const of = buckets({ input_tokens: 1_000, output_tokens: 40 })
    expect(sent(of, 0)).toHaveLength(2)
    expect(of.waitMs(demand(), 0)).toBe(30_000)
  })

  test('a call larger than the whole limit is sent when the bucket is full, instead of never', () => {
    const of = buckets({ tokens: 50 })
    const large = demand(400, 100)
    expect(of.waitMs(large, 0)).toBe(0)
    of.charge(large, 0)
    expect(of.waitMs(large, 0)).toBe(60_000)
  })

  test('what was never sent is given back; what was overdrawn is owed for a minute at most', () => {
    const of = buckets({ requests: 1, tokens: 600 })
    of.giveBack(of.charge(demand(), 0))
    const charge = of.charge(demand(), 0)
    of.settle(charge, { inputTokens: 1e9, cachedTokens: 0, outputTokens: 0 }, 0)
    expect(of.waitMs(demand(), 0)).toBe(63_000)
  })

  test('a reload that lowers a limit keeps what was used, one that drops it forgets it', () => {
    const of = buckets({ requests: 100 })
    sent(of, 0, 95)
    of.configure({ ...NONE, requests: 10 }, EXAMPLE_QUOTA)
    expect(sent(of, 0)).toHaveLength(5)
    of.configure(NONE, EXAMPLE_QUOTA)
    expect(sent(of, 0, 50)).toHaveLength(50)
  })
})

describe('what headers tell', () => {
  const now = { charge: NO_CHARGE, ageMs: 0 }

  test('makes a limit known where none is configured, and lowers what is left', () => {
    const of = buckets({})
    of.told([told('requests', { limit: 60, remaining: 3 })], now, 0)
    expect(of.view(0)).toEqual([
      {
        dimension: 'requests',
        spanMs: MINUTE_MS,
        limit: 60,
        remaining: 3,
        source: 'headers',
        resetMs: 57_000,
      },
    ])
    expect(sent(of, 0)).toHaveLength(3)
  })

  test('never raises what is left, and no limit above the configured one counts', () => {
    const of = buckets({ requests: 60 })
    const charge = sent(of, 0, 50).at(-1) ?? NO_CHARGE
    of.told([told('requests', { limit: 6_000, remaining: 5_999 })], { charge, ageMs: 0 }, 0)
    expect(of.view(0)[0]).toMatchObject({ limit: 60, remaining: 10, source: 'configured' })
    of.told([told('requests', { limit: 30, remaining: 29 })], { charge, ageMs: 0 }, 0)
    expect(of.view(0)[0]).toMatchObject({ limit: 30, remaining: 10, source: 'headers' })
  })

  test('what is left without a limit lowers a bucket that is known, and makes none', () => {
    const of = buckets({ requests: 60 })
    of.told([told('requests', { remaining: 2 }), told('tokens', { remaining: 2 })], now, 0)
    expect(of.view(0).map(({ remaining }) => remaining)).toEqual([2])
  })

  test('a limit of nobody knows what span is not kept to, and what is left of it is', () => {
    const of = buckets({ requests: 60 })
    of.told([told('requests', { limit: 10, isBinding: false, remaining: 9 })], now, 0)
    of.told([told('tokens', { limit: 10, isBinding: false, remaining: 9 })], now, 0)
    expect(of.view(0)).toMatchObject([{ dimension: 'requests', limit: 60, remaining: 9 }])
  })

  test('calls sent after the one that answers are not in what it tells', () => {
    const of = buckets({ requests: 60 })
    const [first] = sent(of, 0, 1)
    sent(of, 0, 4)
    of.told([told('requests', { limit: 60, remaining: 10 })], { charge: first ?? NO_CHARGE, ageMs: 0 }, 0)
    expect(of.view(0)[0]?.remaining).toBe(6)
  })

  test('headers of a stream are as old as the stream is long', () => {
    const of = buckets({ requests: 60 })
    const [first] = sent(of, 0, 60)
    of.told([told('requests', { limit: 60, remaining: 0 })], { charge: first ?? NO_CHARGE, ageMs: 0 }, 30_000)
    expect(of.view(30_000)[0]?.remaining).toBe(0)
    const other = buckets({ requests: 60 })
    const [only] = sent(other, 0, 1)
    other.told(
      [told('requests', { limit: 60, remaining: 0 })],
      { charge: only ?? NO_CHARGE, ageMs: 30_000 },
      30_000,
    )
    expect(other.view(30_000)[0]?.remaining).toBe(30)
  })

  test('a limit per day has a bucket of its own', () => {
    const of = buckets({ requests: 60 })
    of.told([told('requests', { spanMs: 86_400_000, limit: 1_000, remaining: 0 })], now, 0)
    expect(of.waitMs(demand(), 0)).toBe(86_400)
  })
})

describe('a refusal for a reached limit', () => {
  test('empties the bucket until the time it names; then the refused call fits, and half the rate', () => {
    const of = buckets({ requests: 60 })
    const [charge] = sent(of, 0, 1)
    of.refused(refusal({ retryAfterMs: 5_000, charge: charge ?? NO_CHARGE }), 10)
    expect(of.waitMs(demand(), 10)).toBe(5_000)
    expect(sent(of, 5_010)).toHaveLength(1)
    expect(of.speed).toBe(0.5)
    // Two seconds for one at half the rate, a little less because it recovers meanwhile.
    expect(of.waitMs(demand(), 5_010)).toBe(1_833)
    of.waitMs(demand(), 15_010)
    expect(of.speed).toBe(1)
  })

  test('empties only the bucket that the headers call empty', () => {
    const of = buckets({ requests: 60, tokens: 1_000 })
    const report = [
      told('requests', { limit: 60, remaining: 59 }),
      told('tokens', { limit: 1_000, remaining: 0 }),
    ]
    of.refused(refusal({ told: report }), 0)
    expect(of.view(0).map(({ remaining }) => remaining)).toEqual([60, 0])
  })

  test('calls that were under way are the same incident: the rate is halved once', () => {
    const of = buckets({ requests: 6_000 })
    const charges = sent(of, 0, 100)
    for (const charge of charges) of.refused(refusal({ durationMs: 500, charge }), 500)
    expect(of.speed).toBe(0.5)
    of.refused(refusal({ durationMs: 400 }), 2_000)
    expect(of.speed).toBeLessThan(0.5)
  })

  test('an hour of refusals costs a call per half minute, and a minute after it all is as before', () => {
    const of = buckets({ requests: 600 })
    let [nowMs, calls] = [0, 0]
    while (nowMs < 3_600_000) {
      const waitMs = of.waitMs(demand(), nowMs)
      expect(waitMs).toBeLessThanOrEqual(35_000)
      nowMs += waitMs
      const charge = of.charge(demand(), nowMs)
      calls += 1
      nowMs += 10
      of.refused(refusal({ charge }), nowMs)
    }
    expect(calls).toBeLessThan(130)
    nowMs += of.waitMs(demand(), nowMs) + 60_000
    expect([of.waitMs(demand(), nowMs), of.speed]).toEqual([0, 1])
  })
})

describe('under any use', () => {
  const reports = fc.record({
    limit: fc.option(fc.integer({ min: 1, max: 500 })),
    remaining: fc.option(fc.nat(500)),
  })
  const acts = fc.array(
    fc.oneof(
      { weight: 6, arbitrary: fc.record({ act: fc.constant('call' as const), ms: fc.nat(2_000) }) },
      { weight: 2, arbitrary: fc.record({ act: fc.constant('settle' as const), ms: fc.nat(2_000) }) },
      { weight: 1, arbitrary: fc.record({ act: fc.constant('refuse' as const), ms: fc.nat(2_000) }) },
      { weight: 1, arbitrary: fc.record({ act: fc.constant('tell' as const), ms: fc.nat(2_000), reports }) },
    ),
    { maxLength: 120 },
  )
  const jumps = fc.array(fc.integer({ min: -200_000, max: 200_000 }), { maxLength: 3 })

  test('never sends more requests than were saved up and refilled, whatever is told', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 300 }), acts, (perMinute, list) => {
        const of = buckets({ requests: perMinute })
        let [nowMs, count, refusals] = [0, 0, 0]
        for (const each of list) {
          nowMs += each.ms
          if (each.act === 'tell')
            of.told([told('requests', each.reports)], { charge: NO_CHARGE, ageMs: 0 }, nowMs)
          if (each.act === 'refuse') {
            refusals += 1
            of.refused(refusal({ retryAfterMs: 100 }), nowMs)
          }
          if (each.act === 'call') count += sent(of, nowMs, 40).length
          // The provider has said of each refused call when it would fit.
          expect(count).toBeLessThanOrEqual(perMinute + (nowMs * perMinute) / MINUTE_MS + refusals)
        }
      }),
    )
  })

  test('clocks that jump neither stop it for good nor break a count', () => {
    fc.assert(
      fc.property(acts, jumps, (list, leaps) => {
        const of = buckets({ requests: 60, tokens: 5_000 })
        let nowMs = 1_000_000
        const open: Charge[] = []
        list.forEach((each, index) => {
          nowMs += each.ms + (index % 40 === 39 ? (leaps[Math.floor(index / 40)] ?? 0) : 0)
          if (each.act === 'call') open.push(...sent(of, nowMs, 5))
          const done = each.act === 'settle' ? open.shift() : undefined
          if (done !== undefined) of.settle(done, { inputTokens: 5, cachedTokens: 0, outputTokens: 9 }, nowMs)
          if (each.act === 'refuse') of.refused(refusal({}), nowMs)
          for (const { limit, remaining } of of.view(nowMs)) {
            expect(Number.isSafeInteger(remaining) && remaining >= 0 && remaining <= limit).toBe(true)
          }
        })
        const waitMs = of.waitMs(demand(), nowMs)
        expect(waitMs).toBeLessThan(300_000)
        expect(of.waitMs(demand(), nowMs + waitMs)).toBe(0)
      }),
    )
  })
})

describe('a provider that is full', () => {
  test('is left alone, longer each time, and the quota is as it was', () => {
    const of = buckets({ requests: 60 })
    const [charge] = sent(of, 0, 30)
    const before = of.view(0)[0]?.remaining
    of.overloaded({ retryAfterMs: null, durationMs: 10 }, 2_000, 0)
    expect([of.waitMs(demand(), 0), of.speed, of.view(0)[0]?.remaining]).toEqual([2_000, 1, before])
    of.overloaded({ retryAfterMs: null, durationMs: 10 }, 2_000, 10_000)
    expect(of.waitMs(demand(), 10_000)).toBe(4_000)
    of.overloaded({ retryAfterMs: null, durationMs: 10 }, 2_000, 20_000)
    of.overloaded({ retryAfterMs: null, durationMs: 10 }, 2_000, 30_000)
    expect(of.waitMs(demand(), 30_000)).toBe(8_000)
    // Refilled meanwhile: it is not the quota that is short.
    expect(of.view(30_000)[0]?.remaining).toBe(60)
    of.settle(charge ?? NO_CHARGE, { inputTokens: 1, cachedTokens: 0, outputTokens: 1 }, 40_000)
    of.accepted()
    of.overloaded({ retryAfterMs: 700, durationMs: 10 }, 2_000, 40_000)
    expect(of.waitMs(demand(), 40_000)).toBe(700)
  })

  test('calls that were under way are one overload', () => {
    const of = buckets({})
    for (let call = 0; call < 50; call += 1)
      of.overloaded({ retryAfterMs: null, durationMs: 900 }, 1_000, 1_000)
    expect(of.waitMs(demand(), 1_000)).toBe(1_000)
  })
})
