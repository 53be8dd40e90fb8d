// One call over HTTP: a connection on one side, the listener of the port on the other. Whatever happens, the
// listener hears exactly one of onEnd and onFailure, and nothing after that or after an abort.

import type {
  System,
  Timer,
  UpstreamCall,
  UpstreamFailure,
  UpstreamListener,
  UpstreamRequest,
} from '../../engine/ports.js'
import { isEventStream } from '../../wire/event-stream-type.js'
import { CredentialError } from './auth/credential-error.js'
import type { Connection } from './http1/connection.js'
import type { PooledCall } from './http1/connection-pool.js'

export interface HttpCallOptions {
  readonly system: System
  readonly bodyBytesMax: number
  /** Named in failures; without user name and password. */
  readonly host: string
  /** Takes the call back before it was sent. */
  readonly withdraw: (call: PooledCall) => void
  /** Sees what the provider answered, before the listener does. */
  readonly onHead: (status: number, headers: Readonly<Record<string, string>>, provenMs: number) => boolean
}

/** What a call is bounded by, besides its bytes. */
export type CallRequest = Pick<UpstreamRequest, 'body' | 'stream' | 'headTimeoutMs' | 'idleTimeoutMs'>

export class HttpCall implements UpstreamCall, PooledCall {
  /** Request line and headers, with the blank line; written before it is given to a connection. */
  head = ''
  readonly body: Uint8Array
  readonly #listener: UpstreamListener
  readonly #options: HttpCallOptions
  readonly #headTimeoutMs: number
  readonly #idleTimeoutMs: number
  readonly #streamAsked: boolean
  /** When its credentials were taken, ms since 1970. */
  #provenMs = 0
  #connection: Connection | null = null
  #mayCallBack = false
  #done = false
  #paused = false
  #headSeen = false
  #bytesLeft = Infinity
  #lastByteMs = 0
  #timer: Timer | null

  constructor(request: CallRequest, listener: UpstreamListener, options: HttpCallOptions) {
    this.body = request.body
    this.#listener = listener
    this.#options = options
    this.#idleTimeoutMs = request.idleTimeoutMs
    this.#streamAsked = request.stream
    // Covers the wait for a connection too: the task's deadline does not care what the time was spent on.
    this.#headTimeoutMs = request.headTimeoutMs
    this.#timer = options.system.after(request.headTimeoutMs, () => this.#onTimer())
  }

  /** Its head is known, credentials included. */
  prove(head: string): void {
    this.head = head
    this.#provenMs = this.#options.system.nowMs()
  }

  /** `send` is about to return: from now on the listener may be called directly. */
  markSent(): void {
    this.#mayCallBack = true
  }

  get isDone(): boolean {
    return this.#done
  }

  /** It was not sent, because nothing says who sends it. */
  unproven(error: unknown): void {
    const isFinal = error instanceof CredentialError && error.isFinal
    const detail = error instanceof CredentialError ? error.message : 'the call could not be signed'
    this.#fail(isFinal ? 'credentials' : 'connection', `${detail} (${this.#options.host})`)
  }

  abort(): void {
    if (this.#done) return
    this.#finish()
    this.#leave()
  }

  pause(): void {
    if (this.#done) return
    this.#paused = true
    this.#connection?.pause()
  }

  resume(): void {
    if (this.#done || !this.#paused) return
    this.#paused = false
    this.#lastByteMs = this.#options.system.nowMs()
    this.#connection?.resume()
  }

  onSent(connection: Connection): void {
    this.#connection = connection
    if (this.#paused) connection.pause()
  }

  onHead(status: number, headers: Readonly<Record<string, string>>): void {
    if (this.#done) return
    this.#headSeen = true
    const renewed = this.#options.onHead(status, headers, this.#provenMs)
    const streamed = this.#streamAsked && isEventStream(headers['content-type'])
    if (!streamed) this.#bytesLeft = this.#options.bodyBytesMax
    this.#lastByteMs = this.#options.system.nowMs()
    // The head's timer goes on as the watch over the body; only an impatient one has to be armed anew.
    if (this.#idleTimeoutMs < this.#headTimeoutMs) this.#watchSilence(this.#idleTimeoutMs)
    this.#listener.onHead(status, headers, renewed)
  }

  onBody(bytes: Uint8Array): void {
    if (this.#done) return
    this.#bytesLeft -= bytes.byteLength
    if (this.#bytesLeft < 0) {
      this.#fail('too-large', `the answer is larger than ${this.#options.bodyBytesMax} bytes`)
      this.#leave()
      return
    }
    this.#lastByteMs = this.#options.system.nowMs()
    this.#listener.onData(bytes)
  }

  onEnd(): void {
    this.#connection = null
    if (!this.#done) this.#options.system.atEndOfTurn(this.#end)
  }

  onLost(code: string): void {
    this.#connection = null
    this.#fail(this.#headSeen ? 'broken' : 'connection', `${code} (${this.#options.host})`)
  }

  readonly #end = (): void => {
    if (this.#done) return
    this.#finish()
    this.#listener.onEnd()
  }

  /** The connection is in the middle of an answer nobody wants: it cannot be used again. */
  #leave(): void {
    if (this.#connection === null) this.#options.withdraw(this)
    else this.#connection.abandon()
    this.#connection = null
  }

  // One timer looks at the clock again and again: arming one per chunk would cost more than the chunk.
  #watchSilence(delayMs: number): void {
    this.#timer?.cancel()
    this.#timer = this.#options.system.after(delayMs, () => this.#onTimer())
  }

  #onTimer(): void {
    if (this.#done) return
    const silentMs = this.#paused ? 0 : this.#options.system.nowMs() - this.#lastByteMs
    if (this.#headSeen && silentMs < this.#idleTimeoutMs)
      return this.#watchSilence(this.#idleTimeoutMs - silentMs)
    const what = this.#headSeen
      ? `no data for ${this.#idleTimeoutMs} ms`
      : `no response head within ${this.#headTimeoutMs} ms`
    this.#fail('timeout', `${what} (${this.#options.host})`)
    this.#leave()
  }

  #finish(): void {
    this.#done = true
    this.#timer?.cancel()
    this.#timer = null
  }

  #fail(failure: UpstreamFailure, detail: string): void {
    if (this.#done) return
    if (!this.#mayCallBack) {
      queueMicrotask(() => this.#fail(failure, detail))
      return
    }
    this.#finish()
    this.#listener.onFailure(failure, detail)
  }
}
