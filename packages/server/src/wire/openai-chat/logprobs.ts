// Log probabilities of an answer's tokens: read for confidence, and translated.

import { isObject, type JsonObject } from '../../core/json.js'
import type { TokenLogprob } from '../../core/model/message.js'

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

export function decodeLogprobs(logprobs: unknown): readonly TokenLogprob[] {
  if (!isObject(logprobs) || !Array.isArray(logprobs['content'])) return []
  return logprobs['content'].flatMap((one: unknown) => {
    const told = tokenOf(one)
    if (told === null || !isObject(one)) return []
    const { top_logprobs: list } = one
    const top = Array.isArray(list) ? list.map(tokenOf).filter((other) => other !== null) : []
    return [{ ...told, top }]
  })
}

function tokenOf(one: unknown): Pick<TokenLogprob, 'token' | 'logprob'> | null {
  const { token, logprob } = isObject(one) ? one : {}
  return typeof token === 'string' && typeof logprob === 'number' ? { token, logprob } : null
}

/** The format's `logprobs` of a choice. */
export function encodeLogprobs(logprobs: readonly TokenLogprob[] | undefined): JsonObject | null {
  if (logprobs === undefined || logprobs.length === 0) return null
  const content = logprobs.map(({ top, ...token }) => ({
    ...encodeToken(token),
    top_logprobs: top.map(encodeToken),
  }))
  return { content, refusal: null }
}

function encodeToken({ token, logprob }: Pick<TokenLogprob, 'token' | 'logprob'>): JsonObject {
  return { token, logprob, bytes: bytesOf(token) }
}

/** A token that is no whole character is written in another way than by its bytes: they are not known. */
function bytesOf(token: string): readonly number[] | null {
  return /\\x|\ufffd/.test(token) ? null : [...Buffer.from(token)]
}
