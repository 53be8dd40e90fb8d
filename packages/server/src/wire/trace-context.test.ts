import { expect, test } from 'vitest'
import { parseTraceparent, spanIdOf, taskSpanContext } from './trace-context.js'

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736'
const SPAN = '00f067aa0ba902b7'

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
  const context = taskSpanContext('task_1', null)
  expect(context).toEqual(taskSpanContext('task_1', null))
  expect(context.traceId).toHaveLength(4)
  expect(context.spanId).toHaveLength(2)
  expect(spanIdOf('task_1')).toEqual(context.spanId)
  expect(spanIdOf('step_1')).not.toEqual(context.spanId)
  expect(context.traceId.slice(0, 2)).not.toEqual(context.spanId)
  expect(context.traceId.slice(2)).not.toEqual(context.spanId)
})

test('ids of one millisecond, which differ in a counter, have no id in common', () => {
  const ids = Array.from({ length: 100_000 }, (_, n) => `att_01M86C3TKQAHKH4${String(n).padStart(6, '0')}`)
  expect(new Set(ids.map((id) => spanIdOf(id).join(' '))).size).toBe(ids.length)
})

test("the caller's trace becomes the task's", () => {
  const parent = parseTraceparent(`00-${TRACE}-${SPAN}-01`)
  const context = taskSpanContext('task_1', parent)
  expect(context.traceId.map((word) => word >>> 0)).toEqual([0x4bf92f35, 0x77b34da6, 0xa3ce929d, 0x0e0e4736])
  expect(context.parentSpanId?.map((word) => word >>> 0)).toEqual([0x00f067aa, 0x0ba902b7])
  expect(context.spanId).toEqual(taskSpanContext('task_1', null).spanId)
})
