// Plays a script in time: head, frames, end, each when it is due, held while the reader is paused.

import type { System, Timer } from '../../../engine/ports.js'
import type { Frame, Script } from './script.js'

export interface Stage {
  head(status: number, headers: Readonly<Record<string, string>>): void
  frame(frame: Frame): void
  end(): void
  /** Cut the connection. */
  broken(): void
}

export class ScriptPlayer {
  readonly #script: Script
  readonly #stage: Stage
  readonly #system: System
  readonly #startMs: number
  #timer: Timer | null = null
  #next = 0
  #headSent = false
  #held = false
  #over = false

  /**
   * Starts with the next turn of the event loop at the earliest, so whoever made it has its handle by then.
   */
  constructor(script: Script, stage: Stage, system: System) {
    this.#script = script
    this.#stage = stage
    this.#system = system
    this.#startMs = system.nowMs()
    // No timer where there is nothing to wait for.
    if (script.headAtMs > 0) this.#waitUntil(script.headAtMs)
    else setImmediate(() => this.#play())
  }

  /** Nothing more reaches the stage. */
  stop(): void {
    this.#over = true
    this.#timer?.cancel()
  }

  pause(): void {
    this.#held = true
    this.#timer?.cancel()
  }

  resume(): void {
    if (!this.#held || this.#over) return
    this.#held = false
    setImmediate(() => this.#play())
  }

  #waitUntil(dueMs: number): boolean {
    const waitMs = dueMs - (this.#system.nowMs() - this.#startMs)
    if (waitMs <= 0) return false
    if (waitMs !== Infinity) this.#timer = this.#system.after(Math.ceil(waitMs), () => this.#play())
    return true
  }

  /** Everything that is due. Each call to the stage may stop or hold the player. */
  #play(): void {
    this.#timer?.cancel()
    if (this.#stopped) return
    if (!this.#headSent) {
      if (this.#waitUntil(this.#script.headAtMs)) return
      this.#headSent = true
      this.#stage.head(this.#script.status, this.#script.headers)
    }
    const { frames, end } = this.#script
    for (let frame = frames[this.#next]; frame !== undefined; frame = frames[this.#next]) {
      if (this.#stopped || this.#waitUntil(frame.atMs)) return
      this.#next += 1
      this.#stage.frame(frame)
    }
    if (this.#stopped || end === 'stall') return
    this.#over = true
    if (end === 'end') this.#stage.end()
    else this.#stage.broken()
  }

  get #stopped(): boolean {
    return this.#over || this.#held
  }
}
