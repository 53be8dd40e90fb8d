// The real world: the only place where the product reads a clock, rolls dice or sets a timer.

import { hash } from 'node:crypto'
import type { System } from '../../engine/ports.js'
import { createIds } from './ids.js'

/** A longer delay would fire at once: Node keeps delays in 32 bits. */
const DELAY_MS_MAX = 2 ** 31 - 1

export function createLiveSystem(): System {
  const nowMs = (): number => Date.now()
  const random = (): number => Math.random()
  return {
    nowMs,
    random,
    newId: createIds(nowMs, random),
    after(delayMs, run) {
      const timer = setTimeout(run, Math.min(delayMs, DELAY_MS_MAX))
      timer.unref()
      return { cancel: () => clearTimeout(timer) }
    },
    sha256: (text) => hash('sha256', text, 'hex'),
  }
}
