// What happened in a run, line by line, and the first thing that should not have.

import type { SimClock } from './sim-clock.js'

export class RunLog {
  readonly #clock: SimClock
  readonly lines: string[] = []
  problem: string | null = null

  constructor(clock: SimClock) {
    this.#clock = clock
  }

  note(text: string): void {
    this.lines.push(`${this.#clock.passedMs} ${text}`)
  }

  /** An invariant is broken. The run stops after this event; what follows from it is no news. */
  fail(problem: string): void {
    this.note(`BROKEN ${problem}`)
    this.problem ??= problem
  }
}
