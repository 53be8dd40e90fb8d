// Answers given before, for the exact cache and the `cached_answer` rung. Most are never asked for again, so
// the canonical key of one, dear to compute, is made when somebody first looks for anything.

import { type CacheKeyParts, cacheKeyText } from '../core/cache/cache-key.js'
import { ExactCache } from '../core/cache/exact-cache.js'
import { AnswerRing, type CachedAnswer, type Remembered } from './answer-ring.js'

/**
 * Answers without a key yet. Looking up makes all their keys at once: at ~10 us each a pause of 5 ms at most.
 */
const WAITING_MAX = 512
const WAITING_BYTES_MAX = 4 * 1024 * 1024

export class AnswerMemory {
  readonly #answers = new ExactCache<CachedAnswer>()
  readonly #waiting = new AnswerRing({ slots: WAITING_MAX, bytes: WAITING_BYTES_MAX })
  readonly #sha256: (text: string) => string

  constructor(sha256: (text: string) => string) {
    this.#sha256 = sha256
  }

  /** Copies what it is given. */
  remember(entry: Remembered): void {
    this.#waiting.push(entry)
  }

  /** The answer to the same request, whatever its age; the caller knows what is too old for it. */
  find(parts: CacheKeyParts, nowMs: number): { readonly value: CachedAnswer; readonly ageMs: number } | null {
    for (const entry of this.#waiting.drain()) this.#file(entry)
    return this.#answers.get(this.#sha256(cacheKeyText(parts)), nowMs)
  }

  #file({ parts, request, answer, atMs }: Remembered): void {
    const asked = JSON.parse(Buffer.from(request).toString()) as Record<string, unknown>
    const key = this.#sha256(cacheKeyText({ ...parts, request: asked }))
    this.#answers.put(key, { value: answer, bytes: answer.bytes.length, nowMs: atMs })
  }
}
