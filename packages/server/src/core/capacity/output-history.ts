// How long answers are, by contract and model: what a call is expected to generate before it has.

import { DecayingHistogram } from './decaying-histogram.js'

export interface ExpectedOutput {
  /** Half of the answers are no longer, tokens: for planning. */
  readonly p50: number
  /** Nine of ten are no longer, tokens: for reserving. */
  readonly p90: number
  /** Nineteen of twenty: what is allowed under overload. */
  readonly p95: number
}

/** Pairs of contract and model that are remembered; the one opened longest ago is forgotten. */
const HISTORIES_MAX = 500

/** Answers before the history is believed. */
const ANSWERS_MIN = 5

/** Expected of a call without a history, tokens, where its limit is not less: limits are seldom reached. */
const OUTPUT_UNKNOWN = 512

/** Expected values are worked out again after this many answers. */
const REFRESH_ANSWERS = 8

interface History {
  readonly histogram: DecayingHistogram
  expected: ExpectedOutput | null
  since: number
}

export class OutputHistory {
  readonly #histories = new Map<string, Map<string, History>>()
  #count = 0

  /** Tokens of an answer that came to its own end. */
  add(contract: string, model: string, outputTokens: number): void {
    const history = this.#histories.get(contract)?.get(model) ?? this.#open(contract, model)
    history.histogram.add(outputTokens)
    history.since += 1
    const isDue = history.since >= REFRESH_ANSWERS || history.expected === null
    if (history.histogram.count < ANSWERS_MIN || !isDue) return
    history.since = 0
    history.expected = {
      p50: Math.round(history.histogram.quantile(0.5) ?? 0),
      p90: Math.round(history.histogram.quantile(0.9) ?? 0),
      p95: Math.ceil(history.histogram.quantile(0.95) ?? 0),
    }
  }

  /** null: not enough answers yet. */
  expected(contract: string, model: string): ExpectedOutput | null {
    return this.#histories.get(contract)?.get(model)?.expected ?? null
  }

  #open(contract: string, model: string): History {
    if (this.#count >= HISTORIES_MAX) this.#forgetOne()
    const models = this.#histories.get(contract) ?? new Map<string, History>()
    const history: History = { histogram: new DecayingHistogram(), expected: null, since: 0 }
    models.set(model, history)
    this.#histories.set(contract, models)
    this.#count += 1
    return history
  }

  /** Of the contract that was opened first, the model that was: they are learned again if they come back. */
  #forgetOne(): void {
    for (const [contract, models] of this.#histories) {
      for (const model of models.keys()) {
        models.delete(model)
        if (models.size === 0) this.#histories.delete(contract)
        this.#count -= 1
        return
      }
    }
  }
}

/** What a call will generate, tokens: by its history, never more than its limit. */
export function expectedTokens(history: ExpectedOutput | null, outputTokensMax: number): number {
  return Math.min(outputTokensMax, history?.p50 ?? OUTPUT_UNKNOWN)
}
