// `idempotency-key`: a repeated request of one tenant gets the first one's answer and is not paid for twice.
// The memory is this process's, bounded, and only for whole answers; a stream is never repeated from it.

import type { System } from '../engine/ports.js'
import { type Refusal, refused } from '../engine/refusal.js'

/** As long as the header's best-known users keep them. */
const KEPT_MS = 24 * 3_600_000
const KEPT_MAX = 5_000
const ANSWER_BYTES_MAX = 256 * 1024

export interface WholeAnswer {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: Uint8Array
}

export interface IdempotentRequest {
  readonly tenant: string
  /** Method and path: one key may serve different routes. */
  readonly route: string
  readonly key: string
  readonly body: Uint8Array | string
}

export type Turn =
  /** Nobody came before: serve it, then say how it ended. null: nothing that can be given again. */
  | { readonly kind: 'first'; end(answer: WholeAnswer | null): void }
  | { readonly kind: 'again'; readonly answer: WholeAnswer }
  | Refusal

interface Seen {
  readonly hash: string
  readonly atMs: number
  answer: WholeAnswer | null
}

export class Idempotency {
  readonly #seen = new Map<string, Seen>()
  readonly #system: System

  constructor(system: System) {
    this.#system = system
  }

  take(request: IdempotentRequest): Turn {
    const name = [request.tenant, request.route, request.key].join('\n')
    const hash = this.#system.sha256(request.body)
    const before = this.#find(name)
    if (before === undefined) return this.#begin(name, hash)
    if (before.hash !== hash) {
      return refused('request.conflict', 'This idempotency key was used for another request.')
    }
    if (before.answer === null) {
      return refused('request.conflict', 'The first request with this idempotency key still runs.')
    }
    return { kind: 'again', answer: before.answer }
  }

  #begin(name: string, hash: string): Turn {
    const seen: Seen = { hash, atMs: this.#system.nowMs(), answer: null }
    this.#makeRoom()
    this.#seen.set(name, seen)
    return {
      kind: 'first',
      end: (answer) => {
        // A fault of ours or of a provider may pass: the next try is served anew.
        const isKept = answer !== null && answer.status < 500 && answer.body.length <= ANSWER_BYTES_MAX
        if (isKept) seen.answer = answer
        else this.#seen.delete(name)
      },
    }
  }

  #find(name: string): Seen | undefined {
    const seen = this.#seen.get(name)
    if (seen === undefined || this.#system.nowMs() - seen.atMs < KEPT_MS) return seen
    this.#seen.delete(name)
    return undefined
  }

  #makeRoom(): void {
    if (this.#seen.size < KEPT_MAX) return
    const [oldest] = this.#seen.keys()
    if (oldest !== undefined) this.#seen.delete(oldest)
  }
}
