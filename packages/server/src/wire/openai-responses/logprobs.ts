// Log probabilities of an answer's tokens, both ways.

import { isObject, type JsonObject } from '../../core/json.js'
import type { TokenLogprob } from '../../core/model/message.js'

export function decodeLogprobs(list: unknown): readonly TokenLogprob[] {
  if (!Array.isArray(list)) return []
  return list.flatMap((entry: unknown) => {
    const one = tokenOf(entry)
    if (one === null || !isObject(entry)) return []
    const top: readonly unknown[] = Array.isArray(entry['top_logprobs']) ? entry['top_logprobs'] : []
    return [{ ...one, top: top.map(tokenOf).filter((other) => other !== null) }]
  })
}

export function encodeLogprobs(list: readonly TokenLogprob[]): readonly JsonObject[] {
  return list.map(({ top, ...one }) => ({ ...encodeToken(one), top_logprobs: top.map(encodeToken) }))
}

function encodeToken({ token, logprob }: { token: string; logprob: number }): JsonObject {
  return { token, bytes: [...Buffer.from(token)], logprob }
}

function tokenOf(entry: unknown): { token: string; logprob: number } | null {
  if (!isObject(entry)) return null
  const { token, logprob } = entry
  if (typeof token !== 'string' || typeof logprob !== 'number' || !Number.isFinite(logprob)) return null
  return { token, logprob }
}
