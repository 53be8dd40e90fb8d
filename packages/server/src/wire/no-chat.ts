// What a format of embeddings says where it is asked for a conversation: nothing in it has an equal, and
// nothing streams.

import { invalid } from '../core/parsed.js'
import type { ProviderFormat, ScannerOptions, StreamEvent, StreamScanner } from './format.js'
import { GrowingFacts } from './scan-frames.js'

export const NO_EQUAL = 'embeddings cannot be expressed in another format'

const NO_STREAM: StreamEvent = {
  kind: 'error',
  error: { type: 'invalid_stream', code: null, message: 'embeddings do not stream' },
}

export const NO_CHAT: Pick<
  ProviderFormat,
  'encodeRequest' | 'leavesOut' | 'decodeAnswer' | 'scanner' | 'decoder'
> = {
  encodeRequest: () => invalid('', NO_EQUAL),
  leavesOut: () => [],
  decodeAnswer: () => null,
  scanner: noStream,
  decoder: () => ({ push: () => [NO_STREAM] }),
}

function noStream(_options: ScannerOptions): StreamScanner {
  const facts = new GrowingFacts()
  facts.malformed = true
  return { facts, push: () => null, finish: () => null }
}
