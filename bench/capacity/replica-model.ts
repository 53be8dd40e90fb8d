// A replica as a batching server is: prompts are computed one after the other, answers are generated
// together, and blocks of prompts stay until the room is needed, the longest unused first.

import { BLOCK_TOKENS, type TracedRequest } from './mooncake-trace.js'

export interface Speeds {
  readonly prefillMsPerToken: number
  /** Time per token = base + perRunning * answers generated at the same time, ms. */
  readonly baseTokenMs: number
  readonly perRunningMs: number
}

export interface Served {
  readonly hitBlocks: number
  readonly firstTokenMs: number
  readonly endMs: number
  /** Of computing, ms: what the load of a replica is. */
  readonly workMs: number
}

export class ReplicaModel {
  readonly #speeds: Speeds
  readonly #roomBlocks: number
  readonly #cached = new Map<number, true>()
  #busyUntilMs = 0
  #ends: number[] = []

  constructor(speeds: Speeds, roomBlocks: number) {
    this.#speeds = speeds
    this.#roomBlocks = roomBlocks
  }

  serve(request: TracedRequest): Served {
    const hitBlocks = this.#hits(request.blocks)
    this.#keep(request.blocks)
    const { prefillMsPerToken, baseTokenMs, perRunningMs } = this.#speeds
    const uncached = Math.max(0, request.inputTokens - hitBlocks * BLOCK_TOKENS)
    const prefillMs = uncached * prefillMsPerToken
    this.#busyUntilMs = Math.max(this.#busyUntilMs, request.atMs) + prefillMs
    this.#ends = this.#ends.filter((endMs) => endMs > this.#busyUntilMs)
    const tokenMs = baseTokenMs + perRunningMs * this.#ends.length
    const endMs = this.#busyUntilMs + request.outputTokens * tokenMs
    this.#ends.push(endMs)
    const workMs = prefillMs + request.outputTokens * perRunningMs
    return { hitBlocks, firstTokenMs: this.#busyUntilMs - request.atMs, endMs, workMs }
  }

  #hits(blocks: readonly number[]): number {
    const miss = blocks.findIndex((block) => !this.#cached.has(block))
    return miss === -1 ? blocks.length : miss
  }

  /** The end of a prompt goes before its beginning. */
  #keep(blocks: readonly number[]): void {
    for (let at = blocks.length - 1; at >= 0; at -= 1) {
      const block = blocks[at] as number
      this.#cached.delete(block)
      this.#cached.set(block, true)
    }
    for (const oldest of this.#cached.keys()) {
      if (this.#cached.size <= this.#roomBlocks) return
      this.#cached.delete(oldest)
    }
  }
}
