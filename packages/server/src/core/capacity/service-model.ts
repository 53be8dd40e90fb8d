// What calls take at one deployment, learned from calls that were made: the first token by the tokens that
// are read, each further one by how many calls run. What has not been seen is null, never a guess.

import { DecayedMean } from './decayed-mean.js'
import { DecayingHistogram } from './decaying-histogram.js'
import { LineFit } from './line-fit.js'

const MEAN = { newest: 0.05, countMin: 3 }

/** A first token later than at low load counts this much beside an earlier one: it may have waited. */
const LATER_WEIGHT = 0.1

/** The same for a call that found the deployment busy. */
const LATER_BUSY_WEIGHT = 0.005

/** Ratios of a first token to its line are kept within this: an outage is no property of the deployment. */
const SLOWDOWN_MAX = 20

/** Answers shorter than this say little about the time per token. */
const OUTPUT_TOKENS_MIN = 8

export interface FirstToken {
  readonly ms: number
  /** Read, without those from the provider's cache. */
  readonly uncachedTokens: number
  /** It found the deployment near its limit: how late it came is not what the deployment is like. */
  readonly wasBusy: boolean
}

export interface AnswerTime {
  readonly durationMs: number
  /** null: taken whole, and the first token was not seen. */
  readonly firstTokenMs: number | null
  readonly inputTokens: number
  readonly cachedTokens: number
  readonly outputTokens: number
  /** Mean of calls running at the deployment while it ran. */
  readonly running: number
}

export class ServiceModel {
  readonly #atLowLoad = new LineFit()
  readonly #perToken = new LineFit()
  /** Answers taken whole, by the tokens they have. */
  readonly #whole = new LineFit()
  readonly #firstTokens = new DecayingHistogram()
  readonly #durations = new DecayingHistogram()
  readonly #slowdown = new DecayedMean(MEAN)
  readonly #perTokenMean = new DecayedMean(MEAN)

  /** A stream's first generated token has come. Returns what it would have taken at low load, or null. */
  sawFirstToken({ ms, uncachedTokens, wasBusy }: FirstToken): number | null {
    if (!Number.isFinite(ms) || ms < 0) return null
    this.#firstTokens.add(ms)
    const lowLoadMs = this.firstTokenAtLowLoadMs(uncachedTokens)
    if (lowLoadMs === null) {
      this.#atLowLoad.add(uncachedTokens, ms, 1)
      return null
    }
    if (lowLoadMs > 0) this.#slowdown.add(Math.min(SLOWDOWN_MAX, ms / lowLoadMs))
    const isEarlier = ms <= lowLoadMs
    this.#atLowLoad.add(uncachedTokens, ms, isEarlier ? 1 : wasBusy ? LATER_BUSY_WEIGHT : LATER_WEIGHT)
    return lowLoadMs
  }

  /** An answer came to its end. */
  sawAnswer(answer: AnswerTime): void {
    const { durationMs, firstTokenMs, outputTokens, running } = answer
    this.#durations.add(durationMs)
    if (firstTokenMs === null) this.#whole.add(outputTokens, durationMs, 1)
    if (outputTokens < OUTPUT_TOKENS_MIN || !Number.isFinite(durationMs) || durationMs < 0) return
    const { inputTokens, cachedTokens } = answer
    const readMs = firstTokenMs ?? this.firstTokenAtLowLoadMs(inputTokens - cachedTokens)
    if (readMs === null) return
    const perTokenMs = Math.max(0, durationMs - readMs) / (outputTokens - 1)
    this.#perTokenMean.add(perTokenMs)
    this.#perToken.add(running, perTokenMs, 1)
  }

  /** As of an idle deployment, ms. null: unknown. */
  firstTokenAtLowLoadMs(uncachedTokens: number): number | null {
    return this.#atLowLoad.at(Math.max(0, uncachedTokens))
  }

  /** What each token that is read adds to the first token, ms. null: prompts were too alike to tell. */
  prefillMsPerToken(): number | null {
    return this.#atLowLoad.slope()
  }

  /** How much later than at low load first tokens have been of late, for such a prompt, ms. null: unknown. */
  lateMs(uncachedTokens: number): number | null {
    const lowLoadMs = this.firstTokenAtLowLoadMs(uncachedTokens)
    const slowdown = this.#slowdown.value()
    return lowLoadMs === null || slowdown === null ? null : lowLoadMs * Math.max(0, slowdown - 1)
  }

  /** What one running call more adds to each token of all others, ms. null: not seen yet. */
  perTokenMsPerCall(): number | null {
    return this.#perToken.slope()
  }

  /** As of late, ms, for a call sent now. null: unknown. */
  predictFirstTokenMs(inputTokens: number, cachedTokens: number): number | null {
    const lowLoadMs = this.firstTokenAtLowLoadMs(inputTokens - cachedTokens)
    return lowLoadMs === null ? null : lowLoadMs * (this.#slowdown.value() ?? 1)
  }

  /**
   * Time per output token, ms: with `running` calls where it is known how it grows with them, else its mean
   * of late. null: unknown.
   */
  perTokenMs(running?: number): number | null {
    const mean = this.#perTokenMean.value()
    if (mean === null || running === undefined || this.#perToken.slope() === null) return mean
    return this.#perToken.at(running)
  }

  /** From sending to the last token, ms. null: unknown. */
  predictTotalMs(demand: {
    inputTokens: number
    cachedTokens?: number
    outputTokens: number
  }): number | null {
    const firstMs = this.predictFirstTokenMs(demand.inputTokens, demand.cachedTokens ?? 0)
    const perTokenMs = this.perTokenMs()
    if (firstMs === null || perTokenMs === null) return this.#whole.at(demand.outputTokens)
    return firstMs + perTokenMs * Math.max(0, demand.outputTokens - 1)
  }

  /** Of the first tokens seen of late, ms. null: too few for it to mean anything. */
  firstTokenMs(share: 0.5 | 0.95): number | null {
    return this.#firstTokens.percentile(share)
  }

  /** Of whole calls of late that were answered, ms. null: too few for it to mean anything. */
  durationMs(share: 0.5 | 0.95 | 0.99): number | null {
    return this.#durations.percentile(share)
  }
}
