/** A map by two names. Nested, because joining the names would make a new string on every call. */
export class PairMap<Value> {
  readonly #outer = new Map<string, Map<string, Value>>()

  get(first: string, second: string): Value | undefined {
    return this.#outer.get(first)?.get(second)
  }

  set(first: string, second: string, value: Value): void {
    const inner = this.#outer.get(first) ?? new Map<string, Value>()
    this.#outer.set(first, inner.set(second, value))
  }
}
