// What a format of embeddings says to everything that a conversation needs: nothing streams, and no request
// in our types can be expressed.

import { invalid } from '../core/parsed.js'
import type { AnswerFacts, ProviderFormat } from './format.js'
import type { StreamEvent } from './stream-event.js'
import type { ReportedUsage } from '../core/money/token-counts.js'
import { GrowingFacts } from './scan-frames.js'

export const NO_EQUAL = 'embeddings cannot be expressed in another format'
const NO_STREAM: StreamEvent = {
  kind: 'error',
  error: { type: 'invalid_stream', code: null, message: 'embeddings do not stream' },
}

export const NO_CONVERSATION = {
  encodeRequest: () => invalid('', NO_EQUAL),
  leavesOut: () => [],
  decodeAnswer: () => null,
  scanner: () => {
    const facts = new GrowingFacts()
    facts.malformed = true
    return { facts, push: () => null, finish: () => null }
  },
  decoder: () => ({ push: () => [NO_STREAM] }),
} as const satisfies Partial<ProviderFormat>

/** Vectors are no text: only what they cost is told. */
export function factsOfVectors(usage: ReportedUsage | null): AnswerFacts {
  return {
    id: null,
    text: '',
    finishReason: null,
    usage,
    toolCalls: [],
    meanTokenProbability: null,
    refusal: null,
  }
}
