// A caller of the simulation: reads as slowly as the scenario has it, may leave, and notes what it got.

import { RecordingCaller } from '../recording-caller.js'
import type { SimClock } from './sim-clock.js'

export interface CallerEvents {
  onBegin(status: number, headers: Readonly<Record<string, string>>): void
  onEnd(): void
}

export class SimCaller extends RecordingCaller {
  readonly #clock: SimClock
  readonly #readMs: number | null
  readonly #events: CallerEvents
  #isReading = false

  constructor(clock: SimClock, readMs: number | null, events: CallerEvents) {
    super()
    this.#clock = clock
    this.#readMs = readMs
    this.#events = events
    this.isSlow = readMs !== null
  }

  override begin(status: number, headers: Readonly<Record<string, string>>): void {
    super.begin(status, headers)
    this.#events.onBegin(status, headers)
  }

  override end(chunk?: Uint8Array | string): void {
    super.end(chunk)
    this.#events.onEnd()
  }

  override onDrain(run: () => void): void {
    super.onDrain(run)
    if (this.#readMs === null || this.#isReading) return
    this.#isReading = true
    this.#clock.after(this.#readMs, () => {
      this.#isReading = false
      this.drain()
    })
  }
}
