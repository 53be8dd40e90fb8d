/** A map by two names. Nested, because joining the names would make a new string on every call. */
export class PairMap<Value> {
  readonly #outer = new Map<string, Map<string, Value>>()

  get(first: string, second: string): Value | undefined {
    return this.#outer.get(first)?.get(second)
  }

  getOrMake(first: string, second: string, make: () => Value): Value {
    let inner = this.#outer.get(first)
    if (inner === undefined) {
      inner = new Map()
      this.#outer.set(first, inner)
    }
    let value = inner.get(second)
    if (value === undefined) {
      value = make()
      inner.set(second, value)
    }
    return value
  }
}
