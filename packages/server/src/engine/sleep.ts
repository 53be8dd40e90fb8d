// Waiting without a timer of our own.

import type { System } from './ports.js'

export function sleep(system: System, delayMs: number): Promise<void> {
  return new Promise((resolve) => {
    system.after(delayMs, resolve)
  })
}
