// Answers by exact request, the least recently used thrown away first. It knows ages but not freshness: a
// hit takes what is inside its TTL, the `cached_answer` rung takes what there is. Callers never put a
// failure in here.

export interface ExactCacheLimits {
  /** Default 2,000. */
  readonly maxEntries?: number
  /** Sum of the sizes given to `put`. Default 32 MiB. */
  readonly maxBytes?: number
}

interface Entry<V> {
  readonly value: V
  readonly bytes: number
  readonly storedMs: number
}

export class ExactCache<V> {
  // A Map iterates in insertion order: taking an entry out and putting it in again makes it the youngest.
  readonly #entries = new Map<string, Entry<V>>()
  readonly #maxEntries: number
  readonly #maxBytes: number
  #bytes = 0

  constructor({ maxEntries = 2_000, maxBytes = 32 * 1_024 * 1_024 }: ExactCacheLimits = {}) {
    this.#maxEntries = maxEntries
    this.#maxBytes = maxBytes
  }

  get size(): number {
    return this.#entries.size
  }

  get bytes(): number {
    return this.#bytes
  }

  /** The answer and its age, ms, however old it is; the caller knows what is too old for it. */
  get(key: string, nowMs: number): { readonly value: V; readonly ageMs: number } | null {
    const entry = this.#entries.get(key)
    if (entry === undefined) return null
    this.#entries.delete(key)
    this.#entries.set(key, entry)
    return { value: entry.value, ageMs: Math.max(0, nowMs - entry.storedMs) }
  }

  /** Replaces what was there. A value larger than the whole cache is not kept. */
  put(key: string, { value, bytes, nowMs }: { value: V; bytes: number; nowMs: number }): void {
    this.delete(key)
    if (bytes > this.#maxBytes) return
    this.#entries.set(key, { value, bytes, storedMs: nowMs })
    this.#bytes += bytes
    for (const oldest of this.#entries.keys()) {
      if (this.#entries.size <= this.#maxEntries && this.#bytes <= this.#maxBytes) return
      this.delete(oldest)
    }
  }

  delete(key: string): void {
    const entry = this.#entries.get(key)
    if (entry === undefined) return
    this.#entries.delete(key)
    this.#bytes -= entry.bytes
  }
}
