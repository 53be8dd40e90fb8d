// A binary heap whose members can be moved and taken out from the middle: each has a node that knows its
// place. Every operation is O(log n).

export interface HeapNode<T> {
  readonly item: T
  /** In the heap; -1: no longer. */
  place: number
}

export class Heap<T> {
  readonly #nodes: HeapNode<T>[] = []
  readonly #isBefore: (a: T, b: T) => boolean

  constructor(isBefore: (a: T, b: T) => boolean) {
    this.#isBefore = isBefore
  }

  get size(): number {
    return this.#nodes.length
  }

  peek(): T | undefined {
    return this.#nodes[0]?.item
  }

  push(item: T): HeapNode<T> {
    const node = { item, place: this.#nodes.length }
    this.#nodes.push(node)
    this.#rise(node)
    return node
  }

  /** Takes a member out; one that has left changes nothing. */
  remove(node: HeapNode<T>): void {
    if (this.#nodes[node.place] !== node) return
    const last = this.#nodes.pop()
    if (last !== undefined && last !== node) {
      last.place = node.place
      this.#nodes[last.place] = last
      this.moved(last)
    }
    node.place = -1
  }

  /** What the member is ordered by has changed. */
  moved(node: HeapNode<T>): void {
    if (this.#nodes[node.place] !== node) return
    this.#rise(node)
    this.#sink(node)
  }

  #rise(node: HeapNode<T>): void {
    while (node.place > 0) {
      const above = this.#nodes[(node.place - 1) >> 1]
      if (above === undefined || !this.#isBefore(node.item, above.item)) return
      this.#swap(node, above)
    }
  }

  #sink(node: HeapNode<T>): void {
    for (;;) {
      const left = this.#nodes[node.place * 2 + 1]
      const right = this.#nodes[node.place * 2 + 2]
      if (left === undefined) return
      const below = right !== undefined && this.#isBefore(right.item, left.item) ? right : left
      if (!this.#isBefore(below.item, node.item)) return
      this.#swap(node, below)
    }
  }

  #swap(a: HeapNode<T>, b: HeapNode<T>): void {
    const place = a.place
    a.place = b.place
    b.place = place
    this.#nodes[a.place] = a
    this.#nodes[b.place] = b
  }
}
