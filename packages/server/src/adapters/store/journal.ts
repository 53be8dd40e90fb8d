// The journal: what was said is here before anybody is told that it is safe. What is queued in one turn of
// the event loop is put into words and goes out in one write to the page cache, which outlives this process
// (`kill -9`), not the machine: `fsync` adds that. When a write fails nothing is forgotten and nothing is
// called durable until a later write carries everything.

import { closeSync, fdatasync, fsyncSync, ftruncateSync, openSync, writeSync as writeFileSync } from 'node:fs'
import { type Position, segmentPath } from './segments.js'
import { versionLine } from './lines.js'
import { StoreError, messageOf } from './store-error.js'

/** A segment is followed by the next one at this size. */
const SEGMENT_BYTES_MAX = 64 * 1024 * 1024
/** Items kept while the disk refuses them. Beyond it they are lost, which is counted and reported. */
const QUEUE_MAX = 100_000

/** `T`: what can be queued. */
export interface JournalOptions<T> {
  readonly dir: string
  readonly segment: number
  /** Survive a power cut too, at the price of one fdatasync per group of entries. Default false. */
  readonly fsync: boolean
  /** Bytes after which a new segment begins. Default 64 MiB. */
  readonly segmentBytesMax?: number | undefined
  /** Puts into whole lines what was queued: once, in order of queueing, for the segment that is open. */
  readonly linesOf: (queued: T) => string
  /** Lines that open a new segment: whatever still counts of the segments before it. */
  readonly carryOver: () => string
  readonly onProblem: (problem: string) => void
  readonly later: (delayMs: number, run: () => void) => void
  /** After each successful write. */
  readonly onWritten: () => void
  /** Replaceable so that tests can fill the disk. */
  readonly writeSync?: ((file: number, bytes: string | Uint8Array) => number) | undefined
}

/** Between two tries to write to a disk that refuses. */
const RETRY_MS = 200

interface Waiter {
  readonly promise: Promise<void>
  readonly resolve: () => void
  readonly reject: (error: StoreError) => void
}

function newWaiter(): Waiter {
  let resolve = (): void => undefined
  let reject: Waiter['reject'] = () => undefined
  const promise = new Promise<void>((yes, no) => {
    resolve = yes
    reject = no
  })
  return { promise, resolve, reject }
}

export class Journal<T> {
  readonly #options: JournalOptions<T>
  readonly #writeSync: (file: number, bytes: string | Uint8Array) => number
  #file: number
  #segment: number
  #offset = 0
  #bytesWritten = 0
  #queue: T[] = []
  /** In words, and not yet written. */
  #text = ''
  #scheduled = false
  #rotateNext = false
  #syncing = false
  #syncFailed = false
  #closed = false
  #waiter: Waiter | null = null
  #failed: StoreError | null = null
  #lost = 0

  constructor(options: JournalOptions<T>) {
    this.#options = options
    this.#writeSync = options.writeSync ?? ((file, bytes) => writeBytes(file, bytes))
    this.#segment = options.segment
    this.#file = this.#openSegment(options.segment)
    this.#text = versionLine()
  }

