// Answers given before, for the exact cache and the `cached_answer` rung. Most are never asked for again, so
// the canonical key of one, dear to compute, is made when somebody first looks for anything.

import type { CacheKeyParts } from '../core/cache/cache-key.js'
import { cacheKeyText } from '../core/cache/cache-key.js'
import { ExactCache } from '../core/cache/exact-cache.js'

/** An answer as it can be given again: whole JSON, or the frames of a stream, in the caller's format. */
export interface CachedAnswer {
  readonly streamed: boolean
  readonly bytes: Uint8Array
  readonly model: string
  readonly deployment: string
}

export interface Remembered {
  readonly parts: Omit<CacheKeyParts, 'request'>
  /** The request as it came, JSON. */
  readonly request: Uint8Array
  readonly answer: CachedAnswer
  readonly atMs: number
}

/**
 * Answers without a key yet. Looking up makes all their keys at once: at ~10 us each a pause of 5 ms at most.
 */
const WAITING_MAX = 512

export class AnswerMemory {
  readonly #answers = new ExactCache<CachedAnswer>()
  readonly #waiting: Remembered[] = []
  readonly #sha256: (text: string) => string
  #oldest = 0

  constructor(sha256: (text: string) => string) {
    this.#sha256 = sha256
  }

  /** Takes the answer's bytes over; the request is copied, since it may be a slice of a larger buffer. */
  remember({ parts, request, answer, atMs }: Remembered): void {
    const copy = { parts, request: Buffer.from(request), answer, atMs }
    if (this.#waiting.length < WAITING_MAX) this.#waiting.push(copy)
    else {
      this.#waiting[this.#oldest] = copy
      this.#oldest = (this.#oldest + 1) % WAITING_MAX
    }
  }

  /** The answer to the same request, whatever its age; the caller knows what is too old for it. */
  find(parts: CacheKeyParts, nowMs: number): { readonly value: CachedAnswer; readonly ageMs: number } | null {
    this.#file()
    return this.#answers.get(this.#sha256(cacheKeyText(parts)), nowMs)
  }

  #file(): void {
    const waiting = [...this.#waiting.slice(this.#oldest), ...this.#waiting.slice(0, this.#oldest)]
    this.#waiting.length = 0
    this.#oldest = 0
    for (const { parts, request, answer, atMs } of waiting) {
      const key = this.#sha256(
        cacheKeyText({
          ...parts,
          request: JSON.parse(Buffer.from(request).toString()) as Record<string, unknown>,
        }),
      )
      this.#answers.put(key, { value: answer, bytes: answer.bytes.length, nowMs: atMs })
    }
  }
}
