// A stream as our types, one event at a time: what every format's stream is decoded into and encoded from.

import type { Citation, FinishReason, TokenLogprob } from '../core/model/message.js'
import type { ReportedUsage } from '../core/money/token-counts.js'

/** A provider's error answer, or an in-band error frame. */
export interface ProviderError {
  readonly type: string | null
  readonly code: string | null
  readonly message: string
}

/**
 * A stream as our types: for crossing formats. Block indexes count text, reasoning and tool calls together.
 */
export type StreamEvent =
  | {
      readonly kind: 'start'
      readonly id: string
      readonly model: string
      readonly usage: ReportedUsage | null
    }
  | { readonly kind: 'text-delta'; readonly text: string }
  /** `signed`: its signature follows in this stream, so it may be passed on at once as what it is. */
  | { readonly kind: 'reasoning-delta'; readonly text: string; readonly signed?: true }
  /** `id`: as of the part. */
  | { readonly kind: 'reasoning-signature'; readonly signature: string; readonly id?: string }
  /** A block of encrypted reasoning, whole. */
  | { readonly kind: 'reasoning-redacted'; readonly data: string; readonly id?: string }
  /** Of the text block that is being written. */
  | { readonly kind: 'citation'; readonly citation: Citation }
  /** Of the text that follows. */
  | { readonly kind: 'logprobs'; readonly logprobs: readonly TokenLogprob[] }
  | { readonly kind: 'refusal-delta'; readonly text: string }
  | {
      readonly kind: 'tool-call-start'
      readonly index: number
      readonly id: string
      readonly name: string
      readonly signature?: string
    }
  | { readonly kind: 'tool-call-delta'; readonly index: number; readonly argumentsJson: string }
  | {
      readonly kind: 'finish'
      readonly reason: FinishReason
      readonly raw: string | null
      readonly stopSequence: string | null
    }
  | { readonly kind: 'usage'; readonly usage: ReportedUsage }
  | { readonly kind: 'error'; readonly error: ProviderError }
  /** The format's own end marker (`[DONE]`, `message_stop`), where it has one. A stream without is broken. */
  | { readonly kind: 'end' }
