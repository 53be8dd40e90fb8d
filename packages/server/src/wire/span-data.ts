// A finished span as a plain value, between the books it is made from and the bytes it is sent as.

import type { RemoteSpan } from './trace-context.js'

export type AttributeValue = string | number | boolean | readonly string[]
/** null: not known, left out. A back-end must not take nothing for a value. */
export type Attributes = Readonly<Record<string, AttributeValue | null>>

export interface SpanEvent {
  readonly name: string
  readonly atMs: number
  readonly attributes: Attributes
}

export interface SpanData {
  /** 32 and 16 hex digits. */
  readonly traceId: string
  readonly spanId: string
  readonly parentSpanId: string | null
  /** The parent belongs to another process. */
  readonly parentIsRemote: boolean
  readonly name: string
  readonly kind: 'internal' | 'client'
  readonly startMs: number
  readonly endMs: number
  /** In sets, each made in one piece: joining them would cost more than making them. */
  readonly attributes: readonly Attributes[]
  /** Spans of other traces that asked for this one. */
  readonly links: readonly RemoteSpan[]
  readonly events: readonly SpanEvent[]
  /** What went wrong, low cardinality; null: nothing did. */
  readonly error: string | null
}
