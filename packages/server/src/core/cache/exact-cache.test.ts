import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { ExactCache } from './exact-cache.js'

describe('ExactCache', () => {
  test('gives the value with its age, however old', () => {
    const cache = new ExactCache<string>()
    cache.put('k', { value: 'answer', bytes: 6, nowMs: 1_000 })
    expect(cache.get('k', 1_500)).toEqual({ value: 'answer', ageMs: 500 })
    expect(cache.get('k', 1_000 + 7 * 86_400_000)?.ageMs).toBe(7 * 86_400_000)
    expect(cache.get('other', 1_500)).toBeNull()
  })

  test('a clock that went back makes no negative age', () => {
    const cache = new ExactCache<string>()
    cache.put('k', { value: 'answer', bytes: 6, nowMs: 1_000 })
    expect(cache.get('k', 900)?.ageMs).toBe(0)
  })

  test('the least recently used entry goes first', () => {
    const cache = new ExactCache<number>({ maxEntries: 2 })
    cache.put('a', { value: 1, bytes: 1, nowMs: 0 })
    cache.put('b', { value: 2, bytes: 1, nowMs: 0 })
    cache.get('a', 0)
    cache.put('c', { value: 3, bytes: 1, nowMs: 0 })
    expect([cache.get('a', 0)?.value, cache.get('b', 0), cache.get('c', 0)?.value]).toEqual([1, null, 3])
  })

  test('a large value pushes out as many as it needs, and one larger than the cache is not kept', () => {
    const cache = new ExactCache<number>({ maxBytes: 100 })
    for (const key of ['a', 'b', 'c']) cache.put(key, { value: 0, bytes: 30, nowMs: 0 })
    cache.put('d', { value: 0, bytes: 60, nowMs: 0 })
    expect([cache.size, cache.bytes, cache.get('c', 0) !== null]).toEqual([2, 90, true])
    cache.put('d', { value: 0, bytes: 101, nowMs: 0 })
    expect([cache.size, cache.bytes, cache.get('d', 0)]).toEqual([1, 30, null])
  })

  test('agrees with a plain list of entries, whatever is put, read and deleted', () => {
    const step = fc.record({
      action: fc.constantFrom('put', 'get', 'delete'),
      key: fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f'),
      bytes: fc.integer({ min: 0, max: 60 }),
    })
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const cache = new ExactCache<number>({ maxEntries: 4, maxBytes: 100 })
        let model: { key: string; bytes: number; value: number }[] = []
        for (const [value, { action, key, bytes }] of steps.entries()) {
          const found = model.find((entry) => entry.key === key)
          const expected = action === 'get' ? (found?.value ?? null) : null
          expect(action === 'get' ? (cache.get(key, 0)?.value ?? null) : null).toBe(expected)
          model = model.filter((entry) => entry.key !== key)
          if (action === 'put') {
            cache.put(key, { value, bytes, nowMs: 0 })
            model.push({ key, bytes, value })
            while (model.length > 4 || model.reduce((sum, entry) => sum + entry.bytes, 0) > 100) model.shift()
          } else if (action === 'get') {
            if (found) model.push(found)
          } else {
            cache.delete(key)
          }
          expect(cache.size).toBe(model.length)
          expect(cache.bytes).toBe(model.reduce((sum, entry) => sum + entry.bytes, 0))
        }
      }),
    )
  })
})
