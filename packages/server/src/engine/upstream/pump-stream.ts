// One attempt whose answer is streamed. Before the first frame reaches the caller (the commit) it may still
// fail over to another attempt; afterwards it can only go on, be cut where a limit is, or end with an error
// in band.

import { isEventStream } from '../../wire/event-stream-type.js'
import type { StreamFacts, StreamScanner } from '../../wire/format.js'
import { inBandEnd } from '../../wire/in-band-error.js'
import type { AttemptWatch, WatchEnd } from './attempt-watch.js'
import { ByteLog } from './byte-log.js'
import type { Caller, Provider, System, UpstreamCall, UpstreamFailure, UpstreamRequest } from '../ports.js'

/**
 * Frames held back for judging or kept for the cache, bytes. A longer answer is passed on, not remembered.
 */
export const HELD_BYTES_MAX = 8 * 1024 * 1024

/** Frames that come before the first token and wait for it, bytes: more are passed on. */
const EARLY_BYTES_MAX = 64 * 1024

/** Frames may carry less than a token now and then (a signature, an empty delta). */
const DELTAS_SLACK = 4

/** How a stream ended. */
export type StreamEnd =
  | { readonly kind: 'complete' }
  /** A limit of the task was reached: output tokens, or the deadline. */
  | { readonly kind: 'cut'; readonly by: 'outputTokens' | 'deadline' }
  | { readonly kind: 'caller-left' }
  | { readonly kind: 'failed'; readonly end: string; readonly detail: string }
  /** Not a stream at all: an error answer, or a page. */
  | { readonly kind: 'not-a-stream'; readonly body: Uint8Array }

export interface PumpedStream {
  readonly end: StreamEnd
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly facts: StreamFacts
  readonly firstByteMs: number | null
  /** Until the first generated token; null: none came. */
  readonly firstTokenMs: number | null
  /** As of the listener's head. */
  readonly renewed: boolean
  /** The caller has seen the first byte: no other attempt may follow. */
  readonly committed: boolean
  /** Frames for the caller that were held back (all of them, or none when committed). */
  readonly held: Uint8Array
  /** Everything passed on, while small enough to remember. */
  readonly kept: Uint8Array | null
  /** Something of ours threw: the attempt is settled, then this is thrown on. */
  readonly fault: { readonly error: unknown } | null
}

export interface StreamAttempt {
  readonly provider: Provider
  readonly request: UpstreamRequest
  readonly system: System
  readonly scanner: StreamScanner
  readonly caller: Caller
  readonly leftMs: number
  /** Generated frames after which the stream is cut: the tokens that were held for it. */
  readonly outputTokensMax: number
  /** true: hold every frame back until the answer is judged. */
  readonly holdBack: boolean
  /** true: keep the frames for the cache or the judge. */
  readonly keep: boolean
  /** Default null: nobody else could do better. */
  readonly watch?: AttemptWatch | null
  /** Sends the response head; called at the commit. */
  begin(): void
  /** Generated frames have come. The time is that of the first, ms. */
  generated(frames: number, firstMs: number): void
}

export function pumpStream(attempt: StreamAttempt): Promise<PumpedStream> {
  return new Promise((resolve) => new Pump(attempt, resolve).start())
}

const NOTHING_HELD = new Uint8Array(0)

class Pump {
  readonly #attempt: StreamAttempt
  readonly #resolve: (stream: PumpedStream) => void
  readonly #startedMs: number
  #call: UpstreamCall | null = null
  #status = 0
  #headers: Readonly<Record<string, string>> = {}
  #firstByteMs: number | null = null
  #firstTokenMs: number | null = null
  /** Generated frames that were told of. */
  #deltas = 0
  #renewed = false
  #committed = false
  #done = false
  /** Frames passed on or held back; null when they are not wanted, or have become too many. */
  #log: ByteLog | null
  #plain: Uint8Array[] | null = null
  /** Frames before the first token, while a copy or another attempt may still take over. */
  #early: ByteLog | null
  /** Until it has shown that it has begun. */
  #waiting: AttemptWatch | null
  #timer: { cancel(): void } = { cancel() {} }
  #fault: PumpedStream['fault'] = null

  constructor(attempt: StreamAttempt, resolve: (stream: PumpedStream) => void) {
    this.#attempt = attempt
    this.#resolve = resolve
    this.#startedMs = attempt.system.nowMs()
    this.#log = attempt.keep || attempt.holdBack ? new ByteLog() : null
    this.#waiting = attempt.watch ?? null
    this.#early = attempt.watch?.keepsEarly === true && !attempt.holdBack ? new ByteLog() : null
  }

