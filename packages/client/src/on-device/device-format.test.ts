import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { isRecord } from '../spillway-error.js'
import { readEventData } from '../server-sent-events.js'
import {
  CHAT_ON_DEVICE,
  type DeviceFormat,
  MESSAGES_ON_DEVICE,
  deviceHeaders,
  eventText,
} from './device-format.js'
import type { DeviceAnswer } from './rule.js'

const HEAD = { id: '1', model: 'tiny', taskId: 'task_1', nowMs: 1_700_000_000_500 }
const answer = (text: string): DeviceAnswer => ({ text, confidence: null, finishReason: 'stop', usage: null })

function textOf(event: unknown): string {
  if (!isRecord(event)) return ''
  const choices = event['choices']
  const delta: unknown = Array.isArray(choices)
    ? (choices[0] as { delta?: unknown } | undefined)?.delta
    : event['delta']
  const text = isRecord(delta) ? (delta['content'] ?? delta['text']) : ''
  return typeof text === 'string' ? text : ''
}

const formats: [string, DeviceFormat][] = [
  ['chat completions', CHAT_ON_DEVICE],
  ['messages', MESSAGES_ON_DEVICE],
]

test.each(formats)('a stream of %s carries any text in any pieces', async (_, format) => {
  const texts = fc.array(fc.string({ unit: 'binary' }))
  await fc.assert(
    fc.asyncProperty(texts, async (pieces) => {
      const shown = pieces.flatMap((piece) => format.piece(HEAD, piece))
      const events = [...format.begin(HEAD), ...shown, ...format.end(HEAD, answer(pieces.join('')), {})]
      const body = new Response(events.map(eventText).join('')).body
      let text = ''
      let count = 0
      for await (const data of readEventData(body ?? new ReadableStream())) {
        count += 1
        if (data !== '[DONE]') text += textOf(JSON.parse(data))
      }
      expect(text).toBe(pieces.join(''))
      expect(count).toBe(events.length)
    }),
  )
})

test('an answer whose tokens nobody counted claims none', () => {
  expect(CHAT_ON_DEVICE.whole(HEAD, answer('Yes.'))).not.toHaveProperty('usage')
  const asked = { stream_options: { include_usage: true } }
  expect(CHAT_ON_DEVICE.end(HEAD, answer('Yes.'), asked)).toHaveLength(2)
})

test('the headers say who answered, and that it cost nothing', () => {
  expect(Object.fromEntries(deviceHeaders(HEAD))).toEqual({
    'x-spillway-attempts': '1',
    'x-spillway-cache': 'off',
    'x-spillway-cost-usd': '0',
    'x-spillway-deployment': 'on-device/tiny',
    'x-spillway-model': 'tiny',
    'x-spillway-route': 'on-device',
    'x-spillway-task-id': 'task_1',
  })
})
