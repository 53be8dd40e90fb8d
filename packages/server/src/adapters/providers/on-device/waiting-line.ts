// A fixed number of places, and a bounded line of those who wait for one, first come, first served.

export class WaitingLine {
  readonly #waiting: { readonly admit: () => void }[] = []
  readonly #lengthMax: number
  #free: number

  constructor(options: { readonly places: number; readonly lengthMax: number }) {
    this.#free = options.places
    this.#lengthMax = options.lengthMax
  }

  get length(): number {
    return this.#waiting.length
  }

  /**
   * null: the line is full. Else resolves with true when there is a place, which `leave` gives back, or with
   * false when `signal` came first: then there is nothing to give back.
   */
  enter(signal: AbortSignal): Promise<boolean> | null {
    if (signal.aborted) return Promise.resolve(false)
    if (this.#free > 0) {
      this.#free -= 1
      return Promise.resolve(true)
    }
    if (this.#waiting.length >= this.#lengthMax) return null
    return new Promise((resolve) => {
      const giveUp = (): void => {
        this.#waiting.splice(this.#waiting.indexOf(waiter), 1)
        resolve(false)
      }
      const waiter = {
        admit: (): void => {
          signal.removeEventListener('abort', giveUp)
          resolve(true)
        },
      }
      this.#waiting.push(waiter)
      signal.addEventListener('abort', giveUp, { once: true })
    })
  }

  /** The place goes to whoever waits longest. */
  leave(): void {
    const next = this.#waiting.shift()
    if (next === undefined) this.#free += 1
    else next.admit()
  }
}
