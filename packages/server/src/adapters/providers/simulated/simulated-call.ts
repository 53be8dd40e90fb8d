// Plays a script to the listener of the port, with the timeouts a connection would have.

import type { System, Timer, UpstreamCall, UpstreamListener, UpstreamRequest } from '../../../engine/ports.js'
import { playScript } from './play-script.js'
import type { Script } from './script.js'
import type { Played } from './sim-stats.js'

export interface SimulatedCall {
  readonly request: UpstreamRequest
  readonly listener: UpstreamListener
  readonly system: System
  readonly script: Script
  readonly close: (played: Played) => void
}

export function runCall({ request, listener, system, script, close }: SimulatedCall): UpstreamCall {
  const startMs = system.nowMs()
  let frames = 0
  let over = false
  let paused = false
  let watch: Timer | null = null

  function finish(whole: boolean): void {
    over = true
    watch?.cancel()
    close({ frames, elapsedMs: system.nowMs() - startMs, whole })
  }

  const performance = playScript(
    script,
    {
      head: (status, headers) => listener.onHead(status, headers),
      frame(frame) {
        frames += 1
        listener.onData(Buffer.from(frame.text, 'utf8'))
      },
      end() {
        finish(true)
        listener.onEnd()
      },
      broken() {
        finish(true)
        listener.onFailure('broken', 'the simulated provider cut the connection')
      },
    },
    system,
  )

  function expire(): void {
    // A reader who is paused is not being kept waiting.
    if (paused) {
      watch = system.after(request.idleTimeoutMs, expire)
      return
    }
    performance.stop()
    finish(false)
    listener.onFailure('timeout', 'the simulated provider was silent for too long')
  }

  const expiresMs = silenceEndsMs(script, request)
  if (expiresMs !== null) watch = system.after(expiresMs, expire)

  return {
    abort() {
      if (over) return
      performance.stop()
      finish(false)
    },
    pause() {
      paused = true
      performance.pause()
    },
    resume() {
      paused = false
      performance.resume()
    },
  }
}

/** When the caller's patience ends, ms after the call; null when the script never tries it. No timer is set then. */
function silenceEndsMs(script: Script, request: UpstreamRequest): number | null {
  if (script.headAtMs > request.headTimeoutMs) return request.headTimeoutMs
  if (script.end !== 'stall' && script.msPerToken <= request.idleTimeoutMs) return null
  let lastMs = script.headAtMs
  for (const frame of script.frames) {
    if (frame.atMs - lastMs > request.idleTimeoutMs) break
    lastMs = frame.atMs
  }
  const tooLate = lastMs < (script.frames.at(-1)?.atMs ?? lastMs)
  return tooLate || script.end === 'stall' ? lastMs + request.idleTimeoutMs : null
}
