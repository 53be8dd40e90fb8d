// A world whose clock moves only when the test says so: same test, same times, same ids, same dice.

import { createHash } from 'node:crypto'
import type { IdKind } from '../core/ids.js'
import type { System, Timer } from '../engine/ports.js'

export interface FakeSystem extends System {
  /**
   * Moves the clock, running due timers in order of time; what they start settles before the next one runs.
   */
  advance(ms: number): Promise<void>
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
}

interface Pending {
  readonly atMs: number
  readonly order: number
  readonly run: () => void
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
async function settleMicrotasks(): Promise<void> {
  for (let round = 0; round < 3; round++) await new Promise<void>((resolve) => setImmediate(resolve))
}

function takeDue(pending: Set<Pending>, untilMs: number): Pending | null {
  let next: Pending | null = null
  for (const timer of pending) {
    if (timer.atMs > untilMs) continue
    if (next === null || timer.atMs < next.atMs || (timer.atMs === next.atMs && timer.order < next.order))
      next = timer
  }
  if (next !== null) pending.delete(next)
  return next
}

export function createFakeSystem(options: FakeSystemOptions = {}): FakeSystem {
  const pending = new Set<Pending>()
  const counts = new Map<IdKind, number>()
  let now = options.startMs ?? Date.UTC(2026, 10, 24)
  let order = 0

  async function advance(ms: number): Promise<void> {
    const untilMs = now + ms
    await settleMicrotasks()
    for (let timer = takeDue(pending, untilMs); timer !== null; timer = takeDue(pending, untilMs)) {
      now = Math.max(now, timer.atMs)
      timer.run()
      await settleMicrotasks()
    }
    now = untilMs
  }

  return {
    nowMs: () => now,
    random: seededRandom(options.seed ?? 1),
    newId(kind) {
      const count = (counts.get(kind) ?? 0) + 1
      counts.set(kind, count)
      // Zero-padded: ids must sort by age, as the real ones do.
      return `${kind}_${String(count).padStart(6, '0')}`
    },
    after(delayMs, run): Timer {
      const timer = { atMs: now + Math.max(0, delayMs), order: order++, run }
      pending.add(timer)
      return { cancel: () => void pending.delete(timer) }
    },
    sha256: (text) => createHash('sha256').update(text).digest('hex'),
    advance,
    pendingTimers: () => pending.size,
    nextTimerMs: () => (pending.size === 0 ? null : Math.min(...[...pending].map(({ atMs }) => atMs))),
  }
}
