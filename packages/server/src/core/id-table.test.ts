import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { IdTable } from './id-table.js'

const id = fc.oneof(
  fc.integer({ min: 0, max: 40 }).map((n) => `task_${n}`),
  fc.string({ maxLength: 3 }),
)
const action = fc.oneof(
  fc.record({ kind: fc.constant('set' as const), id, value: fc.nat() }),
  fc.record({ kind: fc.constant('take' as const), id }),
)

describe('IdTable', () => {
  test('holds what a Map would hold, whatever was set and taken', () => {
    fc.assert(
      fc.property(fc.array(action, { maxLength: 200 }), (actions) => {
        const table = new IdTable<string, number>()
        const map = new Map<string, number>()
        for (const each of actions) {
          const before = map.get(each.id)
          if (each.kind === 'set') map.set(each.id, each.value)
          else map.delete(each.id)
          const taken = each.kind === 'set' ? table.set(each.id, each.value) : table.take(each.id)
          expect(taken).toBe(each.kind === 'set' ? undefined : before)
          expect(table.get(each.id)).toBe(map.get(each.id))
          expect(table.has(each.id)).toBe(map.has(each.id))
          expect(table.size).toBe(map.size)
        }
        expect([...table.values()]).toEqual([...map.values()])
      }),
    )
  })

  test('keeps many more entries than it has buckets at first', () => {
    const table = new IdTable<string, number>()
    for (let n = 0; n < 5_000; n++) table.set(`task_${n}`, n)
    expect(table.size).toBe(5_000)
    for (let n = 0; n < 5_000; n++) expect(table.get(`task_${n}`)).toBe(n)
    for (let n = 0; n < 5_000; n++) expect(table.take(`task_${n}`)).toBe(n)
    expect(table.size).toBe(0)
    expect([...table.values()]).toEqual([])
  })

  test('lets go of the oldest first', () => {
    const table = new IdTable<string, number>()
    table.dropOldest()
    for (const n of [1, 2, 3]) table.set(`task_${n}`, n)
    table.take('task_1')
    table.dropOldest()
    expect([...table.values()]).toEqual([3])
  })
})
