// The checksum of the framing (CRC-32 of IEEE 802.3, as in gzip), four bytes at a time: it is taken of every
// frame of a stream.

const POLYNOMIAL = 0xedb88320
const BITS = 8
const STEP = 4

// The value of one byte, and of one byte with one, two and three zero bytes behind it.
const T0 = new Int32Array(256).map((_, byte) => {
  let value = byte
  for (let bit = 0; bit < BITS; bit += 1) value = value & 1 ? (value >>> 1) ^ POLYNOMIAL : value >>> 1
  return value
})
const T1 = T0.map(shifted)
const T2 = T1.map(shifted)
const T3 = T2.map(shifted)

function shifted(value: number): number {
  return (value >>> 8) ^ (T0[value & 0xff] ?? 0)
}

/** Of the first `end` bytes; 32 bits, unsigned. */
export function crc32(bytes: Uint8Array, end: number): number {
  let crc = -1
  let at = 0
  for (; at + STEP <= end; at += STEP) {
    const b0 = bytes[at] ?? 0
    const b1 = bytes[at + 1] ?? 0
    const b2 = bytes[at + 2] ?? 0
    const b3 = bytes[at + 3] ?? 0
    const word = crc ^ (b0 | (b1 << 8) | (b2 << 16) | (b3 << 24))
    crc =
      (T3[word & 0xff] ?? 0) ^
      (T2[(word >>> 8) & 0xff] ?? 0) ^
      (T1[(word >>> 16) & 0xff] ?? 0) ^
      (T0[word >>> 24] ?? 0)
  }
  for (; at < end; at += 1) crc = (crc >>> 8) ^ (T0[(crc ^ (bytes[at] ?? 0)) & 0xff] ?? 0)
  return (crc ^ -1) >>> 0
}
