import { expect, test } from 'vitest'
import { MIX, inOrder, parseTrace, poisson, replayed } from './arrivals.js'
import { seeded } from './randomness.js'

const RATE = { perSecond: 50, fromMs: 1_000, toMs: 101_000 }
const mean = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length

test('Poisson arrivals have the rate, the lengths and the mix that were asked for', () => {
  const arrivals = poisson(RATE, MIX, seeded(1))
  expect(arrivals.length).toBeGreaterThan(4_750)
  expect(arrivals.length).toBeLessThan(5_250)
  expect(arrivals.every(({ atMs }) => atMs >= 1_000 && atMs < 101_000)).toBe(true)
  expect(mean(arrivals.map(({ promptTokens }) => promptTokens)) / MIX.promptTokens).toBeCloseTo(1, 1)
  expect(mean(arrivals.map(({ outputTokens }) => outputTokens)) / MIX.outputTokens).toBeCloseTo(1, 1)
  const critical = arrivals.filter(({ criticality }) => criticality === 'critical')
  expect(critical.length / arrivals.length).toBeCloseTo(MIX.critical, 1)
  const gaps = arrivals.slice(1).map(({ atMs }, index) => atMs - (arrivals[index]?.atMs ?? 0))
  const variance = mean(gaps.map((gap) => (gap - 20) ** 2))
  // Of an exponential distribution, the deviation is the mean.
  expect(Math.sqrt(variance)).toBeCloseTo(20, -1)
})

test('the same seed gives the same load', () => {
  expect(poisson(RATE, MIX, seeded(7))).toEqual(poisson(RATE, MIX, seeded(7)))
  expect(poisson(RATE, MIX, seeded(7))).not.toEqual(poisson(RATE, MIX, seeded(8)))
})

test('a trace keeps its bursts at another rate and other lengths', () => {
  const rows = Array.from({ length: 101 }, (_, index) => {
    const atMs = Math.floor(index / 10) * 1_000 + (index % 10)
    return `${atMs},${index % 2 === 0 ? 500 : 1_500},${index % 2 === 0 ? 100 : 300}`
  })
  const trace = parseTrace(`arrival_ms,input_tokens,output_tokens\n${rows.join('\n')}\n`)
  const rate = { perSecond: 100, fromMs: 0, toMs: 1_000 }
  const arrivals = replayed(trace, { rate, mix: MIX, judgedFromMs: 0 }, seeded(1))
  expect(arrivals).toHaveLength(100)
  expect(mean(arrivals.map(({ outputTokens }) => outputTokens))).toBe(MIX.outputTokens)
  expect(mean(arrivals.map(({ promptTokens }) => promptTokens))).toBe(MIX.promptTokens)
  // Ten at a time, and then nothing for nearly a tenth of a second.
  expect((arrivals[9]?.atMs ?? 0) - (arrivals[0]?.atMs ?? 0)).toBeLessThan(2)
  expect((arrivals[10]?.atMs ?? 0) - (arrivals[9]?.atMs ?? 0)).toBeGreaterThan(90)
})

test('what is judged of a trace has the lengths of the mix, whatever came before', () => {
  const rows = Array.from({ length: 101 }, (_, index) => `${index * 10},${index < 50 ? 900 : 300},${index}`)
  const trace = parseTrace(`arrival_ms,input_tokens,output_tokens\n${rows.join('\n')}\n`)
  const rate = { perSecond: 100, fromMs: 0, toMs: 1_000 }
  const arrivals = replayed(trace, { rate, mix: MIX, judgedFromMs: 500 }, seeded(1))
  const judged = arrivals.filter(({ atMs }) => atMs >= 500)
  expect(mean(judged.map(({ promptTokens }) => promptTokens))).toBe(MIX.promptTokens)
  expect(mean(judged.map(({ outputTokens }) => outputTokens))).toBeCloseTo(MIX.outputTokens, 0)
  expect(arrivals[0]?.promptTokens).toBe(3 * MIX.promptTokens)
})

test('a trace that is too short, or is none, is refused', () => {
  expect(() => parseTrace('a,b,c\n1,2,three\n')).toThrow(/line 2/)
  const trace = parseTrace('a,b,c\n1,2,3\n2,3,4\n')
  expect(() => replayed(trace, { rate: RATE, mix: MIX, judgedFromMs: 0 }, seeded(1))).toThrow(
    /5001 are needed/,
  )
})

test('several streams of arrivals become one', () => {
  const slow = poisson({ ...RATE, perSecond: 5 }, { ...MIX, tenant: 'slow' }, seeded(1))
  const fast = poisson(RATE, { ...MIX, tenant: 'fast' }, seeded(2))
  const both = inOrder(slow, fast)
  expect(both).toHaveLength(slow.length + fast.length)
  expect(both.every(({ atMs }, index) => atMs >= (both[index - 1]?.atMs ?? 0))).toBe(true)
})
