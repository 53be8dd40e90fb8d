// Protobuf fields as bytes, one after the other, into one growing buffer. Bytes that were made before are
// copied in; a nested message is opened, filled and closed, which sets its length.

const VARINT = 0
const FIXED_64 = 1
const LENGTH_DELIMITED = 2
const FIXED_32 = 5
const TWO_32 = 2 ** 32
/** Up to here bits can be shifted. */
const INT_MAX = 2 ** 31 - 1
/** Shorter texts are copied by hand: a call into the runtime costs more than they do. */
const SHORT_TEXT = 100
/** Room for a field's own bytes, whatever its kind, and a short text. */
const FIELD_BYTES_MAX = 128

/** In the value of a pair, as `AnyValue` has them. */
const TEXT_VALUE = 8 + LENGTH_DELIMITED
const VARINT_VALUE = 3 * 8 + VARINT

const EMPTY = Buffer.alloc(0)
/** Of a few fields. */
const FIELDS_BYTES = 1_024

/** What `write` writes, as bytes to be copied often. */
export function encoded(write: (to: ProtobufWriter) => void): Uint8Array {
  const writer = new ProtobufWriter(FIELDS_BYTES)
  write(writer)
  return new Uint8Array(writer.take())
}

/** A field with a name and a value up to where the value begins; two lengths are left out. */
export type PreparedPair = Uint8Array & { readonly __is: 'prepared pair' }

/** `field { 1: name, 2: { ... } }` */
export function preparedPair(field: number, name: string): PreparedPair {
  return encoded((to) => {
    to.begin(field, 0)
    to.text(1, name)
    to.begin(2, 0)
  }) as PreparedPair
}

export class ProtobufWriter {
  readonly #sizeGuess: number
  #bytes = EMPTY
  #at = 0
  #spare = EMPTY

  /** `sizeGuess`: what is likely to be written before it is taken, bytes. */
  constructor(sizeGuess: number) {
    this.#sizeGuess = sizeGuess
  }

  /** What was written since the last time, in a buffer of its own that may be given to another thread. */
  take(): Uint8Array<ArrayBuffer> {
    const taken = this.#bytes.subarray(0, this.#at)
    this.#bytes = EMPTY
    this.#at = 0
    return taken
  }

  /** A buffer that was taken, when nobody needs it any more: what is written next goes there. */
  giveBack(buffer: ArrayBuffer): void {
    this.#spare = Buffer.from(buffer)
  }

  /** Written since the last `take`, bytes. */
  get length(): number {
    return this.#at
  }

  /** Fields that are bytes already. */
  copy(fields: Uint8Array): void {
    this.#reserve(fields.length)
    this.#bytes.set(fields, this.#at)
    this.#at += fields.length
  }

  /** Begins a nested message; give what it returns to `close`. One byte is kept for a length below 128. */
  open(field: number): number {
    this.#tag(field, LENGTH_DELIMITED)
    return ++this.#at
  }

  /** Begins one that is likely longer: two bytes are kept, so that what is in it need not move. */
  openLong(field: number): number {
    this.#tag(field, LENGTH_DELIMITED)
    return (this.#at += 2)
  }

  /** What `openLong` began. */
  closeLong(start: number): void {
    const length = this.#at - start
    if (length < 128 || length >= 128 * 128) {
      this.#bytes.copyWithin(start - 1, start, this.#at)
      this.#at -= 1
      return this.close(start - 1)
    }
    this.#bytes[start - 2] = length | 128
    this.#bytes[start - 1] = length >> 7
  }

  /** Begins a nested message whose length is known: it needs no `close`. */
  begin(field: number, length: number): void {
    this.#tag(field, LENGTH_DELIMITED)
    this.#varint(length)
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

  /**
   * A prepared pair and the integer it ends with. Pairs are most of what is written, so both lengths are set
   * without opening and closing two messages.
   */
  integerPair(pair: PreparedPair, value: number): void {
    const valueAt = this.#beginPair(pair, VARINT_VALUE)
    this.#varint(value)
    this.#endPair(pair, valueAt)
  }

  /** false: the text is too long or not ASCII, and nothing was written. */
  textPair(pair: PreparedPair, value: string): boolean {
    const start = this.#at
    if (value.length > 127 - pair.length) return false
    const valueAt = this.#beginPair(pair, TEXT_VALUE)
    if (this.#shortAscii(value)) {
      this.#endPair(pair, valueAt)
      return true
    }
    this.#at = start
    return false
  }

  #beginPair(pair: PreparedPair, tag: number): number {
    this.#reserve(FIELD_BYTES_MAX + pair.length)
    this.#bytes.set(pair, this.#at)
    const valueAt = this.#at + pair.length
    this.#bytes[valueAt] = tag
    this.#at = valueAt + 1
    return valueAt
  }

  #endPair(pair: PreparedPair, valueAt: number): void {
    const valueLength = this.#at - valueAt
    this.#bytes[valueAt - 1] = valueLength
    this.#bytes[valueAt - pair.length + 1] = pair.length - 2 + valueLength
  }

