// Reads the responses of one connection, however their bytes are cut. What one read brought of a body is
// handed on in one piece: a provider that sends many small chunks at once costs one call.

import { type Framing, type ResponseHead, parseResponseHead } from './response-head.js'

export interface ResponseSink {
  /** Interim responses (1xx) are left out. */
  onHead(head: ResponseHead): void
  /** `bytes` is the sink's own. */
  onBody(bytes: Uint8Array): void
  onEnd(): void
}

/** Node's own limit is 16 KiB; some providers send long policies. */
const HEAD_BYTES_MAX = 64 * 1024
const SIZE_LINE_MAX = 4 * 1024
const TRAILER_BYTES_MAX = 16 * 1024
const HEAD_END = Buffer.from('\r\n\r\n')
const CR = 13
const LF = 10

type State = 'head' | 'fixed' | 'chunk-size' | 'chunk' | 'chunk-end' | 'trailer' | 'until-close' | 'ended'

export class ResponseReader {
  readonly #sink: ResponseSink
  #state: State = 'head'
  /** Bytes left of a fixed body or of a chunk. */
  #left = 0
  /** Begun and not complete: a head, a line. */
  #kept: Buffer | null = null
  /** What this read brought of the body so far: its first part, and the others if there are. */
  #part: Buffer | null = null
  #more: Buffer[] | null = null
  #trailerBytes = 0
  #hasExcess = false

  constructor(sink: ResponseSink) {
    this.#sink = sink
  }

  /** Bytes came that belong to no response: what comes next on this connection means nothing. */
  get hasExcess(): boolean {
    return this.#hasExcess
  }

  /** The next bytes are another response. */
  reset(): void {
    this.#state = 'head'
    this.#trailerBytes = 0
  }

  /**
   * Reads on. `bytes` may be used again when this returns. null, or what is wrong; then no more may be
   * pushed.
   */
  push(bytes: Buffer): string | null {
    const all = this.#kept === null ? bytes : Buffer.concat([this.#kept, bytes])
    this.#kept = null
    let at = 0
    while (at < all.length) {
      if (this.#state === 'ended') {
        this.#hasExcess = true
        break
      }
      const next = this.#step(all, at)
      if (typeof next === 'string') return next
      if (next === at) {
        this.#kept = Buffer.from(all.subarray(at))
        break
      }
      at = next
    }
    this.#handOn()
    if (this.#state === 'ended') this.#sink.onEnd()
    return null
  }

  /** The other side has closed. true: that was the proper end of a body without a length. */
  close(): boolean {
    if (this.#state !== 'until-close') return false
    this.#state = 'ended'
    this.#sink.onEnd()
    return true
  }

  /** Reads one element from `at`; where the next begins, `at` when bytes are missing, or what is wrong. */
  #step(all: Buffer, at: number): number | string {
    switch (this.#state) {
      case 'head':
        return this.#readHead(all, at)
      case 'fixed':
      case 'chunk':
        return this.#readBytes(all, at)
      case 'chunk-size':
        return this.#readChunkSize(all, at)
      case 'chunk-end':
        return this.#readChunkEnd(all, at)
      case 'trailer':
        return this.#readTrailer(all, at)
      default:
        this.#keepPart(all, at, all.length)
        return all.length
    }
  }

  #readHead(all: Buffer, at: number): number | string {
    const end = all.indexOf(HEAD_END, at)
    if (end === -1) return all.length - at > HEAD_BYTES_MAX ? 'the head is too long' : at
    const head = parseResponseHead(all.toString('latin1', at, end))
    if (head.kind === 'invalid') return `${head.problems[0]?.at ?? 'head'} ${head.problems[0]?.message ?? ''}`
    if (head.value.status >= 200) {
      this.#begin(head.value.framing)
      this.#sink.onHead(head.value)
    } else if (head.value.status === 101) {
      return 'the server changed the protocol'
    }
    return end + HEAD_END.length
  }

  #begin(framing: Framing): void {
    switch (framing.kind) {
      case 'fixed':
        this.#left = framing.bytes
        this.#state = framing.bytes === 0 ? 'ended' : 'fixed'
        return
      case 'chunked':
        this.#state = 'chunk-size'
        return
      case 'until-close':
        this.#state = 'until-close'
    }
  }

  #readBytes(all: Buffer, at: number): number {
    const end = Math.min(all.length, at + this.#left)
    this.#keepPart(all, at, end)
    this.#left -= end - at
    if (this.#left === 0) this.#state = this.#state === 'fixed' ? 'ended' : 'chunk-end'
    return end
  }

  #readChunkSize(all: Buffer, at: number): number | string {
    let size = 0
    let place = at
    for (; place < all.length; place += 1) {
      const digit = hexDigit(all[place] ?? 0)
      if (digit === -1) break
      size = size * 16 + digit
      if (size > Number.MAX_SAFE_INTEGER) return 'a chunk is too long'
    }
    // Extensions may follow; nobody uses them.
    const end = all[place] === CR ? place : all.indexOf('\r\n', place)
    if (end === -1 || end + 1 >= all.length)
      return all.length - at > SIZE_LINE_MAX ? 'a chunk size is too long' : at
    if (place === at || all[end + 1] !== LF || !isSizeEnd(all[place])) return 'a chunk size is no number'
    this.#left = size
    this.#state = size === 0 ? 'trailer' : 'chunk'
    return end + 2
  }

  #readChunkEnd(all: Buffer, at: number): number | string {
    if (at + 1 >= all.length) return at
    if (all[at] !== CR || all[at + 1] !== LF) return 'a chunk is longer than it says'
    this.#state = 'chunk-size'
    return at + 2
  }

  #readTrailer(all: Buffer, at: number): number | string {
    const end = all.indexOf('\r\n', at)
    this.#trailerBytes += (end === -1 ? all.length : end) - at
    if (this.#trailerBytes > TRAILER_BYTES_MAX) return 'the trailer is too long'
    if (end === -1) return at
    if (end === at) this.#state = 'ended'
    return end + 2
  }

  /** Copied at once, or by `#handOn`: the bytes belong to the reader of the socket. */
  #keepPart(all: Buffer, from: number, to: number): void {
    const part = all.subarray(from, to)
    if (this.#part === null) this.#part = part
    else if (this.#more === null) this.#more = [part]
    else this.#more.push(part)
  }

  #handOn(): void {
    const first = this.#part
    if (first === null) return
    const rest = this.#more
    this.#part = null
    this.#more = null
    this.#sink.onBody(rest === null ? Buffer.from(first) : Buffer.concat([first, ...rest]))
  }
}

function hexDigit(code: number): number {
  if (code >= 48 && code <= 57) return code - 48
  const lower = code | 32
  return lower >= 97 && lower <= 102 ? lower - 87 : -1
}

/** CR, or what begins an extension. */
function isSizeEnd(code: number | undefined): boolean {
  return code === CR || code === 59 || code === 32 || code === 9
}
