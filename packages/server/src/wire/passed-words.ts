// Words of frames that took the shortcut, as the JSON they came in: some formats repeat them all in the end,
// and putting them together once is cheaper than reading each.

/** Bytes kept at most before they are read. */
export const PASSED_BYTES_MAX = 64 * 1024
const FIRST_BYTES = 1024

export class PassedWords {
  private buffer = Buffer.allocUnsafeSlow(FIRST_BYTES)
  private length = 1
  private frames = 0

  constructor() {
    this.buffer[0] = QUOTE
  }

  /** false: there is no room for them; what is here has to be taken first. */
  push(frame: Buffer, start: number, end: number): boolean {
    const needed = this.length + end - start + 1
    if (needed > this.buffer.length && !this.grow(needed)) return false
    let at = this.length
    for (let index = start; index < end; index += 1) {
      this.buffer[at] = frame[index] ?? 0
      at += 1
    }
    this.length = at
    this.frames += 1
    return true
  }

  private grow(needed: number): boolean {
    if (needed > PASSED_BYTES_MAX) return false
    const larger = Buffer.allocUnsafeSlow(Math.min(PASSED_BYTES_MAX, needed * 2))
    this.buffer.copy(larger, 0, 0, this.length)
    this.buffer = larger
    return true
  }

  /** Everything since the last time; null: nothing. */
  take(): { readonly words: string; readonly frames: number } | null {
    if (this.frames === 0) return null
    this.buffer[this.length] = QUOTE
    const words = JSON.parse(this.buffer.toString('utf8', 0, this.length + 1)) as string
    const { frames } = this
    this.length = 1
    this.frames = 0
    return { words, frames }
  }
}

const QUOTE = 0x22
