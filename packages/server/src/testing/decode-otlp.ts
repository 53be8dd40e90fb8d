// Reads OTLP trace requests back from their bytes, written against the protobuf wire format and not with the
// library that made them, so that a test sees what a collector sees.

import { requestFrame } from '../wire/otlp-protobuf.js'
import type { SpanWriter } from '../wire/span-writer.js'

export interface DecodedSpan {
  readonly traceId: string
  readonly spanId: string
  readonly parentSpanId: string
  readonly name: string
  /** 1 internal, 3 client. */
  readonly kind: number
  readonly startNano: bigint
  readonly endNano: bigint
  readonly attributes: Readonly<Record<string, unknown>>
  readonly events: readonly {
    readonly name: string
    readonly atNano: bigint
    readonly attributes: Readonly<Record<string, unknown>>
  }[]
  readonly links: readonly { readonly traceId: string; readonly spanId: string; readonly flags: number }[]
  /** 0 unset, 2 error. */
  readonly status: number
  /** The status' message; '' when it has none. */
  readonly error: string
  readonly flags: number
}

export interface DecodedRequest {
  readonly resource: Readonly<Record<string, unknown>>
  readonly scope: string
  readonly schemaUrl: string
  readonly spans: readonly DecodedSpan[]
}

export function decodeOtlp(bytes: Uint8Array): DecodedRequest {
  const resourceSpans = parse(only(parse(bytes).get(1)))
  const scopeSpans = parse(only(resourceSpans.get(2)))
  return {
    resource: attributesOf(parse(only(resourceSpans.get(1))).get(1)),
    scope: text(parse(only(scopeSpans.get(1))).get(1)),
    schemaUrl: text(scopeSpans.get(3)),
    spans: (scopeSpans.get(2) ?? []).map((span) => decodeSpan(parse(asBytes(span)))),
  }
}

/** The spans that were written since the last time. */
export function takeSpans(writer: SpanWriter): readonly DecodedSpan[] {
  const bytes = writer.take()
  const origin = { resource: {}, scope: 'test', schemaUrl: 'https://schema.example' }
  const { before, after } = requestFrame(origin, bytes.length)
  return decodeOtlp(Buffer.concat([before, bytes, after])).spans
}

type Value = Uint8Array | bigint
type Fields = ReadonlyMap<number, readonly Value[]>

function decodeSpan(span: Fields): DecodedSpan {
  return {
    traceId: hex(span.get(1)),
    spanId: hex(span.get(2)),
    parentSpanId: hex(span.get(4)),
    name: text(span.get(5)),
    kind: Number(span.get(6)?.[0] ?? 0),
    startNano: asBigint(span.get(7)),
    endNano: asBigint(span.get(8)),
    attributes: attributesOf(span.get(9)),
    events: (span.get(11) ?? []).map((event) => {
      const fields = parse(asBytes(event))
      return {
        name: text(fields.get(2)),
        atNano: asBigint(fields.get(1)),
        attributes: attributesOf(fields.get(3)),
      }
    }),
    links: (span.get(13) ?? []).map((link) => {
      const fields = parse(asBytes(link))
      return { traceId: hex(fields.get(1)), spanId: hex(fields.get(2)), flags: fixed32(fields.get(6)) }
    }),
    status: Number(parse(only(span.get(15))).get(3)?.[0] ?? 0),
    error: text(parse(only(span.get(15))).get(2)),
    flags: fixed32(span.get(16)),
  }
}

function parse(bytes: Uint8Array): Fields {
  const fields = new Map<number, Value[]>()
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  let at = 0
  const varint = () => {
    let value = 0n
    for (let shift = 0n; ; shift += 7n) {
      const byte = view.getUint8(at++)
      value |= BigInt(byte & 0x7f) << shift
      if (byte < 0x80) return value
    }
  }
  const take = (length: number) => {
    at += length
    return bytes.subarray(at - length, at)
  }
  while (at < bytes.length) {
    const tag = Number(varint())
    const value = readValue(tag & 7, { varint, take })
    fields.set(tag >> 3, [...(fields.get(tag >> 3) ?? []), value])
  }
  return fields
}

function readValue(
  wireType: number,
  { varint, take }: { readonly varint: () => bigint; readonly take: (length: number) => Uint8Array },
): Value {
  switch (wireType) {
    case 0:
      return varint()
    case 1:
      return take(8)
    case 2:
      return take(Number(varint()))
    case 5:
      return take(4)
    default:
      throw new Error(`wire type ${wireType} is not used by OTLP`)
  }
}

function attributesOf(pairs: readonly Value[] | undefined): Record<string, unknown> {
  return Object.fromEntries(
    (pairs ?? []).map((pair) => {
      const fields = parse(asBytes(pair))
      return [text(fields.get(1)), anyValue(parse(only(fields.get(2))))]
    }),
  )
}

function anyValue(value: Fields): unknown {
  const [kind] = [...value.keys()]
  switch (kind) {
    case 1:
      return text(value.get(1))
    case 2:
      return value.get(2)?.[0] === 1n
    case 3:
      return Number(BigInt.asIntN(64, asBigint(value.get(3))))
    case 4:
      return dataView(only(value.get(4))).getFloat64(0, true)
    case 5:
      return (parse(only(value.get(5))).get(1) ?? []).map((item) => anyValue(parse(asBytes(item))))
    default:
      throw new Error(`attribute values of kind ${kind} are not made by Spillway`)
  }
}

function dataView(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}

function asBytes(value: Value | undefined): Uint8Array {
  return value instanceof Uint8Array ? value : new Uint8Array()
}

function only(values: readonly Value[] | undefined): Uint8Array {
  return asBytes(values?.[0])
}

function asBigint(values: readonly Value[] | undefined): bigint {
  const value = values?.[0] ?? 0n
  return value instanceof Uint8Array ? dataView(value).getBigUint64(0, true) : value
}

function fixed32(values: readonly Value[] | undefined): number {
  const bytes = only(values)
  return bytes.length === 0 ? 0 : dataView(bytes).getUint32(0, true)
}

function hex(values: readonly Value[] | undefined): string {
  return Buffer.from(only(values)).toString('hex')
}

function text(values: readonly Value[] | undefined): string {
  return Buffer.from(only(values)).toString('utf8')
}
