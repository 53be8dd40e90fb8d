// The clock of a run: one that passes, for the world, and the one the server under test reads, which somebody
// may set. Timers of the two are counted apart, because the server's have to end.

import type { System, Timer } from '../../engine/ports.js'
import { type FakeSystem, createFakeSystem } from '../fake-system.js'
import { cheapHash } from './cheap-hash.js'

export class SimClock {
  readonly #fake: FakeSystem
  readonly #startMs: number
  #jumpedMs = 0
  #engineTimers = 0
  /** What the server under test gets. */
  readonly system: System

  constructor(seed: number) {
    this.#fake = createFakeSystem({ seed, turns: 1, hash: cheapHash })
    this.#startMs = this.#fake.nowMs()
    const fake = this.#fake
    this.system = {
      nowMs: () => fake.nowMs(),
      random: () => fake.random(),
      newId: (kind) => fake.newId(kind),
      sha256: cheapHash,
      after: (delayMs, run) => this.#afterForEngine(delayMs, run),
      atEndOfTurn: (run) => fake.atEndOfTurn(run),
    }
  }

  /** Since the start, ms: not moved by jumps. */
  get passedMs(): number {
    return this.#fake.nowMs() - this.#startMs - this.#jumpedMs
  }

  /** What the time really is, ms since 1970: the providers' clocks are right. */
  get trueMs(): number {
    return this.#fake.nowMs() - this.#jumpedMs
  }

  /** Timers of the server that are set and have not run. */
  get engineTimers(): number {
    return this.#engineTimers
  }

  /** A timer of the world. */
  after(delayMs: number, run: () => void): Timer {
    return this.#fake.after(Math.round(delayMs), run)
  }

  jump(byMs: number): void {
    this.#jumpedMs += byMs
    this.#fake.jump(byMs)
  }

  step(): Promise<boolean> {
    return this.#fake.step()
  }

  #afterForEngine(delayMs: number, run: () => void): Timer {
    this.#engineTimers += 1
    let isSet = true
    const end = (): boolean => {
      if (!isSet) return false
      isSet = false
      this.#engineTimers -= 1
      return true
    }
    const timer = this.#fake.after(Math.round(delayMs), () => {
      if (end()) run()
    })
    return {
      cancel() {
        if (end()) timer.cancel()
      },
    }
  }
}
