// A world whose clock moves only when the test says so: same test, same times, same ids, same dice.

import { createHash } from 'node:crypto'
import type { IdKind } from '../core/ids.js'
import type { System } from '../engine/ports.js'
import { TimerHeap } from './timer-heap.js'

export interface FakeSystem extends System {
  /**
   * Moves the clock, running due timers in order of time; what they start settles before the next one runs.
   */
  advance(ms: number): Promise<void>
  /** Runs the next timer at its time, and lets what it starts settle. false: none is set. */
  step(): Promise<boolean>
  /**
   * Somebody sets the clock, forward or back: timers are as far away as before, as with a real system.
   */
  jump(ms: number): void
  /** Timers that are set and have not run. */
  pendingTimers(): number
  /** The instant of the next of them, ms since 1970; null when none is set. */
  nextTimerMs(): number | null
}

export interface FakeSystemOptions {
  /** Default: 2026-11-24T00:00:00Z. */
  readonly startMs?: number
  /** Default 1. */
  readonly seed?: number
  /** Turns of the event loop after each timer. Default 3; 1 is enough where everything waits for promises. */
  readonly turns?: number
  /** Default SHA-256. */
  readonly hash?: (text: string | Uint8Array) => string
}

/** Mulberry32: small, seeded, and good enough for dice in tests. */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

/** Lets everything that waits for promises, and for `setImmediate`, go on until it waits for the clock. */
async function settleMicrotasks(turns: number): Promise<void> {
  for (let turn = 0; turn < turns; turn++) await new Promise<void>((resolve) => setImmediate(resolve))
}

function idMaker(): System['newId'] {
  const counts = new Map<IdKind, number>()
  return (kind) => {
    const count = (counts.get(kind) ?? 0) + 1
    counts.set(kind, count)
    // Zero-padded: ids must sort by age, as the real ones do.
    return `${kind}_${String(count).padStart(6, '0')}`
  }
}

const sha256 = (text: string | Uint8Array): string => createHash('sha256').update(text).digest('hex')

export function createFakeSystem(options: FakeSystemOptions = {}): FakeSystem {
  const { startMs = Date.UTC(2026, 10, 24), seed = 1, turns = 3, hash = sha256 } = options
  const timers = new TimerHeap()
  /** Since the start, by a clock that nobody sets, and what was added to the other one. */
  let [passedMs, setBy] = [0, 0]
  const clockAt = (sinceStartMs: number): number => startMs + sinceStartMs + setBy

  async function runNext(untilMs: number): Promise<boolean> {
    const timer = timers.take(untilMs)
    if (timer === null) return false
    passedMs = Math.max(passedMs, timer.dueMs)
    timer.run()
    await settleMicrotasks(turns)
    return true
  }

  async function advance(ms: number): Promise<void> {
    const untilMs = passedMs + ms
    await settleMicrotasks(turns)
    for (let ran = true; ran;) ran = await runNext(untilMs)
    passedMs = untilMs
  }

  return {
    nowMs: () => clockAt(passedMs),
    random: seededRandom(seed),
    newId: idMaker(),
    after: (delayMs, run) => timers.add(passedMs + Math.max(0, delayMs), run),
    atEndOfTurn: (run) => void setImmediate(run),
    sha256: hash,
    advance,
    step: () => runNext(Infinity),
    jump: (ms) => void (setBy += ms),
    pendingTimers: () => timers.size,
    nextTimerMs() {
      const dueMs = timers.nextMs()
      return dueMs === null ? null : clockAt(dueMs)
    },
  }
}
