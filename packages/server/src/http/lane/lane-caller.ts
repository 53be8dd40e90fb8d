// One answer on a lane: HTTP/1.1 framing around what the engine says. The head waits for the first bytes of
// the body, so that a whole answer is one write.

import { STATUS_CODES } from 'node:http'
import type { Socket } from 'node:net'
import type { Caller } from '../../engine/ports.js'
import { isFieldValue } from '../../wire/http-field.js'

export interface LaneAnswer {
  readonly socket: Socket
  /** The end of a line, then date and what becomes of the connection, as complete header lines. */
  lastLines(): string
  /** The answer is complete. */
  onEnd(): void
}

const LAST_CHUNK = '0\r\n\r\n'
const OK = 'HTTP/1.1 200 OK'

/** By name: the names are our own, a few dozen. Pieces that are made once need not be joined each time. */
const LINE_STARTS = new Map<string, string>()

function lineStart(name: string): string {
  const known = LINE_STARTS.get(name)
  if (known !== undefined) return known
  const start = `\r\n${name}: `
  LINE_STARTS.set(name, start)
  return start
}

export class LaneCaller implements Caller {
  readonly #lane: LaneAnswer
  /** Not written yet. */
  #head = ''
  #begun = false
  #isChunked = false
  #isDone = false
  #runGone: (() => void)[] = []

  constructor(lane: LaneAnswer) {
    this.#lane = lane
  }

  get gone(): boolean {
    return this.#lane.socket.destroyed && !this.#isDone
  }

  get begun(): boolean {
    return this.#begun
  }

  /** `end` was called. */
  get isDone(): boolean {
    return this.#isDone
  }

  get remoteAddress(): string | undefined {
    return this.#lane.socket.remoteAddress
  }

  begin(status: number, headers: Readonly<Record<string, string>>): void {
    if (this.#begun) return
    let head = status === 200 ? OK : `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? 'Unknown'}`
    for (const name in headers) {
      const value = headers[name] ?? ''
      // The same rule as `node:http`: nothing a caller or a configuration said can begin a line.
      if (!isFieldValue(value)) throw new Error(`the response header ${name} has forbidden characters`)
      head += lineStart(name) + value
    }
    this.#begun = true
    this.#isChunked = headers['content-length'] === undefined
    this.#head = head + this.#lane.lastLines()
  }

  write(chunk: Uint8Array | string): boolean {
    const bytes = bytesOf(chunk)
    if (bytes.length === 0) return true
    return this.#send(bytes, '')
  }

  end(chunk?: Uint8Array | string): void {
    if (this.#isDone) return
    this.#isDone = true
    this.#runGone = []
    const bytes = chunk === undefined ? NO_BYTES : bytesOf(chunk)
    if (this.#head !== '' && this.#isChunked) {
      // Nothing was written before: the length is known after all.
      this.#isChunked = false
      this.#head += `content-length: ${bytes.length}\r\n`
    }
    this.#send(bytes, this.#isChunked ? LAST_CHUNK : '')
    this.#lane.onEnd()
  }

  destroy(): void {
    this.#lane.socket.destroy()
  }

  onDrain(run: () => void): void {
    this.#lane.socket.once('drain', run)
  }

  onGone(run: () => void): void {
    if (this.gone) run()
    else this.#runGone.push(run)
  }

  /** The connection is closed. */
  leave(): void {
    const all = this.#runGone
    this.#runGone = []
    for (const run of all) run()
  }

  /** Head, framing, bytes and `tail` in one write. */
  #send(bytes: Uint8Array, tail: string): boolean {
    const head = this.#head === '' ? '' : this.#frameHead()
    this.#head = ''
    const isFramed = this.#isChunked && bytes.length > 0
    const before = isFramed ? `${head}${bytes.length.toString(16)}\r\n` : head
    const after = isFramed ? `\r\n${tail}` : tail
    if (before === '' && after === '') return bytes.length === 0 || this.#lane.socket.write(bytes)
    const message = Buffer.allocUnsafe(before.length + bytes.length + after.length)
    message.write(before, 0, 'latin1')
    message.set(bytes, before.length)
    message.write(after, before.length + bytes.length, 'latin1')
    return this.#lane.socket.write(message)
  }

  #frameHead(): string {
    return this.#isChunked ? `${this.#head}transfer-encoding: chunked\r\n\r\n` : `${this.#head}\r\n`
  }
}

const NO_BYTES = new Uint8Array(0)

function bytesOf(chunk: Uint8Array | string): Uint8Array {
  return typeof chunk === 'string' ? Buffer.from(chunk) : chunk
}