  /** Everything before it is in the file. */
  get position(): Position {
    return { segment: this.#segment, offset: this.#offset }
  }

  get bytesWritten(): number {
    return this.#bytesWritten
  }

  /** Items that wait for the next write. */
  get queued(): number {
    return this.#queue.length
  }

  /** Items that could not be kept while the disk refused them. */
  get lost(): number {
    return this.#lost
  }

  get failed(): StoreError | null {
    return this.#failed
  }

  /** false: lost, because the disk has refused for too long. */
  append(item: T): boolean {
    if (this.#failed !== null && this.#queue.length >= QUEUE_MAX) {
      if (this.#lost === 0)
        this.#options.onProblem('the queue of unwritten entries is full: entries are being lost')
      this.#lost++
      return false
    }
    this.#queue.push(item)
    this.#schedule()
    return true
  }

  /** One promise for all that ask before the next write. */
  durable(): Promise<void> {
    if (this.#failed !== null) return Promise.reject(this.#failed)
    if (this.#isIdle() && !this.#syncing && !this.#rotateNext) return DONE
    this.#schedule()
    this.#waiter ??= newWaiter()
    return this.#waiter.promise
  }

  /** Begins a new segment with the next write, so that the current one can be deleted. */
  rotate(): void {
    this.#rotateNext = true
    this.#schedule()
  }

  async close(): Promise<void> {
    try {
      if (this.#failed !== null) this.#flush()
      await this.durable()
    } finally {
      this.#closed = true
      this.#failed ??= new StoreError('closed', 'the books are closed')
      closeSync(this.#file)
    }
  }

  #isIdle(): boolean {
    return this.#text === '' && this.#queue.length === 0
  }

  /** While the disk refuses, only the timer of `#writeFailed` tries again: not every entry that comes. */
  #schedule(): void {
    if (this.#scheduled || this.#syncing || this.#failed !== null) return
    this.#scheduled = true
    setImmediate(() => {
      this.#scheduled = false
      this.#flush()
    })
  }

  #flush(): void {
    if (this.#closed || this.#syncFailed) return
    const waiter = this.#waiter
    this.#waiter = null
    const error = this.#writeQueue()
    if (error !== null) {
      waiter?.reject(error)
      this.#options.later(RETRY_MS, () => this.#flush())
      return
    }
    this.#options.onWritten()
    if (this.#options.fsync) this.#sync(waiter)
    else waiter?.resolve()
  }

  #writeQueue(): StoreError | null {
    try {
      // A write that failed may have left half a line behind; appending to it would spoil the next one as
      // well.
      if (this.#failed !== null) ftruncateSync(this.#file, this.#offset)
      // Lines belong to the segment they were made for: it takes what it refused before the next one begins.
      else if (this.#isFull()) this.#rotate()
      this.#putIntoWords()
      const bytes = this.#writeAll(this.#text)
      this.#text = ''
      this.#offset += bytes
      this.#bytesWritten += bytes
      if (this.#failed !== null) this.#options.onProblem('the journal can be written again')
      this.#failed = null
      return null
    } catch (cause) {
      const error = new StoreError('journal-write', `cannot write the journal: ${messageOf(cause)}`, cause)
      if (this.#failed === null) this.#options.onProblem(error.message)
      this.#failed = error
      return error
    }
  }

  #isFull(): boolean {
    return this.#rotateNext || this.#offset >= (this.#options.segmentBytesMax ?? SEGMENT_BYTES_MAX)
  }

  #putIntoWords(): void {
    const queue = this.#queue
    this.#queue = []
    for (const item of queue) {
      try {
        this.#text += this.#options.linesOf(item)
      } catch (error) {
        // One that cannot be said must not hold up the others for ever.
        this.#lost++
        this.#options.onProblem(`an entry cannot be written and is lost: ${messageOf(error)}`)
      }
    }
  }

  #writeAll(text: string): number {
    let written = this.#writeSync(this.#file, text)
    // Every character is at least a byte: only a longer text can be longer than what was written.
    if (written >= text.length && written === Buffer.byteLength(text)) return written
    const bytes = Buffer.from(text)
    while (written < bytes.length) {
      const more = this.#writeSync(this.#file, bytes.subarray(written))
      if (more === 0) throw new Error('the file takes no more bytes')
      written += more
    }
    return written
  }

  #sync(waiter: Waiter | null): void {
    this.#syncing = true
    fdatasync(this.#file, (cause) => {
      this.#syncing = false
      if (cause) return this.#syncBroke(cause, waiter)
      waiter?.resolve()
      if (!this.#isIdle()) return this.#schedule()
      // Asked during the sync, with nothing new to write: it was covered.
      this.#waiter?.resolve()
      this.#waiter = null
    })
  }

  /** The kernel may drop what it could not sync, so no later sync can vouch for it: only a restart can. */
  #syncBroke(cause: Error, waiter: Waiter | null): void {
    const error = new StoreError('journal-write', `cannot sync the journal: ${cause.message}`, cause)
    this.#failed = error
    this.#syncFailed = true
    this.#options.onProblem(error.message)
    waiter?.reject(error)
    this.#waiter?.reject(error)
    this.#waiter = null
  }

  #rotate(): void {
    const next = this.#openSegment(this.#segment + 1)
    closeSync(this.#file)
    this.#file = next
    this.#segment++
    this.#offset = 0
    this.#rotateNext = false
    this.#text = versionLine() + this.#options.carryOver()
  }

  #openSegment(segment: number): number {
    const file = openSync(segmentPath(this.#options.dir, segment), 'a', 0o600)
    if (this.#options.fsync) syncDirectory(this.#options.dir)
    return file
  }
}

const DONE = Promise.resolve()

function writeBytes(file: number, bytes: string | Uint8Array): number {
  return typeof bytes === 'string' ? writeFileSync(file, bytes) : writeFileSync(file, bytes)
}

function syncDirectory(dir: string): void {
  const handle = openSync(dir, 'r')
  fsyncSync(handle)
  closeSync(handle)
}
