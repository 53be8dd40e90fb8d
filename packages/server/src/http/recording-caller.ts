// A caller that passes everything on and remembers an answer that was given whole.

import type { Caller } from '../engine/ports.js'
import type { WholeAnswer } from './idempotency.js'

export class RecordingCaller implements Caller {
  /** The answer, once it has ended whole; null for streams and for callers that got nothing. */
  answer: WholeAnswer | null = null
  readonly #caller: Caller
  #head: { readonly status: number; readonly headers: Readonly<Record<string, string>> } | null = null
  #isStream = false

  constructor(caller: Caller) {
    this.#caller = caller
  }

  get gone(): boolean {
    return this.#caller.gone
  }

  get begun(): boolean {
    return this.#caller.begun
  }

  begin(status: number, headers: Readonly<Record<string, string>>): void {
    this.#head = { status, headers }
    this.#isStream = (headers['content-type'] ?? '').startsWith('text/event-stream')
    this.#caller.begin(status, headers)
  }

  write(chunk: Uint8Array | string): boolean {
    this.#isStream = true
    return this.#caller.write(chunk)
  }

  end(chunk?: Uint8Array | string): void {
    if (!this.#isStream && this.#head !== null && chunk !== undefined) {
      this.answer = { ...this.#head, body: Buffer.from(chunk) }
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
