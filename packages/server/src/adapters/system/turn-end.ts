// What came in one turn of the event loop is dealt with together: one call after the other goes the same way
// through the code, and finds it in the caches of the CPU. Between reads and writes of sockets each would
// find it gone again (ADR 5).

export class TurnEnd {
  #runs: (() => void)[] = []

  add(run: () => void): void {
    if (this.#runs.push(run) === 1) setImmediate(this.#runAll)
  }

  readonly #runAll = (): void => {
    const runs = this.#runs
    this.#runs = []
    let begun = 0
    try {
      for (const run of runs) {
        begun += 1
        run()
      }
    } finally {
      // One has thrown, and that is for whoever watches the process: the others have nothing to do with it.
      for (const run of runs.slice(begun)) this.add(run)
    }
  }
}
