// What a model server remembers of prompts: blocks of tokens, the least recently used forgotten first. A
// prompt's cached part is its longest run of known blocks from the start.

/** Tokens of a block. */
export const BLOCK_TOKENS = 16

export class PrefixCache {
  readonly #blocks = new Set<string>()
  readonly #blocksMax: number

  constructor(blocksMax: number) {
    this.#blocksMax = blocksMax
  }

  /** Tokens of the prompt that were known. All its blocks are, afterwards. */
  use(blocks: readonly string[]): number {
    let known = 0
    while (known < blocks.length && this.#blocks.has(blocks[known] ?? '')) known += 1
    // The end first: a block is worthless without those before it, so the start is the last to be forgotten.
    for (const block of blocks.toReversed()) {
      this.#blocks.delete(block)
      this.#blocks.add(block)
    }
    this.#forget()
    return known * BLOCK_TOKENS
  }

  #forget(): void {
    for (const oldest of this.#blocks) {
      if (this.#blocks.size <= this.#blocksMax) return
      this.#blocks.delete(oldest)
    }
  }
}
