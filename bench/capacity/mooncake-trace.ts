// A recorded day of conversations (Mooncake, FAST'25): when prompts came, how long they were, and how many
// of their blocks of 512 tokens had been seen before. The file is not part of the project. It says how many
// blocks a prompt shares and not with which, so that is reconstructed: with an earlier prompt that is
// exactly that long, for in a conversation the next prompt begins with the whole of the last.

import { readFileSync } from 'node:fs'

export const BLOCK_TOKENS = 512

export interface TracedRequest {
  readonly atMs: number
  readonly inputTokens: number
  readonly outputTokens: number
  /** Ids of its blocks, in order: equal ids are equal beginnings. */
  readonly blocks: readonly number[]
  /** Blocks that an unlimited cache of everything so far would have. */
  readonly seenBlocks: number
}

/** Which of several earlier prompts of the right length a conversation goes on from. */
export type Parent = 'latest' | 'earliest'

const COLUMNS = 'arrival_ms,input_tokens,output_tokens,first_block,inf_cache_hit_blocks'

export function readTrace(file: string, parent: Parent): readonly TracedRequest[] {
  const [head, ...lines] = readFileSync(file, 'utf8').trim().split('\n')
  if (head !== COLUMNS) throw new Error(`${file}: the first line is not '${COLUMNS}'`)
  const chains = new Chains(parent)
  return lines.map((line, index) => {
    const numbers = line.split(',').map(Number)
    const [atMs, inputTokens, outputTokens, , seenBlocks] = numbers
    if (numbers.length !== 5 || numbers.some((value) => !Number.isInteger(value) || value < 0)) {
      throw new Error(`${file}:${index + 2}: not five whole numbers`)
    }
    const sizes = { inputTokens: inputTokens as number, seenBlocks: seenBlocks as number }
    const blocks = chains.next(sizes)
    return { atMs: atMs as number, outputTokens: outputTokens as number, ...sizes, blocks }
  })
}

class Chains {
  readonly #parent: Parent
  /** Prompts without a continuation yet, by their full blocks. */
  readonly #open = new Map<number, (readonly number[])[]>()
  readonly #all: (readonly number[])[] = []
  #ids = 0

  constructor(parent: Parent) {
    this.#parent = parent
  }

  next({ inputTokens, seenBlocks }: Pick<TracedRequest, 'inputTokens' | 'seenBlocks'>): readonly number[] {
    const shared = seenBlocks === 0 ? [] : this.#from(seenBlocks).slice(0, seenBlocks)
    const count = Math.ceil(inputTokens / BLOCK_TOKENS)
    const blocks = [...shared]
    while (blocks.length < count) blocks.push(this.#ids++)
    const full = Math.floor(inputTokens / BLOCK_TOKENS)
    const open = this.#open.get(full) ?? []
    open.push(blocks)
    this.#open.set(full, open)
    this.#all.push(blocks)
    return blocks
  }

  #from(seenBlocks: number): readonly number[] {
    const open = seenBlocks > 1 ? this.#open.get(seenBlocks) : undefined
    const exact = this.#parent === 'latest' ? open?.pop() : open?.shift()
    const any = exact ?? this.#all.find((blocks) => blocks.length >= seenBlocks)
    if (any === undefined) throw new Error(`no earlier prompt has ${seenBlocks} blocks`)
    return any
  }
}
