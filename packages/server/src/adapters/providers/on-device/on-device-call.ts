// One call: what the listener of the port hears, with the timeouts a connection would have. Whatever happens,
// it hears exactly one of onEnd and onFailure, and nothing after that or after an abort.

import type {
  System,
  Timer,
  UpstreamCall,
  UpstreamFailure,
  UpstreamListener,
  UpstreamRequest,
} from '../../../engine/ports.js'
import { type Refusal, refusalBody } from './openai-error.js'

export class OnDeviceCall implements UpstreamCall {
  readonly #listener: UpstreamListener
  readonly #system: System
  readonly #limits: Pick<UpstreamRequest, 'headTimeoutMs' | 'idleTimeoutMs'>
  readonly #controller = new AbortController()
  #timer: Timer | null
  #lastProgressMs = 0
  #isHeadSent = false
  #isOver = false
  #isPaused = false
  #goOn: (() => void) | null = null

  constructor(request: UpstreamRequest, listener: UpstreamListener, system: System) {
    this.#listener = listener
    this.#system = system
    this.#limits = request
    // Covers the wait for a place and for the model to load, too.
    this.#timer = system.after(request.headTimeoutMs, () => this.#onTimer())
  }

  /** Whoever works for this call stops when it is aborted. */
  get signal(): AbortSignal {
    return this.#controller.signal
  }

  get isHeadSent(): boolean {
    return this.#isHeadSent
  }

  abort(): void {
    if (!this.#isOver) this.#finish()
  }

  pause(): void {
    if (!this.#isOver) this.#isPaused = true
  }

  resume(): void {
    if (this.#isOver || !this.#isPaused) return
    this.#isPaused = false
    this.#lastProgressMs = this.#system.nowMs()
    this.#wake()
  }

  /** null: go on. Else resolves when the reader wants more, or nothing any more. */
  whenWanted(): Promise<void> | null {
    if (!this.#isPaused || this.#isOver) return null
    return new Promise((resolve) => {
      this.#goOn = resolve
    })
  }

  /** Something was generated, even if nothing can be sent of it yet. */
  progress(): void {
    this.#lastProgressMs = this.#system.nowMs()
  }

  head(status: number, headers: Readonly<Record<string, string>>): void {
    if (this.#isOver) return
    this.#isHeadSent = true
    this.progress()
    this.#watch(this.#limits.idleTimeoutMs)
    this.#listener.onHead(status, headers)
  }

  data(text: string): void {
    if (!this.#isOver && text !== '') this.#listener.onData(Buffer.from(text, 'utf8'))
  }

  end(): void {
    if (this.#isOver) return
    this.#finish()
    this.#listener.onEnd()
  }

  fail(failure: UpstreamFailure, detail: string): void {
    if (this.#isOver) return
    this.#finish()
    this.#listener.onFailure(failure, detail)
  }

  /** The whole answer, when nothing was sent before. */
  refuse(refusal: Refusal): void {
    this.head(refusal.status, { 'content-type': 'application/json', ...refusal.headers })
    this.data(refusalBody(refusal))
    this.end()
  }

  #watch(delayMs: number): void {
    this.#timer?.cancel()
    this.#timer = this.#system.after(delayMs, () => this.#onTimer())
  }

  #onTimer(): void {
    if (this.#isOver) return
    const { headTimeoutMs, idleTimeoutMs } = this.#limits
    // A reader who is paused is not being kept waiting.
    const silentMs = this.#isPaused ? 0 : this.#system.nowMs() - this.#lastProgressMs
    if (this.#isHeadSent && silentMs < idleTimeoutMs) return this.#watch(idleTimeoutMs - silentMs)
    const what = this.#isHeadSent
      ? `no token for ${idleTimeoutMs} ms`
      : `no token within ${headTimeoutMs} ms of the call`
    this.fail('timeout', `${what} (on device)`)
  }

  #finish(): void {
    this.#isOver = true
    this.#timer?.cancel()
    this.#timer = null
    this.#controller.abort()
    this.#wake()
  }

  #wake(): void {
    this.#goOn?.()
    this.#goOn = null
  }
}
