import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { PLACES_MAX, PREFIXES_MAX, PrefixMemory, WarmPrefixes, type PrefixChain } from './prefix-memory.js'

const FOREVER = { ttlMs: Infinity, roomTokens: Infinity }

/** Beginnings of 100 tokens each. */
function chain(...hashes: readonly number[]): PrefixChain {
  return { hashes, tokens: hashes.map((_, index) => (index + 1) * 100) }
}

describe('WarmPrefixes', () => {
  test('the longest beginning that was sent counts', () => {
    const warm = new WarmPrefixes(FOREVER)
    expect(warm.match(chain(1, 2, 3), 0)).toBe(0)
    warm.touch(chain(1, 2, 3), 0)
    expect(warm.match(chain(1, 2, 9), 0)).toBe(200)
    expect(warm.match(chain(1, 2, 3, 4), 0)).toBe(300)
    expect(warm.match(chain(8, 9), 0)).toBe(0)
  })

  test('what is not used for the time to live is cold, and each use begins it again', () => {
    const warm = new WarmPrefixes({ ttlMs: 1_000, roomTokens: Infinity })
    warm.touch(chain(1, 2), 0)
    expect(warm.match(chain(1, 2), 1_000)).toBe(200)
    expect(warm.match(chain(1, 2), 1_001)).toBe(0)
    warm.touch(chain(1), 900)
    expect(warm.match(chain(1, 2), 1_500)).toBe(100)
  })

  test('a clock that goes back makes nothing warm again', () => {
    const warm = new WarmPrefixes({ ttlMs: 1_000, roomTokens: Infinity })
    warm.touch(chain(1), 0)
    expect(warm.match(chain(1), 5_000)).toBe(0)
    expect(warm.match(chain(1), 100)).toBe(0)
  })

  test('without room the longest unused goes, the end of a conversation before its beginning', () => {
    const warm = new WarmPrefixes({ ttlMs: Infinity, roomTokens: 300 })
    warm.touch(chain(1, 2), 0)
    warm.touch(chain(1, 3), 10)
    warm.touch(chain(1, 4), 20)
    expect(warm.match(chain(1, 2), 20)).toBe(100)
    expect(warm.match(chain(1, 4), 20)).toBe(200)
    expect(warm.heldTokens).toBeLessThanOrEqual(300)
  })

  test('a deployment that reports less than was believed is believed to keep less', () => {
    const warm = new WarmPrefixes({ ttlMs: Infinity, roomTokens: 100_000 })
    const long = (hash: number): PrefixChain => ({ hashes: [hash], tokens: [40_000] })
    warm.touch(long(1), 0)
    warm.touch(long(2), 1)
    warm.learn(40_000, 0)
    expect(warm.match(long(1), 2), 'it never reported anything').toBe(40_000)
    warm.learn(40_000, 40_000)
    for (let miss = 0; miss < 5; miss += 1) warm.learn(40_000, 0)
    expect(warm.match(long(1), 2)).toBe(0)
    expect(warm.match(long(2), 2)).toBe(40_000)
  })

  test('a restart forgets all', () => {
    const warm = new WarmPrefixes(FOREVER)
    warm.touch(chain(1), 0)
    warm.clear()
    expect(warm.match(chain(1), 0)).toBe(0)
    expect(warm.heldTokens).toBe(0)
  })

  test('never holds more than its bounds, and never promises what it was not told', () => {
    const chains = fc.array(fc.array(fc.integer({ min: 0, max: 30 }), { maxLength: 6 }), { maxLength: 60 })
    fc.assert(
      fc.property(chains, fc.integer({ min: 0, max: 1_500 }), (list, roomTokens) => {
        const warm = new WarmPrefixes({ ttlMs: Infinity, roomTokens })
        const told = new Set<number>()
        list.forEach((hashes, nowMs) => {
          warm.touch(chain(...hashes), nowMs)
          for (const hash of hashes) told.add(hash)
          expect(warm.heldTokens).toBeLessThanOrEqual(roomTokens)
          expect(warm.heldTokens).toBeGreaterThanOrEqual(0)
        })
        const believed = Array.from({ length: 31 }, (_, hash) => hash).filter(
          (hash) => warm.match(chain(hash), 100) > 0,
        )
        expect(believed.filter((hash) => !told.has(hash))).toEqual([])
      }),
    )
  })

  test('beginnings are bounded by number as well', () => {
    const warm = new WarmPrefixes(FOREVER)
    for (let hash = 0; hash < PREFIXES_MAX + 100; hash += 1) warm.touch(chain(hash), hash)
    expect(warm.prefixes).toBe(PREFIXES_MAX)
    expect(warm.match(chain(99), 1e9)).toBe(0)
    expect(warm.match(chain(100), 1e9)).toBe(100)
  })
})

describe('PrefixMemory', () => {
  test('deployments do not share, and are bounded', () => {
    const memory = new PrefixMemory()
    memory.of('d0', FOREVER).touch(chain(1), 0)
    expect(memory.of('d1', FOREVER).match(chain(1), 0)).toBe(0)
    for (let place = 2; place <= PLACES_MAX; place += 1) memory.of(`d${place}`, FOREVER)
    expect(memory.known('d0')).toBeUndefined()
    expect(memory.known('d1')).toBeDefined()
  })

  test('a reload that changes how long a provider keeps is followed', () => {
    const memory = new PrefixMemory()
    memory.of('d', FOREVER).touch(chain(1), 0)
    expect(memory.of('d', { ttlMs: 10, roomTokens: Infinity }).match(chain(1), 11)).toBe(0)
  })
})
