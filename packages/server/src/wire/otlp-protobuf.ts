// An OTLP trace request around spans that are bytes already, and what the answer to it says.

import { type ProtobufWriter, encoded } from './protobuf-writer.js'
import { type Attributes, writeAttributes } from './span-writer.js'

/** Who sends the spans. */
export interface SpanOrigin {
  readonly resource: Attributes
  readonly scope: string
  readonly schemaUrl: string
}

/** An `ExportTraceServiceRequest` is `before`, then `spansBytes` bytes of spans, then `after`. */
export interface RequestFrame {
  readonly before: Uint8Array
  readonly after: Uint8Array
}

export function requestFrame(origin: SpanOrigin, spansBytes: number): RequestFrame {
  const resource = encoded((to) => writeMessage(to, () => writeAttributes(to, 1, origin.resource)))
  const scope = encoded((to) => writeMessage(to, () => to.text(1, origin.scope)))
  const after = encoded((to) => to.text(3, origin.schemaUrl))
  const scopeSpansBytes = scope.length + spansBytes + after.length
  const scopeSpans = encoded((to) => to.begin(2, scopeSpansBytes))
  const before = encoded((to) => {
    to.begin(1, resource.length + scopeSpans.length + scopeSpansBytes)
    to.copy(resource)
    to.copy(scopeSpans)
    to.copy(scope)
  })
  return { before, after }
}

/** `Resource` and `InstrumentationScope` are both the first field of what holds them. */
function writeMessage(to: ProtobufWriter, write: () => void): void {
  const start = to.open(1)
  write()
  to.close(start)
}

/**
 * `partial_success.rejected_spans` of an `ExportTraceServiceResponse`: spans the back-end did not take. 0
 * when there is none, or nothing that can be read.
 */
export function rejectedSpans(answer: Uint8Array): number {
  const partial = readField(answer, 1)
  return partial instanceof Uint8Array ? Number(readField(partial, 1) ?? 0) : 0
}

const VARINT = 0
const LENGTH_DELIMITED = 2

/** The first field of that number, if varints and texts are all that comes before it. */
function readField(bytes: Uint8Array, wanted: number): number | Uint8Array | null {
  let at = 0
  const varint = () => {
    let value = 0
    for (let scale = 1; at < bytes.length; scale *= 128) {
      const byte = bytes[at++] ?? 0
      value += (byte & 127) * scale
      if (byte < 128) return value
    }
    return value
  }
  while (at < bytes.length) {
    const tag = varint()
    const value = varint()
    const isText = (tag & 7) === LENGTH_DELIMITED
    if (!isText && (tag & 7) !== VARINT) return null
    if (tag >> 3 === wanted) return isText ? bytes.subarray(at, at + value) : value
    if (isText) at += value
  }
  return null
}
