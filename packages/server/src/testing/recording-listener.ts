// Hears what a provider says and keeps it, in order.

import type { UpstreamFailure, UpstreamListener, UpstreamRequest } from '../engine/ports.js'

export class RecordingListener implements UpstreamListener {
  readonly calls: string[] = []
  status: number | null = null
  headers: Readonly<Record<string, string>> = {}
  /** How it ended, or null: `end`, or `failure: detail`. */
  ending: string | null = null
  /** Resolves when it has ended. */
  readonly done: Promise<void>
  readonly #onChunk: (chunk: Uint8Array) => void
  readonly #chunks: Uint8Array[] = []
  #waiting: (() => void)[] = []
  #settle: () => void = () => {}

  constructor(onChunk: (chunk: Uint8Array) => void = () => {}) {
    this.#onChunk = onChunk
    this.done = new Promise((resolve) => {
      this.#settle = resolve
    })
  }

  /** The body so far, as text. */
  get body(): string {
    return Buffer.concat(this.#chunks).toString('utf8')
  }

  get bodyBytes(): number {
    return this.#chunks.reduce((sum, chunk) => sum + chunk.byteLength, 0)
  }

  /** Resolves with the next chunk. */
  nextChunk(): Promise<void> {
    return new Promise((resolve) => this.#waiting.push(resolve))
  }

  onHead(status: number, headers: Readonly<Record<string, string>>): void {
    this.calls.push('head')
    this.status = status
    this.headers = headers
  }

  onData(chunk: Uint8Array): void {
    this.calls.push('data')
    this.#chunks.push(Uint8Array.from(chunk))
    const woken = this.#waiting
    this.#waiting = []
    for (const wake of woken) wake()
    this.#onChunk(chunk)
  }

  onEnd(): void {
    this.calls.push('end')
    this.ending = 'end'
    this.#settle()
  }

  onFailure(failure: UpstreamFailure, detail: string): void {
    this.calls.push('failure')
    this.ending = `${failure}: ${detail}`
    this.#settle()
  }
}

/** A chat request with nothing special about it. */
export function upstreamRequest(body: unknown, more: Partial<UpstreamRequest> = {}): UpstreamRequest {
  return {
    wire: 'openai-chat',
    model: 'gpt-4o-mini',
    body: Buffer.from(typeof body === 'string' ? body : JSON.stringify(body)),
    stream: false,
    headers: {},
    headTimeoutMs: 20_000,
    idleTimeoutMs: 20_000,
    ...more,
  }
}
