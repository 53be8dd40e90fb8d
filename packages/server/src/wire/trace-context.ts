// W3C Trace Context, and where the spans of a task hang: ids are hashes of our own ids, so that whoever
// exports a task, and however often, gives its spans the same ids.

import { type Words128, murmur128 } from './murmur.js'

/** Ids are 32-bit integers, the highest first, on the way to bytes. */
export type TraceId = Words128
export type SpanId = readonly [number, number]

/** A caller's span, from `traceparent`. */
export interface RemoteSpan {
  /** 32 hex digits. */
  readonly traceId: string
  /** 16 hex digits. */
  readonly spanId: string
  readonly sampled: boolean
}

export interface TaskSpanContext {
  readonly traceId: TraceId
  readonly spanId: SpanId
  readonly parentSpanId: SpanId | null
  /** Whose span the parent is. */
  readonly parent: RemoteSpan | null
}

const TRACEPARENT = /^(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/

/**
 * null for anything invalid, which the standard says to ignore. Later versions may append fields; version 00
 * not.
 */
export function parseTraceparent(text: string | null): RemoteSpan | null {
  if (text === null) return null
  const [, traceId, spanId, flags, more] = TRACEPARENT.exec(text) ?? []
  if (traceId === undefined || spanId === undefined || flags === undefined) return null
  if (more !== undefined && text.startsWith('00')) return null
  return { traceId, spanId, sampled: (Number.parseInt(flags, 16) & 1) === 1 }
}

/**
 * The opening of the task, else its first call, that comes with a `traceparent` makes its trace the task's.
 */
export function taskSpanContext(task: string, parent: RemoteSpan | null): TaskSpanContext {
  const hash = murmur128(task)
  const spanId = folded(hash)
  if (parent === null) return { traceId: hash, spanId, parentSpanId: null, parent }
  const { traceId, spanId: parentId } = parent
  return {
    traceId: [wordAt(traceId, 0), wordAt(traceId, 8), wordAt(traceId, 16), wordAt(traceId, 24)],
    spanId,
    parentSpanId: [wordAt(parentId, 0), wordAt(parentId, 8)],
    parent,
  }
}

export function spanIdOf(id: string): SpanId {
  return folded(murmur128(id))
}

/** A task's own span is not named by a part of its trace's id. */
function folded(hash: Words128): SpanId {
  return [hash[0] ^ hash[2], hash[1] ^ hash[3]]
}

function wordAt(hex: string, at: number): number {
  return Number.parseInt(hex.slice(at, at + 8), 16) | 0
}
