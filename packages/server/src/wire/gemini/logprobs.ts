// Log probabilities of a candidate: of its tokens, or only their mean.

import { isObject } from '../../core/json.js'
import type { TokenLogprob } from '../../core/model/message.js'

interface Told {
  readonly token: string
  readonly logprob: number
}

export function readLogprobs(result: unknown): readonly TokenLogprob[] {
  if (!isObject(result) || !Array.isArray(result['chosenCandidates'])) return []
  const top: readonly unknown[] = Array.isArray(result['topCandidates']) ? result['topCandidates'] : []
  return result['chosenCandidates'].flatMap((chosen: unknown, index): readonly TokenLogprob[] => {
    const told = readOne(chosen)
    const step = top[index]
    const others: readonly unknown[] =
      isObject(step) && Array.isArray(step['candidates']) ? step['candidates'] : []
    const tops = others.flatMap((other): readonly Told[] => readOne(other))
    return told.map((one) => ({ ...one, top: tops }))
  })
}

function readOne(candidate: unknown): readonly Told[] {
  if (!isObject(candidate)) return []
  const { token, logProbability: logprob } = candidate
  const isLogprob = typeof logprob === 'number' && Number.isFinite(logprob)
  return isLogprob ? [{ token: typeof token === 'string' ? token : '', logprob }] : []
}

/** Log probabilities whose mean is the candidate's, for its confidence. Empty: none told. */
export function confidenceLogprobs(candidate: Record<string, unknown>): readonly number[] {
  const told = readLogprobs(candidate['logprobsResult'])
  if (told.length > 0) return told.map(({ logprob }) => logprob)
  const mean = candidate['avgLogprobs']
  return typeof mean === 'number' && Number.isFinite(mean) ? [mean] : []
}
