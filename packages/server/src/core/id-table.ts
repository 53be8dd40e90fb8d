// Values by id, for what is known only for a moment: a running task, a hold. A `Map` is made for what stays.
// V8 grows, shrinks and cleans a Map by making another table, and leaves in the old one a reference to the
// new. Once an old table has reached the old generation, it keeps every later table alive until the next full
// collection, and with them everything that was ever in one: measured, each collection of the young
// generation then carries all calls under way over to the old one. Here the tables hold only numbers; the
// values are in an array, whose places are used again.

export class IdTable<Id extends string, Value> {
  readonly #places = new Map<Id, number>()
  readonly #values: (Value | undefined)[] = []
  readonly #free: number[] = []

  get size(): number {
    return this.#places.size
  }

  has(id: Id): boolean {
    return this.#places.has(id)
  }

  get(id: Id): Value | undefined {
    const place = this.#places.get(id)
    return place === undefined ? undefined : this.#values[place]
  }

  set(id: Id, value: Value): void {
    const place = this.#places.get(id) ?? this.#free.pop() ?? this.#values.length
    this.#places.set(id, place)
    this.#values[place] = value
  }

  /** What was there; undefined when nothing was. */
  take(id: Id): Value | undefined {
    const place = this.#places.get(id)
    if (place === undefined) return undefined
    const value = this.#values[place]
    this.#places.delete(id)
    this.#values[place] = undefined
    this.#free.push(place)
    return value
  }

  /** Lets go of the one that came first. */
  dropOldest(): void {
    const [oldest] = this.#places.keys()
    if (oldest !== undefined) this.take(oldest)
  }

  /** In the order they came. Values may be taken meanwhile. */
  *values(): IterableIterator<Value> {
    for (const place of this.#places.values()) {
      const value = this.#values[place]
      if (value !== undefined) yield value
    }
  }
}
