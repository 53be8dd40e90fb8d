// Where log lines go: a bounded queue and one asynchronous write at a time. A sink that hangs costs its
// lines, which are counted, and never a request: nothing here waits. Lines that arrive while a write runs go
// out with the next.

import { closeSync, openSync, write } from 'node:fs'
import type { System } from '../../engine/ports.js'

/** At 300 bytes a line this is some 3,000 lines: a short stall of the sink loses nothing. */
export const QUEUE_BYTES_MAX = 1_048_576
/** What a pipe takes at once. */
const WRITE_BYTES_MAX = 65_536
/** A full pipe is tried again after this time, ms. */
const RETRY_MS = 50

export interface LogSink {
  /** Takes one line, with its newline. */
  write(line: string): void
  /** Lines that were not written: the queue was full or the sink failed. */
  readonly dropped: number
  /** Less than half full: the sink has caught up. */
  readonly hasRoom: boolean
  /** Resolves when everything is written, or after `withinMs` without it. Lines after it are dropped. */
  close(withinMs: number): Promise<void>
}

export interface LogSinkOptions {
  /** A file to append to, or an open descriptor: 1 is stdout, 2 is stderr. */
  readonly destination: string | number
  readonly system: System
  readonly queueBytesMax?: number
}

export function createLogSink(options: LogSinkOptions): LogSink {
  return new BoundedSink(options)
}

interface Chunk {
  bytes: Buffer
  readonly lines: number
}

class BoundedSink implements LogSink {
  dropped = 0
  #pendingBytes = 0
  readonly #system: System
  readonly #fd: number
  readonly #ownsFd: boolean
  readonly #queueBytesMax: number
  #lines: string[] = []
  #writing: Chunk | null = null
  #closed = false
  #whenIdle: (() => void) | null = null

  constructor({ destination, system, queueBytesMax = QUEUE_BYTES_MAX }: LogSinkOptions) {
    this.#system = system
    this.#queueBytesMax = queueBytesMax
    this.#ownsFd = typeof destination === 'string'
    this.#fd = typeof destination === 'string' ? openSync(destination, 'a') : nonBlocking(destination)
  }

  get hasRoom(): boolean {
    return this.#pendingBytes < this.#queueBytesMax / 2
  }

  write(line: string): void {
    const bytes = Buffer.byteLength(line)
    if (this.#closed || this.#pendingBytes + bytes > this.#queueBytesMax) {
      this.dropped += 1
      return
    }
    this.#pendingBytes += bytes
    this.#lines.push(line)
    if (this.#writing === null) this.#writeNext()
  }

  close(withinMs: number): Promise<void> {
    this.#closed = true
    return new Promise((resolve) => {
      const timer = this.#system.after(withinMs, () => this.#end(resolve))
      this.#whenIdle = () => {
        timer.cancel()
        this.#end(resolve)
      }
      if (this.#writing === null) this.#whenIdle()
    })
  }

  #end(resolve: () => void): void {
    this.#whenIdle = null
    if (this.#ownsFd && this.#writing === null) closeSync(this.#fd)
    resolve()
  }

  #writeNext(): void {
    const chunk = this.#takeChunk()
    this.#writing = chunk
    if (chunk === null) this.#whenIdle?.()
    else this.#send(chunk)
  }

  #takeChunk(): Chunk | null {
    if (this.#lines.length === 0) return null
    let characters = 0
    let lines = 0
    while (lines < this.#lines.length && characters < WRITE_BYTES_MAX)
      characters += this.#lines[lines++]?.length ?? 0
    const taken = lines === this.#lines.length ? this.#lines : this.#lines.slice(0, lines)
    this.#lines = lines === this.#lines.length ? [] : this.#lines.slice(lines)
    return { bytes: Buffer.from(taken.join('')), lines }
  }

  #send(chunk: Chunk): void {
    write(this.#fd, chunk.bytes, (error, written) => {
      if (error !== null) return this.#failed(chunk, error)
      this.#pendingBytes -= written
      chunk.bytes = chunk.bytes.subarray(written)
      if (chunk.bytes.length > 0) this.#send(chunk)
      else this.#writeNext()
    })
  }

  #failed(chunk: Chunk, error: NodeJS.ErrnoException): void {
    if (error.code === 'EAGAIN' || error.code === 'EBUSY') {
      this.#system.after(RETRY_MS, () => this.#send(chunk))
      return
    }
    // The reader is gone or the disk is full: these lines are lost, the next ones may not be.
    this.dropped += chunk.lines
    this.#pendingBytes -= chunk.bytes.length
    this.#writeNext()
  }
}

/**
 * Node makes stdout and stderr non-blocking when its stream is first looked at. Without that a write to a
 * full pipe blocks a thread for good, and the process could not even exit.
 */
function nonBlocking(fd: number): number {
  if (fd === 1) void process.stdout.writable
  if (fd === 2) void process.stderr.writable
  return fd
}
