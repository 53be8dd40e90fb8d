// Plays a script to the listener of the port, with the timeouts a connection would have.

import type { System, Timer, UpstreamCall, UpstreamListener, UpstreamRequest } from '../../../engine/ports.js'
import { ScriptPlayer, type Stage } from './script-player.js'
import type { Frame, Script } from './script.js'
import type { Played } from './sim-stats.js'

export interface SimulatedCallOptions {
  readonly request: UpstreamRequest
  readonly listener: UpstreamListener
  readonly system: System
  readonly script: Script
  /** Called once, however the call ended. */
  readonly close: (played: Played) => void
}

export class SimulatedCall implements UpstreamCall, Stage {
  readonly #options: SimulatedCallOptions
  readonly #startMs: number
  readonly #player: ScriptPlayer
  #watch: Timer | null = null
  #frames = 0
  #over = false
  #paused = false

  constructor(options: SimulatedCallOptions) {
    this.#options = options
    this.#startMs = options.system.nowMs()
    this.#player = new ScriptPlayer(options.script, this, options.system)
    const expiresMs = silenceEndsMs(options.script, options.request)
    if (expiresMs !== null) this.#expireAfter(expiresMs)
  }

  abort(): void {
    if (!this.#over) this.#finish(false)
  }

  pause(): void {
    this.#paused = true
    this.#player.pause()
  }

  resume(): void {
    this.#paused = false
    this.#player.resume()
  }

  head(status: number, headers: Readonly<Record<string, string>>): void {
    this.#options.listener.onHead(status, headers)
  }

  frame(frame: Frame): void {
    this.#frames += 1
    this.#options.listener.onData(Buffer.from(frame.text, 'utf8'))
  }

  end(): void {
    this.#finish(true)
    this.#options.listener.onEnd()
  }

  broken(): void {
    this.#finish(true)
    this.#options.listener.onFailure('broken', 'the simulated provider cut the connection')
  }

  #expireAfter(delayMs: number): void {
    this.#watch = this.#options.system.after(delayMs, () => {
      // A reader who is paused is not being kept waiting.
      if (this.#paused) return this.#expireAfter(this.#options.request.idleTimeoutMs)
      this.#finish(false)
      this.#options.listener.onFailure('timeout', 'the simulated provider was silent for too long')
    })
  }

  #finish(whole: boolean): void {
    this.#over = true
    this.#player.stop()
    this.#watch?.cancel()
    const elapsedMs = this.#options.system.nowMs() - this.#startMs
    this.#options.close({ frames: this.#frames, elapsedMs, whole })
  }
}

/**
 * When the caller's patience ends, ms after the call; null when the script never tries it. No timer is set
 * then.
 */
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
