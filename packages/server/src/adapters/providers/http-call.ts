// One call over HTTP: undici's handler on one side, the listener of the port on the other. Whatever happens,
// the listener hears exactly one of onEnd and onFailure, and nothing after that or after an abort.

import type { Dispatcher } from 'undici'
import type {
  System,
  Timer,
  UpstreamCall,
  UpstreamFailure,
  UpstreamListener,
  UpstreamRequest,
} from '../../engine/ports.js'

export interface HttpCallOptions {
  readonly system: System
  readonly bodyBytesMax: number
  /** Named in failures; without user name and password. */
  readonly host: string
}

type Headers = Readonly<Record<string, string>>
type ParsedHeaders = Readonly<Record<string, string | string[] | undefined>>

const ABORTED = new Error('the call was aborted')

// Of the connection, or nobody's business: the engine reads the rest.
const DROPPED = new Set([
  'connection',
  'keep-alive',
  'transfer-encoding',
  'trailer',
  'set-cookie',
  'date',
  'server',
])

export class HttpCall implements UpstreamCall, Dispatcher.DispatchHandler {
  readonly #listener: UpstreamListener
  readonly #options: HttpCallOptions
  readonly #headTimeoutMs: number
  readonly #idleTimeoutMs: number
  readonly #streamAsked: boolean
  #controller: Dispatcher.DispatchController | null = null
  #sent = false
  #done = false
  #paused = false
  #headSeen = false
  #bytesLeft = Infinity
  #lastByteMs = 0
  #timer: Timer | null

  constructor(request: UpstreamRequest, listener: UpstreamListener, options: HttpCallOptions) {
    this.#listener = listener
    this.#options = options
    this.#idleTimeoutMs = request.idleTimeoutMs
    this.#streamAsked = request.stream
    // Covers the wait for a connection too: the task's deadline does not care what the time was spent on.
    this.#headTimeoutMs = request.headTimeoutMs
    this.#timer = options.system.after(request.headTimeoutMs, () => this.#onTimer())
  }

  /** `send` is about to return: from now on the listener may be called directly. */
  markSent(): void {
    this.#sent = true
  }

  abort(): void {
    if (this.#done) return
    this.#finish()
    this.#controller?.abort(ABORTED)
  }

  pause(): void {
    if (this.#done) return
    this.#paused = true
    this.#controller?.pause()
  }

  resume(): void {
    if (this.#done || !this.#paused) return
    this.#paused = false
    this.#lastByteMs = this.#options.system.nowMs()
    this.#controller?.resume()
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    // Aborted while it waited for a connection. Throwing takes it out of undici's queue without closing the
    // connection.
    if (this.#done) throw ABORTED
    this.#controller = controller
    if (this.#paused) controller.pause()
  }

  onResponseStart(_controller: Dispatcher.DispatchController, status: number, headers: ParsedHeaders): void {
    if (this.#done || status < 200) return
    this.#headSeen = true
    const ours = readHeaders(headers)
    const streamed = this.#streamAsked && ours['content-type']?.startsWith('text/event-stream') === true
    if (!streamed) this.#bytesLeft = this.#options.bodyBytesMax
    this.#lastByteMs = this.#options.system.nowMs()
    // The head's timer goes on as the watch over the body; only an impatient one has to be armed anew.
    if (this.#idleTimeoutMs < this.#headTimeoutMs) this.#watchSilence(this.#idleTimeoutMs)
    this.#listener.onHead(status, ours)
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Uint8Array): void {
    if (this.#done) return
    this.#bytesLeft -= chunk.byteLength
    if (this.#bytesLeft < 0) {
      this.#fail('too-large', `the answer is larger than ${this.#options.bodyBytesMax} bytes`)
      controller.abort(ABORTED)
      return
    }
    this.#lastByteMs = this.#options.system.nowMs()
    this.#listener.onData(chunk)
  }

  onResponseEnd(): void {
    if (this.#done) return
    this.#finish()
    this.#listener.onEnd()
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    this.#fail(this.#headSeen ? 'broken' : 'connection', `${codeOf(error)} (${this.#options.host})`)
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
    this.#controller?.abort(ABORTED)
  }

  #finish(): void {
    this.#done = true
    this.#timer?.cancel()
    this.#timer = null
  }

  #fail(failure: UpstreamFailure, detail: string): void {
    if (this.#done) return
    if (!this.#sent) {
      // undici reports what it finds wrong at once; the port promises never to call back before `send`
      // returned.
      queueMicrotask(() => this.#fail(failure, detail))
      return
    }
    this.#finish()
    this.#listener.onFailure(failure, detail)
  }
}

function readHeaders(headers: ParsedHeaders): Headers {
  const ours: Record<string, string> = {}
  for (const name in headers) {
    const value = headers[name]
    if (value === undefined || DROPPED.has(name)) continue
    ours[name] = typeof value === 'string' ? value : value.join(', ')
  }
  return ours
}

/** Only the code: messages may quote what was sent. */
function codeOf(error: Error): string {
  const code = 'code' in error ? error.code : undefined
  return typeof code === 'string' ? code : error.name
}
