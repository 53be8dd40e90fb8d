// OTLP trace requests as protobuf bytes, in one pass. The general serializer walks every attribute twice
// through a generic writer, which costs several times what the rest of a span does; the messages are few and
// frozen (OTLP 1.x).

import type { AttributeValue, Attributes, SpanData } from './span-data.js'

/** Who sends the spans. */
export interface SpanOrigin {
  readonly resource: Attributes
  readonly scope: string
  readonly schemaUrl: string
}

/** An `ExportTraceServiceRequest`. */
export function encodeSpans(spans: readonly SpanData[], origin: SpanOrigin): Uint8Array {
  const writer = new ProtobufWriter(512 + spans.length * 1_024)
  const resourceSpans = writer.open(1)
  const resource = writer.open(1)
  writeAttributes(writer, 1, [origin.resource])
  writer.close(resource)
  const scopeSpans = writer.open(2)
  const scope = writer.open(1)
  writer.text(1, origin.scope)
  writer.close(scope)
  for (const span of spans) writeSpan(writer, span)
  writer.text(3, origin.schemaUrl)
  writer.close(scopeSpans)
  writer.close(resourceSpans)
  return writer.finish()
}

/**
 * `partial_success.rejected_spans` of an `ExportTraceServiceResponse`: spans the back-end did not take. 0
 * when there is none, or nothing that can be read.
 */
export function rejectedSpans(answer: Uint8Array): number {
  const partial = readField(answer, 1)
  return partial instanceof Uint8Array ? Number(readField(partial, 1) ?? 0) : 0
}

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

const KIND = { internal: 1, client: 3 } as const
const STATUS_ERROR = 2
const SAMPLED = 0x01
/** Says that the next flag is to be believed. */
const HAS_IS_REMOTE = 0x100
const IS_REMOTE = 0x200

function writeSpan(writer: ProtobufWriter, span: SpanData): void {
  const message = writer.open(2)
  writer.hex(1, span.traceId)
  writer.hex(2, span.spanId)
  if (span.parentSpanId !== null) writer.hex(4, span.parentSpanId)
  writer.text(5, span.name)
  writer.integer(6, KIND[span.kind])
  writer.instant(7, span.startMs)
  writer.instant(8, span.endMs)
  writeAttributes(writer, 9, span.attributes)
  for (const event of span.events) {
    const inner = writer.open(11)
    writer.instant(1, event.atMs)
    writer.text(2, event.name)
    writeAttributes(writer, 3, [event.attributes])
    writer.close(inner)
  }
  for (const link of span.links) {
    const inner = writer.open(13)
    writer.hex(1, link.traceId)
    writer.hex(2, link.spanId)
    writer.fixed32(6, HAS_IS_REMOTE | IS_REMOTE | (link.sampled ? SAMPLED : 0))
    writer.close(inner)
  }
  if (span.error !== null) {
    const status = writer.open(15)
    writer.text(2, span.error)
    writer.integer(3, STATUS_ERROR)
    writer.close(status)
  }
  writer.fixed32(16, SAMPLED | HAS_IS_REMOTE | (span.parentIsRemote ? IS_REMOTE : 0))
  writer.close(message)
}

function writeAttributes(writer: ProtobufWriter, field: number, sets: readonly Attributes[]): void {
  for (const set of sets) {
    for (const name in set) {
      const value = set[name]
      if (value === null || value === undefined) continue
      const pair = writer.open(field)
      writer.text(1, name)
      const any = writer.open(2)
      writeValue(writer, value)
      writer.close(any)
      writer.close(pair)
    }
  }
}

/** An `AnyValue`. */
function writeValue(writer: ProtobufWriter, value: AttributeValue): void {
  switch (typeof value) {
    case 'string':
      return writer.text(1, value)
    case 'boolean':
      return writer.integer(2, value ? 1 : 0)
    case 'number':
      return Number.isSafeInteger(value) ? writer.integer(3, value) : writer.double(4, value)
    default: {
      const array = writer.open(5)
      for (const item of value) {
        const any = writer.open(1)
        writer.text(1, item)
        writer.close(any)
      }
      writer.close(array)
    }
  }
}

const VARINT = 0
const FIXED_64 = 1
const LENGTH_DELIMITED = 2
const FIXED_32 = 5
const TWO_32 = 2 ** 32
/** Shorter texts are copied by hand: a call into the runtime costs more than they do. */
const SHORT_TEXT = 48