  start(): void {
    const { system, caller, provider, request, leftMs } = this.#attempt
    this.#timer = system.after(leftMs, () => this.#stop({ kind: 'cut', by: 'deadline' }))
    this.#guard(() => {
      caller.onGone(() => this.#stop({ kind: 'caller-left' }))
      this.#call = provider.send(request, {
        onHead: (...head) => this.#onHead(...head),
        onData: (chunk) => this.#guardedData(chunk),
        onEnd: () => this.#guard(() => this.#onEnd()),
        onFailure: (failure, detail) =>
          this.#finish({ kind: 'failed', end: endOf(failure, this.#status), detail }),
      })
      this.#attempt.watch?.start({
        stop: (end, detail) => this.#stop({ kind: 'failed', end, detail }),
        fail: (error) => this.#fail(error),
        open: () => this.#open(),
      })
    })
  }

  /**
   * What throws in a provider's callback would be the provider's to catch: it ends the stream here instead.
   */
  #guard(run: () => void): void {
    try {
      run()
    } catch (error) {
      this.#fail(error)
    }
  }

  #fail(error: unknown): void {
    this.#fault = { error }
    this.#stop({ kind: 'failed', end: 'fault', detail: 'a fault of ours' })
  }

  /** `#guard` without a closure: this runs for every chunk. */
  #guardedData(chunk: Uint8Array): void {
    try {
      this.#onData(chunk)
    } catch (error) {
      this.#fail(error)
    }
  }

  #onHead(status: number, headers: Readonly<Record<string, string>>, renewed = false): void {
    this.#status = status
    this.#renewed = renewed
    this.#headers = headers
    this.#firstByteMs = this.#attempt.system.nowMs() - this.#startedMs
    const isStream = status === 200 && isEventStream(headers['content-type'])
    if (!isStream) this.#plain = []
  }

  #onData(chunk: Uint8Array): void {
    if (this.#done) return
    if (this.#plain !== null) {
      this.#plain.push(chunk)
      return
    }
    const { scanner, outputTokensMax } = this.#attempt
    const frames = scanner.push(chunk)
    const { facts } = scanner
    if (facts.deltas > this.#deltas) this.#generated(facts.deltas)
    const isBroken = facts.malformed || facts.error !== null
    if (this.#waiting !== null && !isBroken && (facts.deltas > 0 || facts.ended)) this.#begun()
    // What came whole before the error is the caller's; but nothing is begun that is known to be broken.
    if (frames !== null && (!isBroken || this.#committed)) this.#pass(frames)
    if (isBroken) return this.#broken(facts)
    if (facts.ended) return this.#finish({ kind: 'complete' })
    if (facts.deltas > outputTokensMax + DELTAS_SLACK) this.#stop({ kind: 'cut', by: 'outputTokens' })
  }

  /** The clock is read for the first only: this runs for every chunk. */
  #generated(deltas: number): void {
    const attempt = this.#attempt
    this.#firstTokenMs ??= attempt.system.nowMs() - this.#startedMs
    attempt.generated(deltas - this.#deltas, this.#startedMs + this.#firstTokenMs)
    this.#deltas = deltas
  }

  #broken(facts: StreamFacts): void {
    const { error } = facts
    const detail = error?.message ?? 'the stream is not in the format it claims'
    const end = error === null ? 'invalid_body' : (inBandEnd(error) ?? 'stream_error')
    this.#stop({ kind: 'failed', end, detail })
  }

  /** It wins: another that had been first would have stopped it at that instant. */
  #begun(): void {
    const watch = this.#waiting
    const early = this.#early
    this.#waiting = null
    this.#early = null
    if (watch?.win() !== true) return
    if (this.#attempt.holdBack) watch.follow(() => this.#attempt.scanner.facts.deltas)
    if (early !== null && early.length > 0) this.#pass(early.bytes())
  }

  #open(): void {
    if (!this.#done && this.#early !== null && this.#early.length > 0) this.#begun()
  }

  #pass(frames: Uint8Array): void {
    if (this.#early === null) return this.#passOn(frames)
    this.#early.push(frames)
    if (this.#early.length > EARLY_BYTES_MAX) this.#begun()
  }

  #passOn(frames: Uint8Array): void {
    const { caller, holdBack } = this.#attempt
    const log = this.#log
    if (log !== null && log.length + frames.length <= HELD_BYTES_MAX) {
      log.push(frames)
      if (holdBack && !this.#committed) return
    } else {
      this.#log = null
    }
    if (!this.#committed) this.#commit(holdBack ? log : null)
    if (!caller.write(frames)) {
      this.#call?.pause()
      caller.onDrain(() => this.#guard(() => this.#call?.resume()))
    }
  }

  #commit(held: ByteLog | null): void {
    if (this.#waiting !== null) this.#begun()
    this.#attempt.watch?.heard()
    this.#committed = true
    this.#attempt.begin()
    if (held !== null && held.length > 0) this.#attempt.caller.write(held.bytes())
  }

  #onEnd(): void {
    if (this.#plain !== null) return this.#finish({ kind: 'not-a-stream', body: Buffer.concat(this.#plain) })
    const { scanner } = this.#attempt
    scanner.endOfBody?.()
    const { ended, error } = scanner.facts
    if (error !== null) return this.#broken(scanner.facts)
    if (ended && this.#waiting !== null) this.#begun()
    const broken = {
      kind: 'failed',
      end: 'broken_stream',
      detail: 'the stream ended without its end marker',
    } as const
    this.#finish(ended ? { kind: 'complete' } : broken)
  }

  /** Ends from our side: the connection to the provider is closed first. */
  #stop(end: StreamEnd): void {
    if (this.#done) return
    try {
      this.#call?.abort()
    } catch (error) {
      // When another copy has won, its answer is good all the same.
      if (this.#attempt.watch?.hasLost !== true) this.#fault ??= { error }
    }
    this.#finish(end)
  }

  #finish(end: StreamEnd): void {
    if (this.#done) return
    this.#done = true
    this.#timer.cancel()
    this.#attempt.watch?.over()
    this.#resolve({
      end,
      status: this.#status,
      headers: this.#headers,
      facts: this.#attempt.scanner.facts,
      firstByteMs: this.#firstByteMs,
      firstTokenMs: this.#firstTokenMs,
      renewed: this.#renewed,
      committed: this.#committed,
      held: this.#committed ? NOTHING_HELD : (this.#log?.bytes() ?? NOTHING_HELD),
      kept: this.#log?.bytes() ?? null,
      fault: this.#fault,
    })
  }
}

/** The stable name of a failure below HTTP, as attempts record it. */
export function endOf(failure: UpstreamFailure | WatchEnd, status: number): string {
  if (failure === 'broken') return status === 0 ? 'connection' : 'broken_stream'
  return failure === 'too-large' ? 'too_large' : failure
}
