// Spans as the bytes of an OTLP export request, and back-end answers that took only some of them.

import { ProtobufTraceSerializer } from '@opentelemetry/otlp-transformer'
import { SCHEMA_URL } from '../../wire/otel-genai.js'
import type { Attributes, SpanData } from '../../wire/span-data.js'

type ReadableSpan = Parameters<typeof ProtobufTraceSerializer.serializeRequest>[0][number]

/** Who sends the spans: one per process, because the serializer groups spans by its identity. */
export interface SpanOrigin {
  readonly resource: ReadableSpan['resource']
  readonly scope: ReadableSpan['instrumentationScope']
}

export function spanOrigin(resource: Attributes): SpanOrigin {
  // The serializer reads only the attributes of a resource; merging and detection belong to the SDK we do without.
  const bare = { attributes: resource } as unknown as ReadableSpan['resource']
  return { resource: bare, scope: { name: 'spillway', schemaUrl: SCHEMA_URL } }
}

export function encodeSpans(spans: readonly SpanData[], origin: SpanOrigin): Uint8Array {
  return ProtobufTraceSerializer.serializeRequest(spans.map((span) => readable(span, origin))) ?? new Uint8Array()
}

/** Spans the back-end says it did not take; 0 when it says nothing that can be read. */
export function rejectedSpans(answer: Uint8Array): number {
  if (answer.length === 0) return 0
  try {
    return Number(ProtobufTraceSerializer.deserializeResponse(answer).partialSuccess?.rejectedSpans ?? 0)
  } catch {
    return 0
  }
}

const INTERNAL = 0
const CLIENT = 2
const UNSET = 0
const ERROR = 2
const SAMPLED = 1

function readable(span: SpanData, { resource, scope }: SpanOrigin): ReadableSpan {
  const { traceId, spanId, parentSpanId, parentIsRemote: isRemote } = span
  const parent = { traceId, spanId: parentSpanId ?? '', traceFlags: SAMPLED, isRemote }
  return {
    name: span.name,
    kind: span.kind === 'client' ? CLIENT : INTERNAL,
    spanContext: () => ({ traceId, spanId, traceFlags: SAMPLED }),
    ...(parentSpanId === null ? {} : { parentSpanContext: parent }),
    startTime: instant(span.startMs),
    endTime: instant(span.endMs),
    duration: instant(span.endMs - span.startMs),
    ended: true,
    status: span.error === null ? { code: UNSET } : { code: ERROR, message: span.error },
    attributes: mutable(span.attributes),
    links: span.links.map((link) => ({
      context: { traceId: link.traceId, spanId: link.spanId, traceFlags: link.sampled ? SAMPLED : 0, isRemote: true },
    })),
    events: span.events.map((event) => ({
      name: event.name,
      time: instant(event.atMs),
      attributes: mutable(event.attributes),
    })),
    resource,
    instrumentationScope: scope,
    droppedAttributesCount: 0,
    droppedEventsCount: 0,
    droppedLinksCount: 0,
  }
}

/** Seconds and nanoseconds: a time in nanoseconds does not fit a number. */
function instant(ms: number): [number, number] {
  const seconds = Math.floor(ms / 1_000)
  return [seconds, Math.round((ms - seconds * 1_000) * 1e6)]
}

function mutable(attributes: Attributes): ReadableSpan['attributes'] {
  return attributes as ReadableSpan['attributes']
}
