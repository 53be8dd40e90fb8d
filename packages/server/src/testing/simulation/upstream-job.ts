// One call at a simulated provider: what was asked, how far the answer is, and what of it got through.

import type {
  Timer,
  UpstreamCall,
  UpstreamFailure,
  UpstreamListener,
  UpstreamRequest,
} from '../../engine/ports.js'
import { type Finish, type Said, type ShownUsage, answerFormat } from './answer-frames.js'
import type { SimClock } from './sim-clock.js'

/** What strikes a single call. `afterTokens`: when it does. */
export interface Mishap {
  readonly kind: 'none' | 'lost' | 'break' | 'silent-end' | 'in-band' | 'freeze' | 'drip'
  readonly afterTokens: number
}

export interface JobAsk {
  readonly request: UpstreamRequest
  readonly listener: UpstreamListener
  readonly clock: SimClock
  readonly mishap: Mishap
  /** What it reports instead of the truth; undefined: the truth. */
  readonly lie: ShownUsage | null | undefined
  readonly limits: Readonly<Record<string, string>>
  /** What a judge would say, 0..9. */
  readonly grade: number
  readonly onOver: (job: UpstreamJob, how: string) => void
  readonly onResume: () => void
}

interface Asked {
  readonly max_tokens?: number
  readonly max_completion_tokens?: number
  readonly logprobs?: boolean
  readonly stream_options?: { readonly include_usage?: boolean }
}

export class UpstreamJob implements UpstreamCall {
  readonly #ask: JobAsk
  readonly #asked: Asked
  readonly call: number | null
  readonly inputTokens: number
  readonly #wanted: number
  readonly #outputMax: number
  generated = 0
  isOver = false
  isPaused = false
  /** The caller has been told everything, truly. */
  isWhole = false
  #hasHead = false
  #heardMs: number
  #watch: Timer | null = null

  constructor(ask: JobAsk) {
    this.#ask = ask
    const text = Buffer.from(ask.request.body).toString('utf8')
    this.#asked = JSON.parse(text) as Asked
    // The question says which call it belongs to, and how long its answer would be.
    const [, call = '', wanted = '8'] = /<c(\d*):(\d+)>/.exec(text) ?? []
    this.call = call === '' ? null : Number(call)
    this.#wanted = Number(wanted)
    this.#outputMax = this.#asked.max_completion_tokens ?? this.#asked.max_tokens ?? Infinity
    this.inputTokens = Math.ceil(text.length / 4)
    this.#heardMs = ask.clock.passedMs
    this.#watchSilence(ask.request.headTimeoutMs)
  }

  get request(): UpstreamRequest {
    return this.#ask.request
  }

  get isTruthful(): boolean {
    return this.#ask.lie === undefined
  }

  abort(): void {
    this.#over('aborted')
  }

  pause(): void {
    this.isPaused = true
  }

  resume(): void {
    this.isPaused = false
    this.#ask.onResume()
  }

  /** Some tokens later. */
  advance(tokens: number): void {
    const { mishap } = this.#ask
    const end = Math.min(this.#wanted, this.#outputMax)
    const stopAt = this.#isStruck ? Math.min(end, mishap.afterTokens) : end
    const from = this.generated
    this.generated = Math.min(stopAt, from + tokens)
    if (this.#ask.request.stream) this.#say(from)
    if (this.isOver) return
    if (this.#isStruck && this.generated === stopAt) return this.#strike()
    if (this.generated === end) this.#finish(this.#wanted > this.#outputMax ? 'length' : 'stop')
  }

  get #isStruck(): boolean {
    return this.#ask.mishap.kind !== 'none' && this.#ask.mishap.kind !== 'lost'
  }

  get #isHeard(): boolean {
    const { kind } = this.#ask.mishap
    return kind !== 'lost'
  }

  #say(from: number): void {
    if (!this.#isHeard) return
    const { token } = answerFormat(this.#ask.request.wire)
    let frames = this.#beginStream()
    if (this.#ask.mishap.kind === 'drip') return
    for (let index = from; index < this.generated; index++) frames += token(index, this.#said)
    if (frames !== '') this.#send(frames)
  }

  get #said(): Said {
    return { grade: this.#ask.grade, logprobs: this.#asked.logprobs === true }
  }

  #beginStream(): string {
    if (this.#hasHead) return ''
    this.head(200, { 'content-type': 'text/event-stream', ...this.#ask.limits })
    const { streamHead } = answerFormat(this.#ask.request.wire)
    return streamHead({ input: this.inputTokens, output: 0 })
  }

  #strike(): void {
    const { kind } = this.#ask.mishap
    const { stream, wire } = this.#ask.request
    switch (kind) {
      case 'break':
        return this.fail('broken')
      case 'in-band':
        if (!stream) return this.fail('broken')
        this.#send(answerFormat(wire).errorFrame)
        return this.end()
      case 'silent-end':
        if (!stream) this.head(200, { 'content-type': 'application/json' })
        if (!stream) this.#send('{"id":"c-1","choi')
        return this.end()
      case 'drip':
        if (!this.#hasHead)
          this.head(200, { 'content-type': stream ? 'text/event-stream' : 'application/json' })
        return
      default:
        // Frozen: whoever listens has to give up.
        return
    }
  }

  #finish(finish: Finish): void {
    if (!this.#isHeard) return this.fail('broken')
    const { wire, stream } = this.#ask.request
    const { streamEnd, whole } = answerFormat(wire)
    const truth = { input: this.inputTokens, output: this.generated }
    const usage = this.#ask.lie === undefined ? truth : this.#ask.lie
    const isTold =
      !stream || wire === 'anthropic-messages' || this.#asked.stream_options?.include_usage === true
    if (!stream) this.head(200, { 'content-type': 'application/json', ...this.#ask.limits })
    this.#send(
      stream
        ? streamEnd(finish, isTold ? usage : null)
        : whole(this.generated, { ...this.#said, finish }, usage),
    )
    if (this.isOver) {
      this.isWhole = stream
      return
    }
    this.isWhole = true
    this.end()
  }

  head(status: number, headers: Readonly<Record<string, string>>): void {
    if (this.isOver || this.#hasHead) return
    this.#hasHead = true
    this.#heard()
    this.#ask.listener.onHead(status, headers)
  }

  send(text: string): void {
    this.#send(text)
  }

  #send(text: string): void {
    if (this.isOver) return
    this.#heard()
    this.#ask.listener.onData(Buffer.from(text))
  }

  end(): void {
    if (this.#over('ended')) this.#ask.listener.onEnd()
  }

  fail(failure: UpstreamFailure): void {
    if (this.#over(failure)) this.#ask.listener.onFailure(failure, 'as the scenario has it')
  }

  #over(how: string): boolean {
    if (this.isOver) return false
    this.isOver = true
    this.#watch?.cancel()
    this.#ask.onOver(this, how)
    return true
  }

  #heard(): void {
    this.#heardMs = this.#ask.clock.passedMs
  }

  /** One timer that is set again when it comes too early, not one for every chunk. */
  #watchSilence(ms: number): void {
    this.#watch = this.#ask.clock.after(ms, () => {
      const { clock, request } = this.#ask
      const allowedMs = this.#hasHead ? request.idleTimeoutMs : request.headTimeoutMs
      const leftMs = this.#heardMs + allowedMs - clock.passedMs
      if (this.isPaused) this.#watchSilence(Math.max(1, allowedMs))
      else if (leftMs > 0) this.#watchSilence(leftMs)
      else this.fail('timeout')
    })
  }
}
