import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { EVENT_LENGTH_MAX, readEventData } from './server-sent-events.js'

const BODY = [
  ': a comment keeps the connection open\n\n',
  'event: message_start\ndata: {"type":"message_start"}\n\n',
  'data: {"text":"grüße 🌊"}\r\n\r\n',
  'data:no space\nid: 7\n\n',
  'data: two\ndata: lines\n\n',
  'data: [DONE]\n\n',
].join('')
const EVENTS = ['{"type":"message_start"}', '{"text":"grüße 🌊"}', 'no space', 'two\nlines', '[DONE]']

function bodyOf(bytes: Uint8Array, cuts: readonly number[]): ReadableStream<Uint8Array> {
  const edges = [0, ...[...cuts].sort((a, b) => a - b), bytes.length]
  return new ReadableStream({
    start(controller) {
      edges.slice(1).forEach((edge, index) => controller.enqueue(bytes.slice(edges[index], edge)))
      controller.close()
    },
  })
}

async function eventsOf(body: ReadableStream<Uint8Array>): Promise<string[]> {
  const events: string[] = []
  for await (const data of readEventData(body)) events.push(data)
  return events
}

const bytes = new TextEncoder().encode(BODY)

test('the events are the same wherever the network cuts the body', async () => {
  const cuts = fc.array(fc.nat({ max: bytes.length }), { maxLength: 12 })
  await fc.assert(
    fc.asyncProperty(cuts, async (at) => {
      expect(await eventsOf(bodyOf(bytes, at))).toEqual(EVENTS)
    }),
    { numRuns: 300 },
  )
})

test('an event that the body ends in the middle of is not given', async () => {
  const cut = bytes.slice(0, bytes.length - 1)
  expect(await eventsOf(bodyOf(cut, []))).toEqual(EVENTS.slice(0, -1))
})

test('an event without end is refused instead of collected', async () => {
  const endless = new TextEncoder().encode(`data: ${'x'.repeat(EVENT_LENGTH_MAX + 1)}`)
  await expect(eventsOf(bodyOf(endless, [1_000]))).rejects.toThrow(RangeError)
})

test('leaving early cancels the body', async () => {
  let cancelled = false
  const body = new ReadableStream<Uint8Array>({
    pull: (controller) => controller.enqueue(new TextEncoder().encode('data: again\n\n')),
    cancel: () => {
      cancelled = true
    },
  })
  for await (const data of readEventData(body)) {
    expect(data).toBe('again')
    break
  }
  expect(cancelled).toBe(true)
})
