// A model server as a batching engine behaves: all running requests get one token per step, a step takes
// a + b * running milliseconds, and prompts are read inside steps, so they slow everybody down. What does
// not fit waits in line, without a bound, as in the real ones. Pure: it says how long a step takes and what
// came out of it; who drives it keeps the time.

import { PrefixCache } from './prefix-cache.js'

export interface BatchingOptions {
  /** Of one step, ms: `stepMs + perRunningMs * running`. */
  readonly stepMs: number
  readonly perRunningMs: number
  /** Of reading one prompt, ms: `prefillMs + perPromptTokenMs * uncached tokens`. */
  readonly prefillMs: number
  readonly perPromptTokenMs: number
  /** Requests in the batch. */
  readonly runningMax: number
  /** Prompt tokens read in one step; a longer prompt has a step to itself. */
  readonly promptTokensPerStep: number
  /** Blocks of the prefix cache; 0 = none. */
  readonly cacheBlocks: number
}

export interface Job {
  readonly id: number
  readonly promptTokens: number
  readonly outputTokens: number
  /** Hashes of the prompt's blocks, each covering all before it. Empty without a cache. */
  readonly blocks: readonly string[]
}

export interface StepEnd {
  /** Those that got a token, in the order in which they joined the batch. */
  readonly tokens: readonly number[]
  /** Of them, those that are complete. */
  readonly finished: readonly number[]
}

export interface BatchingCounters {
  /** Prompt tokens that were computed, and those the cache had. */
  readonly promptTokens: number
  readonly cachedTokens: number
  readonly outputTokens: number
  readonly steps: number
}

export class BatchingModel {
  readonly #options: BatchingOptions
  readonly #cache: PrefixCache | null
  readonly #waiting = new Map<number, Job>()
  /** Tokens each has still to write. */
  readonly #running = new Map<number, number>()
  readonly #cachedOf = new Map<number, number>()
  readonly #counters = { promptTokens: 0, cachedTokens: 0, outputTokens: 0, steps: 0 }

  constructor(options: BatchingOptions) {
    this.#options = options
    this.#cache = options.cacheBlocks > 0 ? new PrefixCache(options.cacheBlocks) : null
  }

  get running(): number {
    return this.#running.size
  }

  get waiting(): number {
    return this.#waiting.size
  }

  get counters(): BatchingCounters {
    return { ...this.#counters }
  }

  /** Prompt tokens of a running request that came from the cache. */
  cachedOf(id: number): number {
    return this.#cachedOf.get(id) ?? 0
  }

  submit(job: Job): void {
    this.#waiting.set(job.id, job)
  }

  /** The caller left: the place is free in the next step. */
  abort(id: number): void {
    this.#waiting.delete(id)
    this.#leave(id)
  }

  /** Lets those who wait into the batch and says how long the step takes, ms; null when there is no work. */
  beginStep(): number | null {
    const prefillMs = this.#admit()
    if (this.#running.size === 0) return null
    const { stepMs, perRunningMs } = this.#options
    return stepMs + perRunningMs * this.#running.size + prefillMs
  }

  endStep(): StepEnd {
    const tokens: number[] = []
    const finished: number[] = []
    for (const [id, left] of this.#running) {
      tokens.push(id)
      if (left <= 1) finished.push(id)
      else this.#running.set(id, left - 1)
    }
    for (const id of finished) this.#leave(id)
    this.#counters.outputTokens += tokens.length
    this.#counters.steps += 1
    return { tokens, finished }
  }

  #leave(id: number): void {
    this.#running.delete(id)
    this.#cachedOf.delete(id)
  }

  #admit(): number {
    const { runningMax, promptTokensPerStep, prefillMs, perPromptTokenMs } = this.#options
    let spentMs = 0
    let read = 0
    for (const job of this.#waiting.values()) {
      if (this.#running.size >= runningMax || read >= promptTokensPerStep) break
      const cached = Math.min(this.#cache?.use(job.blocks) ?? 0, job.promptTokens)
      const uncached = job.promptTokens - cached
      this.#waiting.delete(job.id)
      this.#running.set(job.id, job.outputTokens)
      this.#cachedOf.set(job.id, cached)
      this.#counters.promptTokens += uncached
      this.#counters.cachedTokens += cached
      spentMs += prefillMs + perPromptTokenMs * uncached
      read += uncached
    }
    return spentMs
  }
}

/** Answers per second with a full batch of `running`, and the time per token there, ms. */
export function steadyState(
  options: BatchingOptions,
  load: { readonly running: number; readonly promptTokens: number; readonly outputTokens: number },
): { readonly perSecond: number; readonly stepMs: number } {
  const { running, promptTokens, outputTokens } = load
  const joinPerStep = running / outputTokens
  const prefillMs = joinPerStep * (options.prefillMs + options.perPromptTokenMs * promptTokens)
  const stepMs = options.stepMs + options.perRunningMs * running + prefillMs
  return { perSecond: (joinPerStep / stepMs) * 1_000, stepMs }
}

/** The most answers per second at which a token takes no longer than `tokenMsMax`. */
export function capacityOf(
  options: BatchingOptions,
  need: { readonly promptTokens: number; readonly outputTokens: number; readonly tokenMsMax: number },
): { readonly perSecond: number; readonly running: number } {
  let best = { perSecond: 0, running: 0 }
  for (let running = 1; running <= options.runningMax; running += 1) {
    const { perSecond, stepMs } = steadyState(options, { ...need, running })
    if (stepMs <= need.tokenMsMax && perSecond > best.perSecond) best = { perSecond, running }
  }
  return best
}
