// Storms in the log. A provider that is down or an agent that asks in vain fails thousands of times a second
// in the same way: the first lines say everything, the others would bury what else happens and cost more than
// the calls. They are counted, and the count is said when the second is over. Metrics count every one.

import type { System } from '../../engine/ports.js'

/** Lines of one kind within `WINDOW_MS`. */
export const LINES_MAX = 10
export const WINDOW_MS = 1_000

export class LineLimit {
  readonly #system: System
  readonly #tell: (leftOut: ReadonlyMap<string, number>) => void
  /** Lines asked for in this window, by kind. Kinds are names of the configuration and codes: few. */
  #asked: Map<string, number> | null = null

  /** `tell` gets the number of lines left out in the window that ended, by kind; never an empty map. */
  constructor(system: System, tell: (leftOut: ReadonlyMap<string, number>) => void) {
    this.#system = system
    this.#tell = tell
  }

  /** Whether the next line of this kind is written; false: it is counted instead. */
  allows(kind: string): boolean {
    if (this.#asked === null) {
      this.#asked = new Map()
      this.#system.after(WINDOW_MS, () => this.#endWindow())
    }
    const asked = (this.#asked.get(kind) ?? 0) + 1
    this.#asked.set(kind, asked)
    return asked <= LINES_MAX
  }

  #endWindow(): void {
    const asked = [...(this.#asked ?? [])].filter(([, count]) => count > LINES_MAX)
    this.#asked = null
    if (asked.length > 0) this.#tell(new Map(asked.map(([kind, count]) => [kind, count - LINES_MAX])))
  }
}
