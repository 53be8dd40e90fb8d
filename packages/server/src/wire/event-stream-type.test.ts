import { expect, test } from 'vitest'
import { isEventStream } from './event-stream-type.js'

test.each([
  'text/event-stream',
  'text/event-stream; charset=utf-8',
  'Text/Event-Stream;charset=utf-8',
  ' text/event-stream ;x=y',
  'application/vnd.amazon.eventstream',
])('%s is a stream of events', (type) => {
  expect(isEventStream(type)).toBe(true)
})

test.each([
  undefined,
  '',
  'application/json',
  'text/html',
  'text/event-streaming',
  'application/json; x=text/event-stream',
  'application/vnd.amazon.eventstreams',
])('%s is none', (type) => {
  expect(isEventStream(type)).toBe(false)
})
