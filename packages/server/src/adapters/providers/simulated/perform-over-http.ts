// Plays a script to an HTTP response, at the reader's pace, and tells how much of it was really written.

import type { ServerResponse } from 'node:http'
import type { System } from '../../../engine/ports.js'
import { ScriptPlayer } from './script-player.js'
import type { Script } from './script.js'
import type { Played } from './sim-stats.js'

export interface HttpPerformance {
  readonly system: System
  readonly close: (played: Played) => void
}

export function performOverHttp(script: Script, response: ServerResponse, at: HttpPerformance): void {
  const startMs = at.system.nowMs()
  let written = 0
  let cut = false

  const player = new ScriptPlayer(
    script,
    {
      head(status, headers) {
        response.writeHead(status, { ...headers, ...lengthOf(script) })
        // Node holds the head back for the first bytes of the body; here none come with it.
        if (script.frames[0]?.atMs !== script.headAtMs) response.flushHeaders()
      },
      frame(frame) {
        const onWritten = (error?: Error | null): void => {
          if (error === undefined || error === null) written += 1
        }
        if (!response.write(frame.text, onWritten)) player.pause()
      },
      end: () => response.end(),
      broken() {
        cut = true
        // Writes what is buffered, then closes without the end that the chunked encoding owes.
        response.socket?.destroySoon()
      },
    },
    at.system,
  )

  response.on('drain', () => player.resume())
  response.on('close', () => {
    player.stop()
    const whole = cut || response.writableFinished
    at.close({ frames: written, elapsedMs: at.system.nowMs() - startMs, whole })
  })
}

/** Whole answers say how long they are, as providers' do. */
function lengthOf(script: Script): Record<string, string> {
  const [only] = script.frames
  const known = !script.stream && script.end === 'end' && only !== undefined && script.frames.length === 1
  return known ? { 'content-length': String(Buffer.byteLength(only.text, 'utf8')) } : {}
}
