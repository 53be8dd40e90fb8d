// JSON as bytes. Node measures a text before it writes it, which takes as long as writing: into a buffer that
// is large enough in any case a text is written at once, and then copied.

const SCRATCH_BYTES = 256 * 1024
/** A UTF-16 unit is at most so many bytes of UTF-8. */
const UNIT_BYTES_MAX = 3

const scratch = Buffer.allocUnsafeSlow(SCRATCH_BYTES)

/** The same as `Buffer.from(JSON.stringify(value))`. */
export function jsonBytes(value: unknown): Buffer {
  const text = JSON.stringify(value)
  if (text.length * UNIT_BYTES_MAX > SCRATCH_BYTES) return Buffer.from(text)
  return Buffer.from(scratch.subarray(0, scratch.write(text)))
}
