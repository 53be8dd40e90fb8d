// One attempt whose answer is taken whole: nothing reaches the caller before the last byte is here and
// judged.

import type { AttemptWatch, WatchEnd } from './attempt-watch.js'
import type {
  Provider,
  System,
  Timer,
  UpstreamCall,
  UpstreamFailure,
  UpstreamListener,
  UpstreamRequest,
} from '../ports.js'

export type WholeAnswer =
  | {
      readonly kind: 'answered'
      readonly status: number
      readonly headers: Readonly<Record<string, string>>
      readonly body: Uint8Array
      readonly firstByteMs: number
      /** As of the listener's head. */
      readonly renewed: boolean
    }
  | {
      readonly kind: 'failed'
      readonly failure: UpstreamFailure | WatchEnd
      readonly detail: string
      readonly status: number
    }

export interface WholeAttempt {
  readonly provider: Provider
  readonly request: UpstreamRequest
  readonly system: System
  /** Time left for the whole answer, ms. */
  readonly leftMs: number
  /** Default null: nobody else could do better. */
  readonly watch?: AttemptWatch | null
}

export function collectWhole(attempt: WholeAttempt): Promise<WholeAnswer> {
  return new Promise((resolve, reject) => new Collector(attempt, { resolve, reject }).start())
}

interface Settlers {
  resolve(answer: WholeAnswer): void
  /** Of a fault of ours. */
  reject(fault: Error): void
}

const EMPTY = new Uint8Array(0)

/** One object instead of a closure per event: all of it lives as long as the provider is waited for. */
class Collector implements UpstreamListener {
  readonly #attempt: WholeAttempt
  readonly #settlers: Settlers
  readonly #startedMs: number
  readonly #chunks: Uint8Array[] = []
  #status = 0
  #headers: Readonly<Record<string, string>> = {}
  #firstByteMs = 0
  #renewed = false
  #isDone = false
  #timer: Timer | null = null

  constructor(attempt: WholeAttempt, settlers: Settlers) {
    this.#attempt = attempt
    this.#settlers = settlers
    this.#startedMs = attempt.system.nowMs()
  }

  start(): void {
    const { provider, request, system, leftMs, watch } = this.#attempt
    const call = provider.send(request, this)
    this.#timer = system.after(leftMs, () =>
      this.#stop(call, { end: 'timeout', detail: 'the time for this attempt was up' }),
    )
    watch?.start({
      stop: (end, detail) => this.#stop(call, { end, detail }),
      fail: (error) => this.#break(call, error),
    })
  }

  /** What was there before has been taken: it is not stopped any more. */
  #stop(
    call: UpstreamCall,
    why: { readonly end: WatchEnd | UpstreamFailure; readonly detail: string },
  ): void {
    if (this.#isDone) return
    const detail = this.#close(call) ? why.detail : `${why.detail}, and its connection could not be closed`
    this.#fail(why.end, detail)
  }

  #break(call: UpstreamCall, error: unknown): void {
    if (this.#isDone) return
    this.#isDone = true
    this.#close(call)
    this.#settlers.reject(error instanceof Error ? error : new Error(String(error)))
  }

  /** false: it could not be closed. */
  #close(call: UpstreamCall): boolean {
    this.#timer?.cancel()
    try {
      call.abort()
      return true
    } catch {
      return false
    }
  }

  onHead(status: number, headers: Readonly<Record<string, string>>, renewed = false): void {
    this.#status = status
    this.#renewed = renewed
    this.#headers = headers
    this.#firstByteMs = this.#attempt.system.nowMs() - this.#startedMs
    this.#attempt.watch?.heard()
  }

  onData(chunk: Uint8Array): void {
    this.#chunks.push(chunk)
  }

  onEnd(): void {
    this.#isDone = true
    this.#timer?.cancel()
    const chunks = this.#chunks
    this.#settlers.resolve({
      kind: 'answered',
      status: this.#status,
      headers: this.#headers,
      body: chunks.length === 1 ? (chunks[0] ?? EMPTY) : Buffer.concat(chunks),
      firstByteMs: this.#firstByteMs,
      renewed: this.#renewed,
    })
  }

  onFailure(failure: UpstreamFailure, detail: string): void {
    this.#timer?.cancel()
    this.#fail(failure, detail)
  }

  #fail(failure: UpstreamFailure | WatchEnd, detail: string): void {
    this.#isDone = true
    this.#settlers.resolve({ kind: 'failed', failure, detail, status: this.#status })
  }
}
