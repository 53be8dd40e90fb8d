// How many tasks of one contract ended and how many of them were bad, by minute for the last hours and by
// hour for the last month: two rings, so that any window up to 30 days is summed from a few hundred cells.

/** Ended tasks of a window. */
export interface SloSums {
  readonly total: number
  /** No success, or harmful. */
  readonly failed: number
  /** Took longer than the target of 95 %. */
  readonly slow: number
}

/** Tasks that ended at `atMs`. Below zero: verdicts that were replaced are taken back. */
export interface EndedTasks extends SloSums {
  readonly atMs: number
}

const MINUTE_MS = 60_000
const HOUR_MS = 3_600_000
/** The longest window that is summed by minutes. */
const MINUTES_KEPT = 361
const HOURS_KEPT = 721

export class SloCounts {
  readonly #minutes = new Ring(MINUTE_MS, MINUTES_KEPT)
  readonly #hours = new Ring(HOUR_MS, HOURS_KEPT)

  add(ended: EndedTasks): void {
    this.#minutes.add(ended)
    this.#hours.add(ended)
  }

  /** Of the last `windowMs`, at most 30 days; whole minutes, whole hours above six hours. */
  sums(windowMs: number, nowMs: number): SloSums {
    const ring = windowMs <= (MINUTES_KEPT - 1) * MINUTE_MS ? this.#minutes : this.#hours
    return ring.sums(windowMs, nowMs)
  }
}

const FIELDS = 3

/** A cell belongs to one span of time; written again for a later one, it forgets the earlier. */
class Ring {
  readonly #spanMs: number
  readonly #size: number
  readonly #spans: Float64Array
  readonly #cells: Float64Array

  constructor(spanMs: number, size: number) {
    this.#spanMs = spanMs
    this.#size = size
    this.#spans = new Float64Array(size).fill(-1)
    this.#cells = new Float64Array(size * FIELDS)
  }

  add({ atMs, total, failed, slow }: EndedTasks): void {
    const span = Math.floor(atMs / this.#spanMs)
    const place = span % this.#size
    const held = this.#spans[place] ?? -1
    // Older than what is kept: a task from before the window, or a clock that jumped back.
    if (held > span || span < 0) return
    if (held < span) {
      this.#spans[place] = span
      this.#cells.fill(0, place * FIELDS, (place + 1) * FIELDS)
    }
    this.#count(place * FIELDS, total)
    this.#count(place * FIELDS + 1, failed)
    this.#count(place * FIELDS + 2, slow)
  }

  sums(windowMs: number, nowMs: number): SloSums {
    const last = Math.floor(nowMs / this.#spanMs)
    const first = Math.max(0, last - Math.ceil(windowMs / this.#spanMs) + 1)
    const sums = { total: 0, failed: 0, slow: 0 }
    for (let span = first; span <= last; span += 1) {
      const place = span % this.#size
      if (this.#spans[place] !== span) continue
      sums.total += this.#cells[place * FIELDS] ?? 0
      sums.failed += this.#cells[place * FIELDS + 1] ?? 0
      sums.slow += this.#cells[place * FIELDS + 2] ?? 0
    }
    return sums
  }

  /** A verdict may be taken back after its cell was forgotten: never below nothing. */
  #count(at: number, count: number): void {
    this.#cells[at] = Math.max(0, (this.#cells[at] ?? 0) + count)
  }
}