  text(field: number, value: string): void {
    this.#tag(field, LENGTH_DELIMITED)
    if (value.length >= SHORT_TEXT || !this.#shortAscii(value)) this.#longText(value)
  }

  hex(field: number, value: string): void {
    this.#tag(field, LENGTH_DELIMITED)
    const length = value.length / 2
    this.#bytes[this.#at] = length
    this.#bytes.write(value, this.#at + 1, length, 'hex')
    this.#at += length + 1
  }

  /** Bytes given as 32-bit integers, the highest first. */
  words(field: number, words: readonly number[]): void {
    this.#tag(field, LENGTH_DELIMITED)
    const bytes = this.#bytes
    let at = this.#at
    bytes[at++] = words.length * 4
    for (let index = 0; index < words.length; index += 1) {
      const word = words[index] ?? 0
      bytes[at] = word >>> 24
      bytes[at + 1] = word >>> 16
      bytes[at + 2] = word >>> 8
      bytes[at + 3] = word
      at += 4
    }
    this.#at = at
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
    this.#word(value)
  }

  /** ms since 1970 as 64-bit nanoseconds, which no number holds: computed in two parts. */
  instant(field: number, ms: number): void {
    this.#tag(field, FIXED_64)
    const upperMs = Math.floor(ms / 2 ** 20)
    const upper = upperMs * 1e6
    const lower = Math.round((ms - upperMs * 2 ** 20) * 1e6)
    const highest = Math.floor(upper / 2 ** 12)
    const low = (upper - highest * 2 ** 12) * 2 ** 20 + lower
    const carry = Math.floor(low / TWO_32)
    this.#word(low - carry * TWO_32)
    this.#word(highest + carry)
  }

  #word(value: number): void {
    const bytes = this.#bytes
    const at = this.#at
    bytes[at] = value
    bytes[at + 1] = value >>> 8
    bytes[at + 2] = value >>> 16
    bytes[at + 3] = value >>> 24
    this.#at = at + 4
  }

  /** Also makes room for the field's own bytes, long texts excepted. */
  #tag(field: number, wireType: number): void {
    this.#reserve(FIELD_BYTES_MAX)
    this.#varint(field * 8 + wireType)
  }

  #shortAscii(value: string): boolean {
    const bytes = this.#bytes
    const start = this.#at + 1
    const { length } = value
    for (let index = 0; index < length; index += 1) {
      const code = value.charCodeAt(index)
      if (code > 127) return false
      bytes[start + index] = code
    }
    bytes[start - 1] = length
    this.#at = start + length
    return true
  }

  #longText(value: string): void {
    const length = Buffer.byteLength(value)
    this.#reserve(length + 8)
    this.#varint(length)
    this.#at += this.#bytes.write(value, this.#at, length, 'utf8')
  }

  #varint(value: number): void {
    const bytes = this.#bytes
    let at = this.#at
    let rest = value
    for (; rest > INT_MAX; rest = Math.floor(rest / 128)) bytes[at++] = (rest % 128) | 128
    for (; rest > 127; rest >>= 7) bytes[at++] = rest | 128
    bytes[at++] = rest
    this.#at = at
  }

  #reserve(count: number): void {
    if (this.#at + count > this.#bytes.length) this.#grow((this.#at + count) * 2)
  }

  #grow(size: number): void {
    const isFirst = this.#at === 0
    const larger =
      isFirst && this.#spare.length >= size
        ? this.#spare
        : Buffer.allocUnsafeSlow(isFirst ? Math.max(size, this.#sizeGuess) : size)
    if (larger === this.#spare) this.#spare = EMPTY
    this.#bytes.copy(larger, 0, 0, this.#at)
    this.#bytes = larger
  }
}

function varintSize(value: number): number {
  let size = 1
  for (let rest = value; rest > 127; rest = Math.floor(rest / 128)) size += 1
  return size
}
