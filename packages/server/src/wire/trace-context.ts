// W3C Trace Context, and where the spans of a task hang: ids are hashes of our own ids, so that whoever
// exports a task, and however often, gives its spans the same ids.

/** A caller's span, from `traceparent`. */
export interface RemoteSpan {
  /** 32 hex digits. */
  readonly traceId: string
  /** 16 hex digits. */
  readonly spanId: string
  readonly sampled: boolean
}

export interface TaskSpanContext {
  readonly traceId: string
  readonly spanId: string
  readonly parent: RemoteSpan | null
}

/** SHA-256 of a text, hex. */
export type Hash = (text: string) => string

const TRACEPARENT = /^(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/

/**
 * null for anything invalid, which the standard says to ignore. Later versions may append fields; version 00
 * not.
 */
export function parseTraceparent(text: string | null): RemoteSpan | null {
  const [, traceId, spanId, flags, more] = TRACEPARENT.exec(text ?? '') ?? []
  if (traceId === undefined || spanId === undefined || flags === undefined) return null
  if (more !== undefined && text?.startsWith('00') === true) return null
  return { traceId, spanId, sampled: (Number.parseInt(flags, 16) & 1) === 1 }
}

/**
 * The opening of the task, else its first call, that comes with a `traceparent` makes its trace the task's.
 */
export function taskSpanContext(task: string, parent: RemoteSpan | null, hash: Hash): TaskSpanContext {
  return { traceId: parent?.traceId ?? hash(task).slice(0, 32), spanId: spanIdOf(task, hash), parent }
}

export function spanIdOf(id: string, hash: Hash): string {
  return hash(`span:${id}`).slice(0, 16)
}
