import { EventEmitter } from 'node:events'
import type { ServerResponse } from 'node:http'
import { expect, test } from 'vitest'
import { createFakeSystem } from '../../../testing/fake-system.js'
import { performOverHttp } from './perform-over-http.js'
import type { Script } from './script.js'
import type { Played } from './sim-stats.js'

const frames = Array.from({ length: 10 }, (_, index) => {
  return { atMs: 0, text: `frame ${index}`, tokensSoFar: index, reports: null }
})
const script: Script = {
  model: 'm',
  fault: null,
  status: 200,
  headers: {},
  headAtMs: 0,
  frames,
  end: 'end',
  stream: true,
  inputTokens: 1,
  outputTokens: 9,
  firstTokenMs: 0,
  msPerToken: 0,
}

/** A reader whose buffer is full after every third frame. */
class SlowResponse extends EventEmitter {
  readonly written: string[] = []
  writableFinished = false

  writeHead(): void {}

  write(text: string, onWritten: () => void): boolean {
    this.written.push(text)
    onWritten()
    return this.written.length % 3 !== 0
  }

  end(): void {
    this.writableFinished = true
    this.emit('close')
  }
}

test('nothing is written while the reader is behind, and a reader who leaves is counted as far as it got', async () => {
  const system = createFakeSystem()
  const response = new SlowResponse()
  const closed: Played[] = []
  const close = (played: Played): void => void closed.push(played)
  performOverHttp(script, response as unknown as ServerResponse, { system, close })
  await system.advance(1_000)
  expect(response.written).toHaveLength(3)
  response.emit('drain')
  await system.advance(1_000)
  expect(response.written).toHaveLength(6)
  response.emit('close')
  response.emit('drain')
  await system.advance(1_000)
  expect(response.written).toHaveLength(6)
  expect(closed).toEqual([{ frames: 6, elapsedMs: 2_000, whole: false }])
})
