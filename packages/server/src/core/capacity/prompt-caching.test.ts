import { describe, expect, test } from 'vitest'
import type { Demand, PromptIdentity } from './demand.js'
import { KEYED_MAX, PromptKeys, marksFor } from './prompt-caching.js'

const RULES = {
  minTokens: 1_024,
  ttlMs: 300_000,
  roomTokens: Infinity,
  ask: 'marks',
  requestsPerKey: 15,
} as const

/** A head of so many tokens, and messages that make it longer. */
const prompt = (head: number, ...ends: readonly number[]): PromptIdentity => {
  const tokens = head === 0 ? ends : [head, ...ends]
  return { chain: { hashes: tokens, tokens }, heads: head === 0 ? 0 : 1, session: null }
}

describe('marksFor', () => {
  test('what was never sent is not marked', () => {
    expect(marksFor(prompt(5_000, 6_000), 0, RULES)).toBeNull()
  })

  test('instructions that came again are, the question behind them is not', () => {
    expect(marksFor(prompt(5_000, 6_000), 5_000, RULES)).toEqual({ head: true, last: false })
  })

  test('a conversation that goes on is marked at its end too', () => {
    expect(marksFor(prompt(5_000, 6_000, 7_000), 6_000, RULES)).toEqual({ head: true, last: true })
    expect(marksFor(prompt(0, 6_000, 7_000), 6_000, RULES)).toEqual({ head: false, last: true })
  })

  test('what is too short to be kept is not marked', () => {
    expect(marksFor(prompt(1_023, 1_030), 1_023, RULES)).toBeNull()
    expect(marksFor(prompt(500, 900, 2_000), 900, RULES)).toEqual({ head: false, last: true })
    expect(marksFor(prompt(500, 900, 1_000), 900, RULES)).toBeNull()
  })
})

describe('PromptKeys', () => {
  const demand = (session: string | null, ...hashes: readonly number[]) =>
    ({ prompt: { chain: { hashes, tokens: hashes }, heads: 1, session } }) as unknown as Demand

  test('prompts that begin alike have one key while they are few', () => {
    const keys = new PromptKeys()
    const seen = new Set(Array.from({ length: 15 }, (_, n) => keys.next(demand(null, 1, n), 15, n * 1_000)))
    expect(seen.size).toBe(1)
    expect(keys.next(demand(null, 2, 1), 15, 0)).not.toBe([...seen][0])
  })

  test('and more keys the more they are, each below the rate that one machine takes', () => {
    const keys = new PromptKeys()
    const used = new Map<string, number>()
    for (let minute = 0; minute < 2; minute += 1) {
      used.clear()
      for (let call = 0; call < 120; call += 1) {
        const key = keys.next(demand(null, 1, call * 7 + 1), 15, minute * 60_000 + call * 500) ?? ''
        used.set(key, (used.get(key) ?? 0) + 1)
      }
    }
    expect(used.size).toBe(8)
    expect(Math.max(...used.values())).toBeLessThanOrEqual(16)
  })

  test('a conversation keeps its key while the rate is the same', () => {
    const keys = new PromptKeys()
    const turns = Array.from({ length: 60 }, (_, n) => {
      for (let other = 0; other < 3; other += 1) keys.next(demand(null, 1, n * 3 + other), 15, n * 1_000)
      return keys.next(demand('acme chat-1', 1, n), 15, n * 1_000)
    })
    expect(new Set(turns.slice(31)).size).toBe(1)
  })

  test('a rate that is over is forgotten, and the beginnings are bounded', () => {
    const keys = new PromptKeys()
    for (let call = 0; call < 600; call += 1) keys.next(demand(null, 1, call), 15, 0)
    const later = new Set(
      Array.from({ length: 10 }, (_, n) => keys.next(demand(null, 1, n), 15, 600_000 + n)),
    )
    expect(later.size).toBe(1)
    for (let hash = 0; hash < KEYED_MAX + 10; hash += 1) keys.next(demand(null, hash, 1), 15, 0)
    expect(keys.size).toBe(KEYED_MAX)
  })

  test('without a beginning there is no key', () => {
    expect(new PromptKeys().next(demand('acme chat-1'), 15, 0)).toBeNull()
  })
})
