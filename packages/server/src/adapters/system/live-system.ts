// The real world: the only place where the product reads a clock, rolls dice or sets a timer.

import { hash } from 'node:crypto'
import type { System, Timer } from '../../engine/ports.js'
import { createIds } from './ids.js'
import { TurnEnd } from './turn-end.js'

/** A longer delay would fire at once: Node keeps delays in 32 bits. */
const DELAY_MS_MAX = 2 ** 31 - 1

/**
 * Node keeps one list of timers per distinct delay, and a heap of the lists. What is left until a deadline is
 * a different number for every call, so long delays are rounded up to a few: at most 13 % late above a
 * second.
 */
const COARSE_ABOVE_MS = 1_000
const COARSE_STEP_MS = 128

class LiveTimer implements Timer {
  readonly #timeout: NodeJS.Timeout

  constructor(delayMs: number, run: () => void) {
    this.#timeout = setTimeout(run, Math.min(coarse(delayMs), DELAY_MS_MAX))
    this.#timeout.unref()
  }

  cancel(): void {
    clearTimeout(this.#timeout)
  }
}

function coarse(delayMs: number): number {
  return delayMs <= COARSE_ABOVE_MS ? delayMs : Math.ceil(delayMs / COARSE_STEP_MS) * COARSE_STEP_MS
}

export function createLiveSystem(): System {
  const nowMs = (): number => Date.now()
  const random = (): number => Math.random()
  const turnEnd = new TurnEnd()
  return {
    nowMs,
    random,
    newId: createIds(nowMs, random),
    after: (delayMs, run) => new LiveTimer(delayMs, run),
    atEndOfTurn: (run) => turnEnd.add(run),
    sha256: (text) => hash('sha256', text, 'hex'),
  }
}
