import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { AnswerRing, type Remembered } from './answer-ring.js'

function entry(name: string, sizes: { request: number; answer: number }): Remembered {
  return {
    parts: { tenant: name, contract: 'c', wire: 'openai-chat' },
    request: Buffer.alloc(sizes.request, name),
    answer: { streamed: false, model: 'm', deployment: 'd', bytes: Buffer.alloc(sizes.answer, name) },
    atMs: 1_700_000_000_000 + name.charCodeAt(0),
  }
}

const plain = (remembered: readonly Remembered[]) =>
  remembered.map(({ parts, request, answer, atMs }) => ({
    parts,
    request: Buffer.from(request).toString('hex'),
    answer: { ...answer, bytes: Buffer.from(answer.bytes).toString('hex') },
    atMs,
  }))

describe('AnswerRing', () => {
  test('gives back what was put in, oldest first, and is empty then', () => {
    const ring = new AnswerRing({ slots: 4, bytes: 1_000 })
    const both = [entry('a', { request: 3, answer: 5 }), entry('b', { request: 2, answer: 0 })]
    for (const each of both) ring.push(each)
    expect(plain(ring.drain())).toEqual(plain(both))
    expect(ring.drain()).toEqual([])
  })

  test('what is larger than the ring is not kept and pushes nothing out', () => {
    const ring = new AnswerRing({ slots: 4, bytes: 10 })
    const small = entry('a', { request: 3, answer: 5 })
    ring.push(small)
    ring.push(entry('b', { request: 6, answer: 6 }))
    expect(plain(ring.drain())).toEqual(plain([small]))
  })

  test('whatever is pushed, the newest are there, whole and in order', () => {
    const size = fc.record({ request: fc.nat(12), answer: fc.nat(12) })
    fc.assert(
      fc.property(fc.array(size, { maxLength: 60 }), fc.integer({ min: 1, max: 6 }), (sizes, slots) => {
        const ring = new AnswerRing({ slots, bytes: 40 })
        const pushed = sizes.map((each, index) => entry(String.fromCharCode(65 + (index % 60)), each))
        for (const each of pushed) ring.push(each)
        const left = plain(ring.drain())
        expect(left).toEqual(plain(pushed).slice(pushed.length - left.length))
        // The last one always fits: nothing is larger than the ring here.
        expect(left.length > 0).toBe(pushed.length > 0)
        expect(left.length).toBeLessThanOrEqual(slots)
      }),
      { numRuns: 2_000 },
    )
  })
})
