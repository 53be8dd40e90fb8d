// Bytes that are the same for many spans, made once from a key and found again by it. What is made can
// depend on nothing but the key, so no span gets what belongs to another.

/** Kept at most. A value that differs in every call would fill any memory: it is emptied and fills anew. */
export const TEMPLATES_MAX = 512

export type TemplateValue = string | number | boolean | null

interface Branch {
  readonly next: Map<TemplateValue, Branch>
  template: Uint8Array | null
}

export class TemplateMemory<Key extends readonly TemplateValue[]> {
  readonly #make: (key: Key) => Uint8Array
  #root = branch()
  #size = 0

  constructor(make: (key: Key) => Uint8Array) {
    this.#make = make
  }

  /** Keys of one memory have the same length. */
  of(key: Key): Uint8Array {
    // Value by value: joining them to one text costs four times as much and leaves garbage.
    let at: Branch | undefined = this.#root
    for (let index = 0; index < key.length && at !== undefined; index += 1)
      at = at.next.get(key[index] ?? null)
    return at?.template ?? this.#keep(key)
  }

  #keep(key: Key): Uint8Array {
    if (this.#size >= TEMPLATES_MAX) {
      this.#root = branch()
      this.#size = 0
    }
    let at = this.#root
    for (const value of key) {
      const next = at.next.get(value) ?? branch()
      at.next.set(value, next)
      at = next
    }
    this.#size += 1
    return (at.template = this.#make(key))
  }
}

function branch(): Branch {
  return { next: new Map(), template: null }
}
