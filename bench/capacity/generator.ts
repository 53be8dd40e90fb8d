// Sends requests when their time has come, whatever became of those before, and tries again as an SDK does.
// Its own process; the bench hands it one job at a time over the IPC channel.

import { Agent } from 'node:http'
import type { Arrival } from './arrivals.js'
import type { End, Result } from './judge.js'
import { seeded } from './randomness.js'
import { retryDelayMs } from './sdk-retries.js'
import { type Try, tryOnce } from './try-once.js'

export interface GeneratorJob {
  readonly url: string
  /** Key per tenant. */
  readonly keys: Readonly<Record<string, string>>
  readonly arrivals: readonly Arrival[]
  /** A client gives up a try when no first byte has come, ms: of a stream, and of a whole answer. */
  readonly patienceMs: number
  readonly wholePatienceMs: number
  /** What is not over then is cut off, ms since the start. */
  readonly endMs: number
  readonly seed: number
}

function endOf({ status, isComplete, isTimeout }: Try, isOver: boolean): End {
  if (isComplete) return 'answered'
  if (isOver) return 'cut-off'
  if (isTimeout) return 'gave-up'
  return status === 429 || status === 503 ? 'refused' : 'failed'
}

class Run {
  readonly #job: GeneratorJob
  readonly #agent = new Agent({ keepAlive: true, maxSockets: Infinity })
  readonly #random
  readonly #results: Result[] = []
  #startedMs = 0
  #isOver = false

  constructor(job: GeneratorJob) {
    this.#job = job
    this.#random = seeded(job.seed)
  }

  async go(): Promise<readonly Result[]> {
    this.#startedMs = performance.now()
    const all = this.#sendAll()
    const timer = setTimeout(() => {
      this.#isOver = true
      this.#agent.destroy()
    }, this.#job.endMs)
    await all
    clearTimeout(timer)
    this.#agent.destroy()
    return this.#results
  }

  async #sendAll(): Promise<void> {
    const sent: Promise<void>[] = []
    for (const [index, arrival] of this.#job.arrivals.entries()) {
      const waitMs = this.#startedMs + arrival.atMs - performance.now()
      if (waitMs > 0) await this.#pause(waitMs)
      sent.push(this.#serve(arrival, index))
    }
    await Promise.all(sent)
  }

  async #serve(arrival: Arrival, index: number): Promise<void> {
    const askedMs = this.#startedMs + arrival.atMs
    const lateMs = performance.now() - askedMs
    let [tries, isDone] = [0, false]
    while (!isDone) {
      tries += 1
      const tried = await tryOnce({ job: this.#job, agent: this.#agent, arrival, index })
      const delayMs = tried.isComplete ? null : retryDelayMs(tried, tries - 1, this.#random)
      isDone = delayMs === null || this.#isOver
      if (isDone)
        this.#results.push(resultOf(arrival, tried, { askedMs, tries, lateMs, isOver: this.#isOver }))
      else await this.#pause(delayMs ?? 0)
    }
  }

  #pause(ms: number): Promise<void> {
    const leftMs = this.#startedMs + this.#job.endMs - performance.now()
    return new Promise((resolve) => setTimeout(resolve, Math.max(0, Math.min(ms, leftMs))))
  }
}

function resultOf(
  arrival: Arrival,
  tried: Try,
  of: { readonly askedMs: number; readonly tries: number; readonly lateMs: number; readonly isOver: boolean },
): Result {
  const { askedMs, tries, lateMs, isOver } = of
  return {
    ...arrival,
    end: endOf(tried, isOver),
    status: tried.status,
    firstTokenMs: arrival.stream && tried.firstMs !== null ? tried.firstMs - askedMs : null,
    totalMs: tried.lastMs - askedMs,
    tokens: tried.tokens,
    tries,
    lateMs,
  }
}

process.on('message', (job: GeneratorJob) => {
  void new Run(job).go().then((results) => process.send?.(results))
})
// A bench that was killed must not leave this running.
process.on('disconnect', () => process.exit(0))
