// Timers in the order they are due: a binary heap, because a simulated hour sets a million of them.

import type { Timer } from '../engine/ports.js'

interface Pending {
  readonly dueMs: number
  readonly order: number
  readonly run: () => void
  isLive: boolean
}

/** Of two that are due at the same time, the one that was set first runs first. */
function isBefore(a: Pending, b: Pending): boolean {
  return a.dueMs < b.dueMs || (a.dueMs === b.dueMs && a.order < b.order)
}

export class TimerHeap {
  readonly #heap: Pending[] = []
  #order = 0
  #live = 0

  /** Set, neither run nor cancelled. */
  get size(): number {
    return this.#live
  }

  add(dueMs: number, run: () => void): Timer {
    const pending: Pending = { dueMs, order: this.#order++, run, isLive: true }
    this.#live += 1
    this.#rise(pending)
    const cancel = (): void => {
      if (!pending.isLive) return
      pending.isLive = false
      this.#live -= 1
    }
    return { cancel }
  }

  /** When the next one is due; null when none is set. */
  nextMs(): number | null {
    // What was cancelled stays in the heap until it comes up.
    while (this.#heap[0]?.isLive === false) this.#pop()
    return this.#heap[0]?.dueMs ?? null
  }

  /** The next one, if it is due by then. It counts as run. */
  take(untilMs: number): { readonly dueMs: number; readonly run: () => void } | null {
    const dueMs = this.nextMs()
    const next = this.#heap[0]
    if (dueMs === null || next === undefined || dueMs > untilMs) return null
    this.#pop()
    next.isLive = false
    this.#live -= 1
    return next
  }

  #rise(pending: Pending): void {
    const heap = this.#heap
    let at = heap.length
    while (at > 0) {
      const above = (at - 1) >> 1
      const parent = heap[above]
      if (parent === undefined || isBefore(parent, pending)) break
      heap[at] = parent
      at = above
    }
    heap[at] = pending
  }

  #pop(): void {
    const heap = this.#heap
    const last = heap.pop()
    if (last === undefined || heap.length === 0) return
    let at = 0
    for (;;) {
      let below = 2 * at + 1
      const left = heap[below]
      const right = heap[below + 1]
      if (left === undefined) break
      if (right !== undefined && isBefore(right, left)) below += 1
      const least = heap[below]
      if (least === undefined || isBefore(last, least)) break
      heap[at] = least
      at = below
    }
    heap[at] = last
  }
}
