// A clock that stands still until a test moves it: for the client's tests only.

import type { Clock } from '../clock.js'

export interface ManualClock extends Clock {
  /** Runs what is due, in order of time. */
  advance(ms: number): void
  /** Delays asked for so far, in order. */
  readonly delays: readonly number[]
  /** Timers that neither ran nor were cancelled. */
  pending(): number
}

/** Timers of at most `eagerMs` run at once (waits between retries); the others when the clock is moved. */
export function createManualClock(eagerMs = 500): ManualClock {
  let nowMs = Date.parse('2026-11-24T10:00:00Z')
  const delays: number[] = []
  const timers = new Set<{ readonly atMs: number; readonly run: () => void }>()
  return {
    now: () => nowMs,
    delays,
    pending: () => timers.size,
    after(delayMs, run) {
      delays.push(delayMs)
      if (delayMs <= eagerMs) {
        queueMicrotask(run)
        return () => {}
      }
      const timer = { atMs: nowMs + delayMs, run }
      timers.add(timer)
      return () => timers.delete(timer)
    },
    advance(ms) {
      nowMs += ms
      const due = [...timers].filter((timer) => timer.atMs <= nowMs).sort((a, b) => a.atMs - b.atMs)
      for (const timer of due) {
        timers.delete(timer)
        timer.run()
      }
    },
  }
}
