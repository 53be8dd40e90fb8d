// A provider of the simulation: a server that batches. The more answers run, the longer a step takes; prompts
// are read before the first token; what is too much waits in its own queue. And things go wrong as the
// scenario has it.

import type { Wire } from '../../core/release/release.js'
import type { Provider, Timer, UpstreamCall, UpstreamListener, UpstreamRequest } from '../../engine/ports.js'
import { honestHeaders, limitHeaders, refusalOf, untrueUsage } from './faulty-answers.js'
import type { Fault, Pace } from './scenario.js'
import type { SimClock } from './sim-clock.js'
import { type Mishap, UpstreamJob } from './upstream-job.js'

export interface ModelServerOptions {
  readonly name: string
  readonly wire: Wire
  readonly clock: SimClock
  readonly pace: Pace
  readonly faults: readonly Fault[]
  readonly random: () => number
  readonly onSend: (server: ModelServer, job: UpstreamJob) => void
  readonly onOver: (server: ModelServer, job: UpstreamJob, how: string) => void
}

const MISHAPS: ReadonlySet<string> = new Set(['lost', 'break', 'silent-end', 'in-band', 'freeze', 'drip'])
const UNHARMED: Mishap = { kind: 'none', afterTokens: 0 }
/** The way to a server and back, ms. */
const WAY_MS = 2

export class ModelServer implements Provider {
  readonly name: string
  readonly simulated = false
  readonly #options: ModelServerOptions
  readonly live = new Set<UpstreamJob>()
  #waiting: UpstreamJob[] = []
  readonly #running = new Set<UpstreamJob>()
  #step: Timer | null = null
  readonly #bucket = { left: NaN, atMs: 0 }

  constructor(options: ModelServerOptions) {
    this.name = options.name
    this.#options = options
    for (const fault of options.faults)
      if (fault.kind === 'vanish') options.clock.after(fault.fromMs, () => this.#die())
  }

  speaks(): Wire {
    return this.#options.wire
  }

  send(request: UpstreamRequest, listener: UpstreamListener): UpstreamCall {
    const { clock, onSend, onOver } = this.#options
    const fault = this.#strikes()
    const mishap = fault !== null && MISHAPS.has(fault.kind) ? this.#mishapOf(fault) : UNHARMED
    const job = new UpstreamJob({
      request,
      listener,
      clock,
      mishap,
      lie: undefined,
      ...this.#truth(fault, request),
      limits: this.#limitsShown(),
      grade: Math.floor(this.#options.random() * 10),
      onOver: (over, how) => {
        this.live.delete(over)
        this.#running.delete(over)
        onOver(this, over, how)
      },
      onResume: () => this.#keepStepping(),
    })
    this.live.add(job)
    onSend(this, job)
    clock.after(WAY_MS, () => this.#arrive(job, fault))
    return job
  }

  close(): Promise<void> {
    return Promise.resolve()
  }

  #active(): readonly Fault[] {
    const nowMs = this.#options.clock.passedMs
    return this.#options.faults.filter(({ fromMs, toMs }) => fromMs <= nowMs && nowMs < toMs)
  }

  /** The first of the faults of this moment that hits this request. */
  #strikes(): Fault | null {
    const isHit = ({ kind, share }: Fault) =>
      kind !== 'slow' && kind !== 'limited' && (share === 1 || this.#options.random() < share)
    return this.#active().find(isHit) ?? null
  }

  #mishapOf({ kind, amount }: Fault): Mishap {
    return { kind: kind as Mishap['kind'], afterTokens: amount }
  }

  #truth(fault: Fault | null, request: UpstreamRequest) {
    if (fault?.kind !== 'lie') return {}
    const truth = { input: Math.ceil(request.body.length / 4), output: 5 }
    return { lie: untrueUsage(truth, this.#options.random) }
  }

  #arrive(job: UpstreamJob, fault: Fault | null): void {
    if (job.isOver) return
    if (fault?.kind === 'refused' || this.#active().some(({ kind }) => kind === 'vanish'))
      return job.fail('connection')
    if (fault?.kind === 'stall') return
    const { wire, random, clock } = this.#options
    const refusal = fault === null ? null : refusalOf(fault.kind, { wire, random, trueMs: clock.trueMs })
    if (refusal !== null) return this.#answerAtOnce(job, refusal)
    if (fault?.kind === 'garbage') {
      const headers = { 'content-type': 'text/html' }
      return this.#answerAtOnce(job, { status: 200, headers, body: '<html>connection lost</html>' })
    }
    const waitMs = this.#takeFromLimit()
    if (waitMs > 0) {
      const headers = honestHeaders(wire, waitMs, clock.trueMs)
      return this.#answerAtOnce(job, {
        status: 429,
        headers,
        body: '{"error":{"message":"limit","type":"requests"}}',
      })
    }
    this.#waiting.push(job)
    this.#keepStepping()
  }

  #answerAtOnce(
    job: UpstreamJob,
    answer: {
      readonly status: number
      readonly headers: Readonly<Record<string, string>>
      readonly body: string
    },
  ): void {
    job.head(answer.status, answer.headers)
    job.send(answer.body)
    job.end()
  }

  /** Requests a minute of the limit that is on now; null: none is. */
  #perMinute(): number | null {
    const fault = this.#active().find(({ kind }) => kind === 'limited')
    return fault === undefined ? null : fault.amount * 20
  }

  #refill(perMinute: number): number {
    const { passedMs } = this.#options.clock
    const { left, atMs } = this.#bucket
    const filled = Number.isNaN(left) ? perMinute : left + ((passedMs - atMs) * perMinute) / 60_000
    this.#bucket.left = Math.min(perMinute, filled)
    this.#bucket.atMs = passedMs
    return this.#bucket.left
  }

  #limitsShown(): Readonly<Record<string, string>> {
    const perMinute = this.#perMinute()
    if (perMinute === null) return {}
    return limitHeaders(this.#options.wire, { perMinute, left: Math.max(0, this.#refill(perMinute)) })
  }

  /** 0: there is room, and it is taken. Else how long until there is, ms. */
  #takeFromLimit(): number {
    const perMinute = this.#perMinute()
    if (perMinute === null) return 0
    const left = this.#refill(perMinute)
    if (left < 1) return Math.ceil(((1 - left) * 60_000) / perMinute)
    this.#bucket.left -= 1
    return 0
  }

  #die(): void {
    for (const job of this.live) job.fail('broken')
    this.#waiting = []
  }

  #keepStepping(): void {
    if (this.#step !== null) return
    const { pace, clock } = this.#options
    let read = 0
    this.#waiting = this.#waiting.filter((job) => !job.isOver)
    while (this.#running.size < pace.runningMax) {
      const next = this.#waiting.shift()
      if (next === undefined) break
      this.#running.add(next)
      read += next.inputTokens
    }
    const running = [...this.#running].filter(({ isPaused }) => !isPaused).length
    if (running === 0) return
    const slow = this.#active().find(({ kind }) => kind === 'slow')?.amount ?? 1
    const tokensMs = pace.tokensPerStep * (pace.stepMs + pace.perRunningMs * running)
    this.#step = clock.after(slow * (tokensMs + pace.prefillMsPerToken * read), () => this.#tick())
  }

  #tick(): void {
    this.#step = null
    for (const job of this.#running) if (!job.isPaused) job.advance(this.#options.pace.tokensPerStep)
    this.#keepStepping()
  }
}
