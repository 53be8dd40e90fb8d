// An answer of a model, wherever it is by now: whole, held back, or already on its way to the caller.

import type { ModelEntry, Deployment } from '../../core/release/release.js'
import type { AnswerFacts, ProviderError, StreamScanner } from '../../wire/format.js'

interface AnswerCommon {
  readonly model: ModelEntry
  readonly deployment: Deployment
  /** The budget allowed fewer output tokens than the caller, or else the model, would have. */
  readonly shrunk: boolean
  /**
   * Text, finish reason, tool calls. Computed on first use: a passed-through stream is not parsed for
   * nothing.
   */
  facts(): AnswerFacts
}

export type Answer =
  /** JSON in the caller's format. */
  | (AnswerCommon & {
      readonly kind: 'whole'
      readonly body: Uint8Array
      readonly headers: Readonly<Record<string, string>>
    })
  /** A stream that the caller has not seen yet. */
  | (AnswerCommon & {
      readonly kind: 'held'
      readonly frames: Uint8Array
      readonly scanner: StreamScanner
      readonly end: HeldEnd
    })
  /** A stream the caller has seen up to its last frames; `kept` are the frames, while small enough. */
  | (AnswerCommon & {
      readonly kind: 'streamed'
      readonly scanner: StreamScanner
      readonly kept: Uint8Array | null
      readonly end: StreamedEnd
    })

export type HeldEnd =
  | { readonly kind: 'complete' }
  | { readonly kind: 'cut'; readonly by: 'outputTokens' | 'deadline' }

export type StreamedEnd =
  | HeldEnd
  | { readonly kind: 'caller-left' }
  /** `error`: what the provider said in band, without secrets. */
  | { readonly kind: 'failed'; readonly end: string; readonly error: ProviderError | null }