/**
 * Writes fields one after the other; a nested message is opened, filled, and closed, which sets its length.
 */
class ProtobufWriter {
  #bytes: Buffer
  #at = 0

  constructor(sizeGuess: number) {
    this.#bytes = Buffer.allocUnsafe(sizeGuess)
  }

  finish(): Uint8Array {
    return this.#bytes.subarray(0, this.#at)
  }

  /** Begins a nested message; give what it returns to `close`. One byte is kept for a length below 128. */
  open(field: number): number {
    this.#tag(field, LENGTH_DELIMITED)
    return ++this.#at
  }

  close(start: number): void {
    const length = this.#at - start
    if (length < 128) {
      this.#bytes[start - 1] = length
      return
    }
    const extra = varintSize(length) - 1
    this.#reserve(extra)
    this.#bytes.copyWithin(start + extra, start, this.#at)
    this.#at = start - 1
    this.#varint(length)
    this.#at += length
  }

  text(field: number, value: string): void {
    this.#tag(field, LENGTH_DELIMITED)
    const { length } = value
    if (length >= SHORT_TEXT || !this.#shortAscii(value)) this.#longText(value)
  }

  hex(field: number, value: string): void {
    this.#tag(field, LENGTH_DELIMITED)
    const length = value.length / 2
    this.#bytes[this.#at] = length
    this.#bytes.write(value, this.#at + 1, length, 'hex')
    this.#at += length + 1
  }

  integer(field: number, value: number): void {
    this.#tag(field, VARINT)
    if (value >= 0) return this.#varint(value)
    // A negative number is the two's complement in 64 bits: ten bytes.
    let rest = BigInt.asUintN(64, BigInt(value))
    for (; rest > 127n; rest >>= 7n) this.#bytes[this.#at++] = Number(rest & 127n) | 128
    this.#bytes[this.#at++] = Number(rest)
  }

  double(field: number, value: number): void {
    this.#tag(field, FIXED_64)
    this.#at = this.#bytes.writeDoubleLE(value, this.#at)
  }

  fixed32(field: number, value: number): void {
    this.#tag(field, FIXED_32)
    this.#at = this.#bytes.writeUInt32LE(value, this.#at)
  }

  /** ms since 1970 as 64-bit nanoseconds, which no number holds: computed in two halves. */
  instant(field: number, ms: number): void {
    this.#tag(field, FIXED_64)
    const seconds = Math.floor(ms / 1_000)
    const upper = Math.floor(seconds / 65_536) * 1e9
    const lower = (seconds % 65_536) * 1e9 + Math.round((ms - seconds * 1_000) * 1e6)
    const low = (upper % 65_536) * 65_536 + (lower % TWO_32)
    const high = Math.floor(upper / 65_536) + Math.floor(lower / TWO_32) + Math.floor(low / TWO_32)
    this.#bytes.writeUInt32LE(low % TWO_32, this.#at)
    this.#at = this.#bytes.writeUInt32LE(high, this.#at + 4)
  }

  /** Also makes room for the field's own bytes, whatever its kind, texts excepted. */
  #tag(field: number, wireType: number): void {
    this.#reserve(64)
    this.#varint(field * 8 + wireType)
  }

  #shortAscii(value: string): boolean {
    const bytes = this.#bytes
    const start = this.#at + 1
    for (let index = 0; index < value.length; index += 1) {
      const code = value.charCodeAt(index)
      if (code > 127) return false
      bytes[start + index] = code
    }
    bytes[this.#at] = value.length
    this.#at = start + value.length
    return true
  }

  #longText(value: string): void {
    const length = Buffer.byteLength(value)
    this.#reserve(length + 8)
    this.#varint(length)
    this.#at += this.#bytes.write(value, this.#at, length, 'utf8')
  }

  #varint(value: number): void {
    let rest = value
    while (rest > 127) {
      this.#bytes[this.#at++] = (rest % 128) | 128
      rest = Math.floor(rest / 128)
    }
    this.#bytes[this.#at++] = rest
  }

  #reserve(count: number): void {
    if (this.#at + count <= this.#bytes.length) return
    const larger = Buffer.allocUnsafe((this.#bytes.length + count) * 2)
    this.#bytes.copy(larger, 0, 0, this.#at)
    this.#bytes = larger
  }
}

function varintSize(value: number): number {
  let size = 1
  for (let rest = value; rest > 127; rest = Math.floor(rest / 128)) size += 1
  return size
}
