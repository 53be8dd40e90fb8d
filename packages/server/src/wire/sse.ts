// Splits a byte stream into server-sent-event frames, whatever the chunks it arrives in. A frame keeps its
// own bytes, the blank line that ends it included, so that it can be passed on untouched. Lines end in LF or
// CRLF. A lone CR, which the standard allows and no provider sends, does not end a line here.

/** A frame that grows beyond this is no frame: whatever sends it is not a model. */
export const FRAME_BYTES_MAX = 1024 * 1024

const LF = 10
const CR = 13
const NO_FRAMES: readonly Buffer[] = []
const NO_BYTES = Buffer.alloc(0)
const SMALLEST_BUFFER = 1024

export class SseSplitter {
  /** A frame was larger than `FRAME_BYTES_MAX`. Nothing is read any more. */
  overflowed = false
  // The frame that is not whole yet is buffer[0, length); no blank line starts before `scanned`.
  private buffer: Buffer = NO_BYTES
  private length = 0
  private scanned = 0

  /** The frames that `chunk` completes. They stay valid: their bytes are never written again. */
  push(chunk: Uint8Array): readonly Buffer[] {
    if (this.overflowed || chunk.length === 0) return NO_FRAMES
    if (this.length === 0) return this.split(asBuffer(chunk), 0)
    this.append(chunk)
    return this.split(this.buffer.subarray(0, this.length), this.scanned)
  }

  /** The usual chunk: one whole frame, nothing before it and nothing behind. It passes without being cut. */
  isOneFrame(chunk: Buffer): boolean {
    if (this.length > 0 || this.overflowed || chunk.length > FRAME_BYTES_MAX) return false
    let newline = chunk.indexOf(LF)
    while (newline !== -1) {
      const end = blankLineEnd(chunk, newline)
      if (end !== -1) return end === chunk.length
      newline = chunk.indexOf(LF, newline + 1)
    }
    return false
  }

  get restLength(): number {
    return this.length
  }

  /** Bytes after the last whole frame. */
  rest(): Buffer {
    return this.buffer.subarray(0, this.length)
  }

  private split(bytes: Buffer, from: number): readonly Buffer[] {
    const frames: Buffer[] = []
    let start = 0
    let newline = bytes.indexOf(LF, from)
    while (newline !== -1) {
      const end = blankLineEnd(bytes, newline)
      if (end === -1) {
        newline = bytes.indexOf(LF, newline + 1)
        continue
      }
      if (end - start > FRAME_BYTES_MAX) return this.overflow(frames)
      frames.push(bytes.subarray(start, end))
      start = end
      newline = bytes.indexOf(LF, end)
    }
    if (bytes.length - start > FRAME_BYTES_MAX) return this.overflow(frames)
    this.keep(bytes, start)
    return frames
  }

  private overflow(frames: readonly Buffer[]): readonly Buffer[] {
    this.overflowed = true
    this.buffer = NO_BYTES
    this.length = 0
    return frames
  }

  private keep(bytes: Buffer, start: number): void {
    const rest = bytes.length - start
    // A newline near the end may turn out to be the first half of a blank line.
    this.scanned = Math.max(0, rest - 2)
    if (start === 0 && this.length > 0) return
    this.length = rest
    if (rest === 0) {
      this.buffer = NO_BYTES
      return
    }
    this.buffer = Buffer.allocUnsafe(Math.max(SMALLEST_BUFFER, rest * 2))
    bytes.copy(this.buffer, 0, start)
  }

  private append(chunk: Uint8Array): void {
    const length = this.length + chunk.length
    if (length > this.buffer.length) {
      const larger = Buffer.allocUnsafe(length * 2)
      this.buffer.copy(larger, 0, 0, this.length)
      this.buffer = larger
    }
    this.buffer.set(chunk, this.length)
    this.length = length
  }
}

export function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}

/** Where the blank line ends that begins after `newline`, or -1. */
function blankLineEnd(bytes: Buffer, newline: number): number {
  const next = bytes[newline + 1]
  if (next === LF) return newline + 2
  return next === CR && bytes[newline + 2] === LF ? newline + 3 : -1
}

export interface SseFrame {
  readonly event: string | null
  /** All data lines, joined by newlines; null when there is none (comments, keep-alives). */
  readonly data: string | null
  /** A line that is no field of the standard: HTML, a bare JSON body. */
  readonly foreign: boolean
}

const FIELDS = new Set(['data', 'event', 'id', 'retry'])

export function readFrame(bytes: Uint8Array): SseFrame {
  let event: string | null = null
  let foreign = false
  const data: string[] = []
  const text = asBuffer(bytes).toString('utf8')
  for (const ended of (text.charCodeAt(0) === 0xfeff ? text.slice(1) : text).split('\n')) {
    const line = ended.endsWith('\r') ? ended.slice(0, -1) : ended
    if (line === '' || line.startsWith(':')) continue
    const colon = line.indexOf(':')
    const field = colon === -1 ? line : line.slice(0, colon)
    const value = colon === -1 ? '' : line.slice(line[colon + 1] === ' ' ? colon + 2 : colon + 1)
    if (field === 'data') data.push(value)
    else if (field === 'event') event = value
    else if (!FIELDS.has(field)) foreign = true
  }
  return { event, data: data.length === 0 ? null : data.join('\n'), foreign }
}

export function dataFrame(json: string): string {
  return `data: ${json}\n\n`
}

export function eventFrame(event: string, json: string): string {
  return `event: ${event}\ndata: ${json}\n\n`
}
