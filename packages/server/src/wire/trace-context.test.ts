import { createHash } from 'node:crypto'
import { expect, test } from 'vitest'
import { parseTraceparent, spanIdOf, taskSpanContext } from './trace-context.js'

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736'
const SPAN = '00f067aa0ba902b7'
const hash = (text: string) => createHash('sha256').update(text).digest('hex')

test.each([
  [`00-${TRACE}-${SPAN}-01`, { traceId: TRACE, spanId: SPAN, sampled: true }],
  [`00-${TRACE}-${SPAN}-00`, { traceId: TRACE, spanId: SPAN, sampled: false }],
  [`cc-${TRACE}-${SPAN}-03-what-comes-later`, { traceId: TRACE, spanId: SPAN, sampled: true }],
])('%s names a span of the caller', (text, span) => {
  expect(parseTraceparent(text)).toEqual(span)
})

test.each([
  [null],
  [''],
  ['00'],
  [`ff-${TRACE}-${SPAN}-01`],
  [`00-${TRACE.toUpperCase()}-${SPAN}-01`],
  [`00-${'0'.repeat(32)}-${SPAN}-01`],
  [`00-${TRACE}-${'0'.repeat(16)}-01`],
  [`00-${TRACE}-${SPAN}-01-more`],
  [`00-${TRACE}-${SPAN}`],
  [` 00-${TRACE}-${SPAN}-01`],
])('%j is ignored, as the standard says', (text) => {
  expect(parseTraceparent(text)).toBeNull()
})

test('ids are the same whoever makes them, of the right length, and differ by what they are for', () => {
  const context = taskSpanContext('task_1', null, hash)
  expect(context).toEqual(taskSpanContext('task_1', null, hash))
  expect(context.traceId).toMatch(/^[0-9a-f]{32}$/)
  expect(context.spanId).toMatch(/^[0-9a-f]{16}$/)
  expect(spanIdOf('step_1', hash)).not.toBe(context.spanId)
})

test("the caller's trace becomes the task's", () => {
  const parent = parseTraceparent(`00-${TRACE}-${SPAN}-01`)
  expect(taskSpanContext('task_1', parent, hash)).toMatchObject({ traceId: TRACE, parent: { spanId: SPAN } })
})
