// A stream of a format without an end marker: it is whole when its body ends where it may.

import { expect, test } from 'vitest'
import { createFakeSystem } from '../../testing/fake-system.js'
import { RecordingCaller } from '../../testing/recording-caller.js'
import { upstreamRequest } from '../../testing/recording-listener.js'
import { geminiStream } from '../../testing/recorded-streams.js'
import { scannerBetween } from '../../wire/translate-stream.js'
import type { Provider } from '../ports.js'
import { pumpStream } from './pump-stream.js'

/** Sends the chunks one by one, then ends the body. */
function sending(chunks: readonly Uint8Array[]): Provider {
  return {
    name: 'main',
    simulated: false,
    speaks: () => 'gemini',
    send: (_request, listener) => {
      queueMicrotask(() => {
        listener.onHead(200, { 'content-type': 'text/event-stream' })
        for (const chunk of chunks) listener.onData(chunk)
        listener.onEnd()
      })
      return { abort() {}, pause() {}, resume() {} }
    },
    close: () => Promise.resolve(),
  }
}

async function pumped(bytes: Buffer, chunkBytes: number) {
  const chunks = Array.from({ length: Math.ceil(bytes.length / chunkBytes) }, (_, index) =>
    bytes.subarray(index * chunkBytes, (index + 1) * chunkBytes),
  )
  const scanner = scannerBetween({
    from: 'gemini',
    to: 'openai-chat',
    model: 'asked-for',
    answerId: 'answer_1',
    createdSeconds: 1_700_000_000,
    estimatedInputTokens: 7,
    keepUsage: true,
    keepLogprobs: false,
    collect: false,
  })
  const caller = new RecordingCaller()
  const stream = await pumpStream({
    provider: sending(chunks),
    request: upstreamRequest({}, { wire: 'gemini', stream: true }),
    system: createFakeSystem(),
    scanner,
    caller,
    leftMs: 60_000,
    outputTokensMax: 100,
    holdBack: false,
    keep: false,
    begin() {},
    generated() {},
  })
  const tail = Buffer.from(scanner.finish(null) ?? []).toString()
  return { stream, text: caller.text + tail }
}

test.each([7, 1_000_000])(
  'in chunks of %i bytes: usage that follows the reason to finish is not lost',
  async (size) => {
    const { stream, text } = await pumped(geminiStream('usage-after-finish'), size)
    expect(stream.end).toEqual({ kind: 'complete' })
    expect(stream.facts.usage?.tokens).toMatchObject({ input: 2, cacheRead: 2, output: 3 })
    expect(text).toMatch(/"content":"Hi!".*"finish_reason":"stop".*"completion_tokens":3.*\[DONE\]\n\n$/s)
  },
)

test('a reason to finish in every frame ends nothing', async () => {
  const { stream, text } = await pumped(geminiStream('stop-in-every-frame'), 50)
  expect(stream.end).toEqual({ kind: 'complete' })
  expect(text).toContain('three')
})

test('a last frame without its blank line still counts', async () => {
  const bytes = geminiStream('text')
  const { stream, text } = await pumped(bytes.subarray(0, bytes.lastIndexOf('}') + 1), 64)
  expect(stream.end).toEqual({ kind: 'complete' })
  expect(text).toMatch(/"content":"!".*\[DONE\]/s)
})

test('a body that ends before any reason to finish is a broken stream, with what was used so far', async () => {
  const bytes = geminiStream('text')
  const { stream, text } = await pumped(bytes.subarray(0, bytes.lastIndexOf('data: ')), 64)
  expect(stream.end).toMatchObject({ kind: 'failed', end: 'broken_stream' })
  expect(stream.facts.startUsage?.tokens).toMatchObject({ input: 11, output: 7 })
  expect(text).not.toContain('[DONE]')
})
