// Bytes that arrive piece by piece, in one place. Keeping the pieces themselves would keep the network
// buffers they are slices of, and thousands of small objects alive for the garbage collector to carry along.

const FIRST_BYTES = 4 * 1024

export class ByteLog {
  #buffer: Buffer = Buffer.alloc(0)
  #length = 0

  get length(): number {
    return this.#length
  }

  push(bytes: Uint8Array): void {
    const length = this.#length + bytes.length
    if (length > this.#buffer.length) this.#grow(length)
    this.#buffer.set(bytes, this.#length)
    this.#length = length
  }

  /** Everything so far. Later pieces do not change what is given here. */
  bytes(): Uint8Array {
    return this.#buffer.subarray(0, this.#length)
  }

  #grow(length: number): void {
    const larger = Buffer.allocUnsafeSlow(Math.max(FIRST_BYTES, length * 2))
    larger.set(this.bytes())
    this.#buffer = larger
  }
}
