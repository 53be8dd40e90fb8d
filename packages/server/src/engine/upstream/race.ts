// Copies of one call at several deployments: the first that has something to show wins, and the others are
// stopped at that instant, before they can show anything. No copy is waited for to stop, and none wins twice.

export interface Runner {
  /** Another was first, or nobody is to be: it ends now. Never throws. */
  lose(): void
}

export class Race {
  readonly #running: Runner[] = []
  #isDecided = false
  #winner: Runner | null = null

  get running(): number {
    return this.#running.length
  }

  /** There is a winner, or there will be none. */
  get isDecided(): boolean {
    return this.#isDecided
  }

  /** Before it is sent. One that comes when all is decided has lost. */
  enter(runner: Runner): void {
    this.#running.push(runner)
    if (this.#isDecided) runner.lose()
  }

  /** It has ended, well or badly. */
  leave(runner: Runner): void {
    const index = this.#running.indexOf(runner)
    if (index >= 0) this.#running.splice(index, 1)
  }

  /** May it show what it has? */
  win(runner: Runner): boolean {
    if (!this.#isDecided) {
      this.#winner = runner
      this.callOff(runner)
    }
    return this.#winner === runner
  }

  /** All others end. Without a winner, nobody wins any more. */
  callOff(winner: Runner | null = null): void {
    this.#isDecided = true
    // Who loses leaves, so the list changes meanwhile.
    const others = this.#running.filter((runner) => runner !== winner)
    for (const runner of others) runner.lose()
  }
}
