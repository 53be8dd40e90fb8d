import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { Heap, type HeapNode } from './heap.js'

interface Numbered {
  value: number
}

const OPERATION = fc.record({
  kind: fc.constantFrom('push', 'pop', 'remove', 'move'),
  value: fc.integer({ min: 0, max: 20 }),
})

test('the first is always the least, whatever is added, taken out or moved', () => {
  fc.assert(
    fc.property(fc.array(OPERATION, { maxLength: 80 }), (operations) => {
      const heap = new Heap<Numbered>((a, b) => a.value < b.value)
      const nodes: HeapNode<Numbered>[] = []
      for (const { kind, value } of operations) {
        const some = nodes[value % Math.max(1, nodes.length)]
        if (kind === 'push') nodes.push(heap.push({ value }))
        else if (kind === 'pop') {
          const first = nodes.find(({ item }) => item === heap.peek())
          if (first !== undefined) nodes.splice(nodes.indexOf(first), 1)
          if (first !== undefined) heap.remove(first)
        } else if (kind === 'remove' && some !== undefined) {
          nodes.splice(nodes.indexOf(some), 1)
          heap.remove(some)
          heap.remove(some)
        } else if (some !== undefined) {
          some.item.value = value
          heap.moved(some)
        }
        expect(heap.size).toBe(nodes.length)
        const least = Math.min(...nodes.map(({ item }) => item.value))
        expect(heap.peek()?.value ?? Infinity).toBe(least)
      }
    }),
  )
})
