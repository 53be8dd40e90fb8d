// Spans as the bytes of OTLP 1.x, written field by field where values differ from span to span, and copied
// from templates where they do not. Fields may come in any order, so a template needs no gaps.

import { type PreparedPair, ProtobufWriter, encoded, preparedPair } from './protobuf-writer.js'
import type { RemoteSpan, SpanId, TraceId } from './trace-context.js'

export type AttributeValue = string | number | boolean | readonly string[]
/** null: not known, left out. A back-end must not take nothing for a value. */
export type Attributes = Readonly<Record<string, AttributeValue | null>>

/** Where and when a span is. */
export interface SpanPlace {
  readonly traceId: TraceId
  readonly spanId: SpanId
  readonly parentSpanId: SpanId | null
  /** The parent belongs to another process. */
  readonly parentIsRemote: boolean
  readonly startMs: number
  readonly endMs: number
}

/** What many spans have in common. */
export interface SpanConstants {
  readonly name: string
  readonly kind: 'internal' | 'client'
  readonly attributes: Attributes
  /** What went wrong, low cardinality; null: nothing did. */
  readonly error: string | null
}

const KIND = { internal: 1, client: 3 } as const
const STATUS_ERROR = 2
const SAMPLED = 0x01
/** Says that the next flag is to be believed. */
const HAS_IS_REMOTE = 0x100
const IS_REMOTE = 0x200
/** Fields of `ScopeSpans`, `Span` and `Event`. */
const SPANS = 2
const ATTRIBUTES = 9
const EVENT_TIME = 1
const EVENT_ATTRIBUTES = 3
/** A fixed64 with its tag. */
const EVENT_TIME_BYTES = 9

export class SpanWriter {
  readonly #to: ProtobufWriter
  #start = 0
  #spans = 0

  /** `sizeGuess`: what is likely to be written before it is taken, bytes. */
  constructor(sizeGuess: number) {
    this.#to = new ProtobufWriter(sizeGuess)
  }

  /** Written since the last `take`. */
  get spans(): number {
    return this.#spans
  }

  get bytes(): number {
    return this.#to.length
  }

  /** The spans as fields of a `ScopeSpans`, in a buffer of their own. */
  take(): Uint8Array<ArrayBuffer> {
    this.#spans = 0
    return this.#to.take()
  }

  /** A buffer that was taken, when nobody needs it any more. */
  giveBack(buffer: ArrayBuffer): void {
    this.#to.giveBack(buffer)
  }

  begin(place: SpanPlace): void {
    const to = this.#to
    this.#start = to.openLong(SPANS)
    to.words(1, place.traceId)
    to.words(2, place.spanId)
    if (place.parentSpanId !== null) to.words(4, place.parentSpanId)
    to.instant(7, place.startMs)
    to.instant(8, place.endMs)
    to.fixed32(16, SAMPLED | HAS_IS_REMOTE | (place.parentIsRemote ? IS_REMOTE : 0))
  }

  end(): void {
    this.#to.closeLong(this.#start)
    this.#spans += 1
  }

  /** What `spanTemplate` or `attributesTemplate` made. */
  template(bytes: Uint8Array): void {
    this.#to.copy(bytes)
  }

  /** What `eventTemplate` made, with its time. */
  event(bytes: Uint8Array, atMs: number): void {
    this.#to.copy(bytes)
    this.#to.instant(EVENT_TIME, atMs)
  }

  /** A span of another trace that asked for this one. */
  link({ traceId, spanId, sampled }: RemoteSpan): void {
    const link = this.#to.open(13)
    this.#to.hex(1, traceId)
    this.#to.hex(2, spanId)
    this.#to.fixed32(6, HAS_IS_REMOTE | IS_REMOTE | (sampled ? SAMPLED : 0))
    this.#to.close(link)
  }

  text(name: AttributeName, value: string | null): void {
    if (value === null || this.#to.textPair(name.pair, value)) return
    this.#attribute(name, value)
  }

  number(name: AttributeName, value: number | null): void {
    if (value === null) return
    if (value >= 0 && Number.isSafeInteger(value)) this.#to.integerPair(name.pair, value)
    else this.#attribute(name, value)
  }

  texts(name: AttributeName, values: readonly string[]): void {
    this.#attribute(name, values)
  }

  /** Zero is the normal case and need not be said in every span. */
  count(name: AttributeName, value: number): void {
    if (value !== 0) this.number(name, value)
  }

  #attribute({ text }: AttributeName, value: AttributeValue): void {
    writeAttributes(this.#to, ATTRIBUTES, { [text]: value })
  }
}

/** The name of an attribute, prepared for being written often. */
export interface AttributeName {
  readonly text: string
  readonly pair: PreparedPair
}

export function attributeName(text: string): AttributeName {
  return { text, pair: preparedPair(ATTRIBUTES, text) }
}

export function spanTemplate({ name, kind, attributes, error }: SpanConstants): Uint8Array {
  return encoded((to) => {
    to.text(5, name)
    to.integer(6, KIND[kind])
    writeAttributes(to, ATTRIBUTES, attributes)
    if (error === null) return
    const status = to.open(15)
    to.text(2, error)
    to.integer(3, STATUS_ERROR)
    to.close(status)
  })
}

export function attributesTemplate(attributes: Attributes): Uint8Array {
  return encoded((to) => writeAttributes(to, ATTRIBUTES, attributes))
}

/** An event but for its time, which has to follow: it is counted in the length. */
export function eventTemplate(name: string, attributes: Attributes): Uint8Array {
  const fields = encoded((to) => {
    to.text(2, name)
    writeAttributes(to, EVENT_ATTRIBUTES, attributes)
  })
  return encoded((to) => {
    to.begin(11, fields.length + EVENT_TIME_BYTES)
    to.copy(fields)
  })
}

/** As `KeyValue`s. */
export function writeAttributes(to: ProtobufWriter, field: number, set: Attributes): void {
  for (const [name, value] of Object.entries(set)) {
    if (value === null) continue
    const pair = to.open(field)
    to.text(1, name)
    const any = to.open(2)
    writeValue(to, value)
    to.close(any)
    to.close(pair)
  }
}

/** An `AnyValue`. */
function writeValue(to: ProtobufWriter, value: AttributeValue): void {
  switch (typeof value) {
    case 'string':
      return to.text(1, value)
    case 'boolean':
      return to.integer(2, value ? 1 : 0)
    case 'number':
      return Number.isSafeInteger(value) ? to.integer(3, value) : to.double(4, value)
    default: {
      const array = to.open(5)
      for (const text of value) {
        const any = to.open(1)
        to.text(1, text)
        to.close(any)
      }
      to.close(array)
    }
  }
}
