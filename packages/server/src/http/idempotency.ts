// `idempotency-key`: a repeated request of one tenant gets the first one's answer and is not paid for twice. The
// memory is this process's, bounded, and only for whole answers; a stream is never repeated from it.

import type { Caller, System } from '../engine/ports.js'
import type { ModelCall } from '../engine/step-context.js'
import { type Refusal, refused } from '../engine/refusal.js'

/** As long as the standard's best-known user keeps them. */
const KEPT_MS = 24 * 3_600_000
const KEPT_MAX = 5_000
const BODY_BYTES_MAX = 256 * 1024

interface Seen {
  readonly hash: string
  readonly atMs: number
  /** null: still running, or not repeatable. */
  answer: { readonly status: number; readonly headers: Readonly<Record<string, string>>; readonly body: Uint8Array } | null
}

export interface IdempotencyDeps {
  readonly system: System
  run(call: ModelCall, caller: Caller): Promise<void>
  refuse(call: ModelCall, caller: Caller, refusal: Refusal): void
}

export class Idempotency {
  readonly #seen = new Map<string, Seen>()
  readonly #deps: IdempotencyDeps

  constructor(deps: IdempotencyDeps) {
    this.#deps = deps
  }

  async once(
    id: { readonly tenant: string; readonly key: string; readonly body: Uint8Array },
    call: ModelCall,
    caller: Caller,
  ): Promise<void> {
    const { system, run, refuse } = this.#deps
    const name = `${id.tenant}\n${id.key}`
    const hash = system.sha256(id.body)
    const before = this.#find(name)
    if (before === undefined) {
      const seen: Seen = { hash, atMs: system.nowMs(), answer: null }
      this.#keep(name, seen)
      await run(call, new RecordingCaller(caller, seen))
      if (seen.answer === null || seen.answer.status >= 500) this.#seen.delete(name)
      return
    }
    if (before.hash !== hash) {
      return refuse(call, caller, refused('request.conflict', 'This idempotency key was used for another request.'))
    }
    if (before.answer === null) {
      return refuse(call, caller, refused('request.conflict', 'The first request with this idempotency key still runs.'))
    }
    caller.begin(before.answer.status, { ...before.answer.headers, 'idempotent-replayed': 'true' })
    caller.end(before.answer.body)
  }

  #find(name: string): Seen | undefined {
    const seen = this.#seen.get(name)
    if (seen === undefined || this.#deps.system.nowMs() - seen.atMs < KEPT_MS) return seen
    this.#seen.delete(name)
    return undefined
  }

  #keep(name: string, seen: Seen): void {
    if (this.#seen.size >= KEPT_MAX) {
      const [oldest] = this.#seen.keys()
      if (oldest !== undefined) this.#seen.delete(oldest)
    }
    this.#seen.set(name, seen)
  }
}

/** Passes everything on and remembers a whole answer. */
class RecordingCaller implements Caller {
  readonly #caller: Caller
  readonly #seen: Seen
  #head: { status: number; headers: Readonly<Record<string, string>> } | null = null
  #wrote = false

  constructor(caller: Caller, seen: Seen) {
    this.#caller = caller
    this.#seen = seen
  }

  get gone(): boolean {
    return this.#caller.gone
  }

  get begun(): boolean {
    return this.#caller.begun
  }

  begin(status: number, headers: Readonly<Record<string, string>>): void {
    this.#head = { status, headers }
    this.#caller.begin(status, headers)
  }

  write(chunk: Uint8Array | string): boolean {
    this.#wrote = true
    return this.#caller.write(chunk)
  }

  end(chunk?: Uint8Array | string): void {
    if (!this.#wrote && this.#head !== null && chunk !== undefined && chunk.length <= BODY_BYTES_MAX) {
      const body = typeof chunk === 'string' ? Buffer.from(chunk) : chunk
      this.#seen.answer = { ...this.#head, body }
    }
    this.#caller.end(chunk)
  }

  onDrain(run: () => void): void {
    this.#caller.onDrain(run)
  }

  onGone(run: () => void): void {
    this.#caller.onGone(run)
  }
}
