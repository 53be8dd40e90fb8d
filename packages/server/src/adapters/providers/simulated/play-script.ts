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

export interface Performance {
  /** Nothing more reaches the stage. */
  stop(): void
  pause(): void
  resume(): void
}

/** Starts with the next turn of the event loop at the earliest, so whoever called has its handle by then. */
export function playScript(script: Script, stage: Stage, system: System): Performance {
  const startMs = system.nowMs()
  let timer: Timer | null = null
  let next = 0
  let headSent = false
  let held = false
  let over = false

  function waitUntil(dueMs: number): boolean {
    const waitMs = dueMs - (system.nowMs() - startMs)
    if (waitMs <= 0) return false
    if (waitMs !== Infinity) timer = system.after(Math.ceil(waitMs), play)
    return true
  }

  function play(): void {
    timer?.cancel()
    timer = null
    if (over || held) return
    if (!headSent) {
      if (waitUntil(script.headAtMs)) return
      headSent = true
      stage.head(script.status, script.headers)
    }
    for (let frame = script.frames[next]; frame !== undefined; frame = script.frames[next]) {
      if (over || held || waitUntil(frame.atMs)) return
      next += 1
      stage.frame(frame)
    }
    if (over || held || script.end === 'stall') return
    over = true
    if (script.end === 'end') stage.end()
    else stage.broken()
  }

  // No timer where there is nothing to wait for: an immediate costs a tenth of one.
  if (script.headAtMs > 0) waitUntil(script.headAtMs)
  else setImmediate(play)

  return {
    stop() {
      over = true
      timer?.cancel()
    },
    pause() {
      held = true
      timer?.cancel()
      timer = null
    },
    resume() {
      if (!held || over) return
      held = false
      setImmediate(play)
    },
  }
}
