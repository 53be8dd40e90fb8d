// Log probabilities of an answer's tokens, read for confidence.

import { isObject } from '../../core/json.js'

/** Log probabilities of the tokens in one `logprobs` value, those that are numbers. */
export function tokenLogprobs(logprobs: unknown): readonly number[] {
  if (!isObject(logprobs) || !Array.isArray(logprobs['content'])) return []
  return logprobs['content'].flatMap((token: unknown) => {
    const value = isObject(token) ? token['logprob'] : null
    return typeof value === 'number' && Number.isFinite(value) ? [value] : []
  })
}

/** Geometric mean of the tokens' probabilities, 0..1; null without tokens. */
export function meanTokenProbability(logprobs: unknown): number | null {
  const values = tokenLogprobs(logprobs)
  if (values.length === 0) return null
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length
  return Math.min(1, Math.exp(mean))
}
