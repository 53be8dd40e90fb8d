// A finished span as a plain value, between the books it is made from and the bytes it is sent as.

import type { RemoteSpan } from './trace-context.js'

export type AttributeValue = string | number | boolean | readonly string[]
export type Attributes = Readonly<Record<string, AttributeValue>>

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
  readonly attributes: Attributes
  /** Spans of other traces that asked for this one. */
  readonly links: readonly RemoteSpan[]
  readonly events: readonly SpanEvent[]
  /** What went wrong, low cardinality; null: nothing did. */
  readonly error: string | null
}

/** Leaves out what is not known: a back-end must not take null for a value. */
export function defined(attributes: Readonly<Record<string, AttributeValue | null>>): Attributes {
  const known: Record<string, AttributeValue> = {}
  for (const [name, value] of Object.entries(attributes)) if (value !== null) known[name] = value
  return known
}
