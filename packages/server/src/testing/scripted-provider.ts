// A provider that does exactly what the test wrote down, call by call and in virtual time, and remembers what
// it was asked. Like the real adapter it never calls back before `send` returned, gives up on silence, and
// says nothing after an abort.

import type { Wire } from '../core/release/release.js'
import type {
  Provider,
  System,
  Timer,
  UpstreamCall,
  UpstreamFailure,
  UpstreamListener,
  UpstreamRequest,
} from '../engine/ports.js'

/** One thing the provider does; a script is a list of them, and stalls where the list ends without an end. */
export type Act =
  | { readonly kind: 'head'; readonly status: number; readonly headers: Readonly<Record<string, string>> }
  | { readonly kind: 'data'; readonly chunk: Uint8Array }
  | { readonly kind: 'wait'; readonly ms: number }
  | { readonly kind: 'end' }
  | { readonly kind: 'fail'; readonly failure: UpstreamFailure }
  /** `send` itself throws: a fault of ours, not of the provider. */
  | { readonly kind: 'throw' }

export type Script = readonly Act[]

/** What the provider was asked, as it arrived. */
export interface SeenRequest extends UpstreamRequest {
  readonly atMs: number
  /** The body, parsed. */
  readonly json: Readonly<Record<string, unknown>>
  aborted: boolean
}

export interface ScriptedProvider extends Provider {
  readonly requests: readonly SeenRequest[]
  /** Calls that have neither ended nor failed nor been aborted. */
  readonly openCalls: number
  /** Scripts for the next calls, in order. */
  next(...scripts: readonly Script[]): void
  /**
   * What answers when no script is left. Without it such a call is a fault of the test, and `send` throws.
   */
  otherwise(script: (request: SeenRequest) => Script): void
}

export interface ScriptedProviderOptions {
  readonly name: string
  /** The format of all chats. Default `openai-chat`. */
  readonly chatWire?: Wire
  /** Default false. */
  readonly simulated?: boolean
}

export function createScriptedProvider(
  system: Pick<System, 'after' | 'nowMs'>,
  options: ScriptedProviderOptions,
): ScriptedProvider {
  const requests: SeenRequest[] = []
  const queue: Script[] = []
  const calls = new Set<ScriptedCall>()
  const { chatWire = 'openai-chat', simulated: isSimulated = false } = options
  let fallback: ((request: SeenRequest) => Script) | null = null
  return {
    name: options.name,
    simulated: isSimulated,
    speaks: (wire) => (isSimulated || wire === 'openai-embeddings' ? wire : chatWire),
    requests,
    get openCalls() {
      return [...calls].filter((call) => !call.isDone).length
    },
    next: (...scripts) => void queue.push(...scripts),
    otherwise(script) {
      fallback = script
    },
    send(request, listener) {
      const json = JSON.parse(Buffer.from(request.body).toString('utf8')) as SeenRequest['json']
      const seen: SeenRequest = { ...request, atMs: system.nowMs(), json, aborted: false }
      requests.push(seen)
      const script = queue.shift() ?? fallback?.(seen)
      if (script === undefined) throw new Error(`${options.name}: no script for call ${requests.length}`)
      if (script[0]?.kind === 'throw') throw new Error('the provider port threw')
      const call = new ScriptedCall(system, { script, seen, listener })
      calls.add(call)
      return call
    },
    close: () => Promise.resolve(),
  }
}

class ScriptedCall implements UpstreamCall {
  readonly #system: Pick<System, 'after'>
  readonly #script: Script
  readonly #seen: SeenRequest
  readonly #listener: UpstreamListener
  #at = 0
  #isPaused = false
  #timer: Timer
  #silence: Timer
  isDone = false

  constructor(
    system: Pick<System, 'after'>,
    play: { readonly script: Script; readonly seen: SeenRequest; readonly listener: UpstreamListener },
  ) {
    this.#system = system
    this.#script = play.script
    this.#seen = play.seen
    this.#listener = play.listener
    this.#silence = this.#watch(play.seen.headTimeoutMs)
    this.#timer = system.after(0, () => this.#play())
  }

  abort(): void {
    if (this.isDone) return
    this.#seen.aborted = true
    this.#finish()
  }

  pause(): void {
    this.#isPaused = true
    this.#timer.cancel()
    this.#silence.cancel()
  }

  resume(): void {
    if (!this.#isPaused || this.isDone) return
    this.#isPaused = false
    this.#silence = this.#watch(this.#seen.idleTimeoutMs)
    this.#timer = this.#system.after(0, () => this.#play())
  }

  #play(): void {
    while (!this.isDone && !this.#isPaused) {
      const act = this.#script[this.#at]
      if (act === undefined) return
      this.#at += 1
      if (act.kind === 'wait') {
        this.#timer = this.#system.after(act.ms, () => this.#play())
        return
      }
      this.#perform(act)
    }
  }

  #perform(act: Exclude<Act, { kind: 'wait' }>): void {
    switch (act.kind) {
      case 'head':
        this.#heard()
        return this.#listener.onHead(act.status, act.headers)
      case 'data':
        this.#heard()
        return this.#listener.onData(act.chunk)
      case 'end':
        this.#finish()
        return this.#listener.onEnd()
      case 'fail':
        this.#finish()
        return this.#listener.onFailure(act.failure, 'as scripted')
      case 'throw':
        throw new Error('`throw` can only be the first act')
    }
  }

  #heard(): void {
    this.#silence.cancel()
    this.#silence = this.#watch(this.#seen.idleTimeoutMs)
  }

  #watch(ms: number): Timer {
    return this.#system.after(ms, () => {
      if (this.isDone) return
      this.#finish()
      this.#listener.onFailure('timeout', 'silence')
    })
  }

  #finish(): void {
    this.isDone = true
    this.#timer.cancel()
    this.#silence.cancel()
  }
}
