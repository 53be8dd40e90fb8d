// How large a call may be: what is reserved before it is sent. The answer's length shrinks to what is
// affordable before anything is refused, because a shorter answer is worth more than none.

import { type Price, worstCaseCost } from '../money/price.js'
import type { Amounts, LimitName } from './amounts.js'

/** Below this an answer is of no use, tokens per choice; a caller who wants fewer gets what it wants. */
export const MIN_USEFUL_OUTPUT_TOKENS = 16

export interface CallSize {
  readonly inputTokens: number
  /** Per choice: the caller's limit, or the most the deployment can generate. */
  readonly wantedOutputTokens: number
  /** Per choice. Default MIN_USEFUL_OUTPUT_TOKENS, or the wanted number when that is smaller. */
  readonly minOutputTokens?: number
  /** Answers asked for at once. */
  readonly choices: number
  /** null: unknown, so the dearest configured price is reserved. */
  readonly price: Price | null
  /** null: no price is known at all. Then no money is reserved, and the call shows as unpriced. */
  readonly dearest: Price | null
  /** What is left on the tightest account. */
  readonly left: Amounts
}

export type CallFit =
  | {
      readonly kind: 'fits'
      /** Per choice: the limit to send upstream. */
      readonly outputTokens: number
      /** What to hold. */
      readonly amounts: Amounts
      readonly shrunk: boolean
    }
  | { readonly kind: 'short'; readonly limit: LimitName; readonly shortBy: number }

export function fitCall(call: CallSize): CallFit {
  const { inputTokens, choices, left } = call
  if (left.modelCalls < 1) return { kind: 'short', limit: 'modelCalls', shortBy: 1 - left.modelCalls }
  if (left.inputTokens < inputTokens) {
    return { kind: 'short', limit: 'inputTokens', shortBy: inputTokens - left.inputTokens }
  }
  const wanted = call.wantedOutputTokens
  const least = Math.min(call.minOutputTokens ?? MIN_USEFUL_OUTPUT_TOKENS, wanted)
  if (left.outputTokens < least * choices) {
    return { kind: 'short', limit: 'outputTokens', shortBy: least * choices - left.outputTokens }
  }
  const cost = costFunction(call)
  if (cost(least) > left.nanoUsd)
    return { kind: 'short', limit: 'nanoUsd', shortBy: cost(least) - left.nanoUsd }

  const most = choices > 0 ? Math.min(wanted, Math.floor(left.outputTokens / choices)) : wanted
  const outputTokens = largestWithin({ least, most }, (tokens) => cost(tokens) <= left.nanoUsd)
  const amounts = {
    modelCalls: 1,
    inputTokens,
    outputTokens: outputTokens * choices,
    toolCalls: 0,
    toolMs: 0,
    nanoUsd: cost(outputTokens),
  }
  return { kind: 'fits', outputTokens, amounts, shrunk: outputTokens < wanted }
}

/** Worst-case nano-USD of the call by output tokens per choice. */
function costFunction({ price, dearest, inputTokens, choices }: CallSize): (outputTokens: number) => number {
  const known = price ?? dearest
  if (known === null) return () => 0
  return (outputTokens) => worstCaseCost(known, { inputTokens, outputTokens: outputTokens * choices })
}

/**
 * Bisection, so that the rounding of prices stays in one place. `least` is known to fit; `fits` is
 * monotonous.
 */
function largestWithin(range: { least: number; most: number }, fits: (tokens: number) => boolean): number {
  if (fits(range.most)) return range.most
  let good = range.least
  let bad = range.most
  while (bad - good > 1) {
    const middle = Math.floor((good + bad) / 2)
    if (fits(middle)) good = middle
    else bad = middle
  }
  return good
}
