import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type UsageEvidence, judgeUsage } from './judge-usage.js'
import { NO_TOKENS, type ReportedUsage, type TokenCounts, inputTotal, outputTotal } from './token-counts.js'

const evidence = (some: Partial<UsageEvidence> = {}): UsageEvidence => ({
  requestBytes: 4_000,
  images: 0,
  estimatedInput: 1_200,
  maxOutputTokens: 500,
  deltas: 0,
  textBytes: 400,
  streamed: false,
  finished: true,
  ...some,
})
const reported = (
  tokens: Partial<TokenCounts>,
  totals: Partial<ReportedUsage['providerTotals']> = {},
): ReportedUsage => ({
  tokens: { ...NO_TOKENS, ...tokens },
  providerTotals: { input: null, output: null, total: null, ...totals },
})
const HONEST = reported({ input: 600, cacheRead: 400, output: 80, reasoning: 20 }, { total: 1_100 })

describe('judgeUsage', () => {
  test('a report that can be true is believed as it is', () => {
    expect(judgeUsage(HONEST, evidence())).toEqual({ tokens: HONEST.tokens, basis: 'reported' })
  })

  test('an output that no model can generate is disputed, also where nothing limits it', () => {
    const claim = reported({ input: 1_000, output: 1e15 })
    expect(judgeUsage(claim, evidence({ maxOutputTokens: Infinity }))).toMatchObject({
      tokens: { input: 1_000, output: 100 },
      basis: 'estimated',
      disputed: { output: 1e15 },
    })
  })

  test('without a report, what was seen is charged', () => {
    expect(judgeUsage(null, evidence())).toEqual({
      tokens: { ...NO_TOKENS, input: 1_200, output: 100 },
      basis: 'estimated',
    })
  })

  test.each([
    ['one token per frame', { deltas: 90, textBytes: 400 }, 90],
    ['text not collected', { deltas: 90, textBytes: 0 }, 90],
    ['many tokens per frame', { deltas: 10, textBytes: 400 }, 100],
    ['more than was allowed', { deltas: 900, textBytes: 400 }, 500],
    ['nothing', { deltas: 0, textBytes: 0 }, 0],
  ])('of a stream without a report, its frames are the output: %s', (_, seen, output) => {
    expect(judgeUsage(null, evidence({ streamed: true, ...seen })).tokens.output).toBe(output)
  })

  test('a stream that was cut or left costs what had passed, over what it had said at its start', () => {
    const start = reported({ input: 600, cacheRead: 400, output: 1 })
    const left = evidence({ streamed: true, finished: false, deltas: 42, textBytes: 200 })
    expect(judgeUsage(start, left)).toEqual({
      tokens: { ...NO_TOKENS, input: 600, cacheRead: 400, output: 42 },
      basis: 'estimated',
    })
  })

  test('a stream that had said more than we saw costs what it said', () => {
    const left = evidence({ streamed: true, finished: false, deltas: 3, textBytes: 12 })
    expect(outputTotal(judgeUsage(HONEST, left).tokens)).toBe(100)
  })

  test.each<[string, ReportedUsage, Partial<UsageEvidence>, Partial<TokenCounts>]>([
    [
      'a total that is not the sum',
      reported({ input: 1_000, output: 80 }, { total: 1_500 }),
      {},
      { input: 1_200, output: 100 },
    ],
    ['more output than allowed', reported({ input: 1_000, output: 501 }), {}, { input: 1_000, output: 100 }],
    ['no output for visible text', reported({ input: 1_000 }), {}, { input: 1_000, output: 100 }],
    [
      'too little output for so many frames',
      reported({ input: 1_000, output: 5 }),
      { streamed: true, deltas: 80 },
      { input: 1_000, output: 80 },
    ],
    ['more input than bytes', reported({ input: 5_100, output: 80 }), {}, { input: 1_200, output: 80 }],
    ['no input for a prompt', reported({ output: 80 }), {}, { input: 1_200, output: 80 }],
    [
      'a negative class',
      reported({ input: 1_000, output: 90, reasoning: -10 }),
      {},
      { input: 1_200, output: 100 },
    ],
    ['a class that is no number', reported({ input: NaN, output: 80 }), {}, { input: 1_200, output: 100 }],
  ])('%s cannot be true: the estimate counts and the claim is kept', (_, claim, some, tokens) => {
    const judged = judgeUsage(claim, evidence(some))
    expect(judged.basis).toBe('estimated')
    expect(judged.tokens).toEqual({ ...NO_TOKENS, ...tokens })
    expect(judged.disputed).toEqual({
      input: inputTotal(claim.tokens),
      output: outputTotal(claim.tokens),
      total: claim.providerTotals.total,
    })
  })

  test("the provider's own sums are kept as the claim where it gave them", () => {
    const claim = reported({ input: 1_000, output: 80 }, { input: 7, output: 8, total: 9 })
    expect(judgeUsage(claim, evidence()).disputed).toEqual({ input: 7, output: 8, total: 9 })
  })

  test('a total that is off by rounding is no lie', () => {
    expect(judgeUsage(reported({ input: 1_000, output: 80 }, { total: 1_081 }), evidence()).basis).toBe(
      'reported',
    )
  })

  test('images explain tokens that bytes do not', () => {
    const claim = reported({ input: 26_000, output: 80 })
    expect(judgeUsage(claim, evidence({ images: 1 })).basis).toBe('reported')
    expect(judgeUsage(claim, evidence()).basis).toBe('estimated')
  })

  test('an estimate that is beyond what is possible is brought inside', () => {
    expect(judgeUsage(null, evidence({ estimatedInput: 90_000 })).tokens.input).toBe(4_000 + 1_024)
    expect(judgeUsage(null, evidence({ estimatedInput: 0 })).tokens.input).toBe(32)
  })

  const count = fc.oneof(fc.nat(3_000), fc.integer({ min: -5, max: 5 }))
  const claim = fc.record({
    tokens: fc.record({
      input: count,
      cacheRead: count,
      cacheWrite: count,
      cacheWrite1h: count,
      output: count,
      reasoning: count,
      audioInput: count,
      audioOutput: count,
    }),
    providerTotals: fc.record({ input: fc.option(count), output: fc.option(count), total: fc.option(count) }),
  })
  const seen = fc.record({
    requestBytes: fc.nat(5_000),
    images: fc.nat(1),
    estimatedInput: fc.nat(6_000),
    maxOutputTokens: fc.nat(3_000),
    deltas: fc.nat(4_000),
    textBytes: fc.nat(8_000),
    streamed: fc.boolean(),
    finished: fc.boolean(),
  })

  test('whatever is claimed, the charge is whole, possible, and only a report is called reported', () => {
    fc.assert(
      fc.property(fc.option(claim), seen, (usage, given) => {
        const { tokens, basis, disputed } = judgeUsage(usage, given)
        expect(Object.values(tokens).every((amount) => Number.isSafeInteger(amount) && amount >= 0)).toBe(
          true,
        )
        expect(outputTotal(tokens)).toBeLessThanOrEqual(given.maxOutputTokens)
        expect(inputTotal(tokens)).toBeLessThanOrEqual(given.requestBytes + given.images * 50_000 + 1_024)
        if (basis === 'estimated') return
        expect(tokens).toEqual(usage?.tokens)
        expect(disputed).toBeUndefined()
      }),
      { numRuns: 500 },
    )
  })
})
