// The durable books: a journal that makes an entry safe in one write, and a database behind it that makes it
// findable. The database's thread reads the journal's file, so nothing is handed over and nothing piles up in
// memory.

import { mkdirSync } from 'node:fs'
import { IdTable } from '../../core/id-table.js'
import type { HoldId } from '../../core/ids.js'
import type { Entry, HoldMade } from '../../core/task/records.js'
import type { TaskSummary } from '../../core/task/views.js'
import type { Archive, Books, Content, System } from '../../engine/ports.js'
import { AskedArchive } from './asked-archive.js'
import { Calls } from './call.js'
import { DatabaseThread } from './database-thread.js'
import { Encoder, type Queued } from './encoder.js'
import { Journal, type JournalOptions } from './journal.js'
import { holdLine } from './lines.js'
import type { PruneOptions, Pruned } from './prune.js'
import { type Recovery, closeAsFailed, settleAtWorst } from './recovery.js'
import type { Opened } from './sqlite-database.js'
import { type StoreError, messageOf } from './store-error.js'
import type { Ask } from './worker-protocol.js'

/** The database follows the journal by this much, whichever comes first. */
const INGEST_EVERY_MS = 200
const INGEST_EVERY_BYTES = 1024 * 1024
/** After the database refused: the journal keeps everything meanwhile. */
const RETRY_MS = 1_000
export interface StoreOptions {
  /** Data directory; made when it does not exist. */
  readonly dir: string
  readonly system: System
  /** Survive a power cut too: one fdatasync per group of entries. Default false: survives the process. */
  readonly fsync?: boolean
  /** Told in sentences, without secrets, for the log. */
  readonly onProblem: (problem: string) => void
  /** For tests. */
  readonly segmentBytesMax?: number
  /** For tests that fill the disk. */
  readonly writeSync?: JournalOptions<Queued>['writeSync']
}

export interface StoreStats {
  /** Entries, and calls with several of them, that wait for the next write. */
  readonly queued: number
  /** Bytes in the journal that the database has not read yet. */
  readonly behindBytes: number
  readonly openHolds: number
  /** Entries lost because the disk refused them for too long. Not zero: the books are wrong. */
  readonly lostEntries: number
}

export interface Store extends Books, Archive {
  /** What was cleaned up after the process before this one. */
  readonly recovery: Recovery
  /** Why nothing can be made durable at the moment, or null. */
  readonly failed: StoreError | null
  stats(): StoreStats
  /** Deletes what may be forgotten, slice by slice. */
  prune(nowMs: number, options?: PruneOptions): Promise<Omit<Pruned, 'more'>>
  /** `ok`, or what is broken in the database file. Reads all of it. */
  check(): Promise<string>
}

/** Fails with a `StoreError` of code `locked` when another process uses the directory. */
export async function openStore(options: StoreOptions): Promise<Store> {
  mkdirSync(options.dir, { recursive: true, mode: 0o700 })
  const thread = new DatabaseThread(options.dir, options.onProblem)
  try {
    const opened = await thread.ask<Opened>({ kind: 'open' })
    opened.problems.forEach(options.onProblem)
    const store = new DurableStore(options, thread, opened)
    await store.recover(opened.openHolds)
    return store
  } catch (error) {
    await thread.stop()
    throw error
  }
}

class DurableStore extends AskedArchive implements Store {
  readonly #options: StoreOptions
  readonly #thread: DatabaseThread
  readonly #journal: Journal<Queued>
  readonly #encoder = new Encoder()
  readonly #calls = new Calls()
  readonly #openHolds = new IdTable<HoldId, HoldMade>()
  #recovery: Recovery = { settledHolds: 0, closedTasks: 0, nanoUsd: 0 }
  #readBytes = 0
  #askedBytes = 0
  #ingesting = false
  #ingestTimer = false
  #releasedSegment: number
  #contentInSegment = false
  #closed: Promise<void> | null = null

  constructor(options: StoreOptions, thread: DatabaseThread, opened: Opened) {
    super()
    this.#options = options
    this.#thread = thread
    for (const hold of opened.openHolds) this.#openHolds.set(hold.id, hold)
    // Always a new file: what a dead process left half written is never appended to.
    const segment = opened.lastSegment + 1
    this.#releasedSegment = segment
    this.#journal = new Journal({
      dir: options.dir,
      segment,
      fsync: options.fsync ?? false,
      segmentBytesMax: options.segmentBytesMax,
      writeSync: options.writeSync,
      linesOf: (queued) => this.#encoder.lines(queued),
      carryOver: () => this.#carryOver(),
      onProblem: options.onProblem,
      later: (delayMs, run) => void options.system.after(delayMs, run),
      onWritten: () => this.#scheduleIngest(),
    })
  }

  get recovery(): Recovery {
    return this.#recovery
  }

  get failed(): StoreError | null {
    return this.#journal.failed
  }

  /**
   * Settles at their worst what a dead process held, and closes the calls it did not answer. Once, by being
   * written.
   */
  async recover(holds: readonly HoldMade[]): Promise<void> {
    const nowMs = this.#options.system.nowMs()
    for (const hold of holds) this.write(settleAtWorst(hold, nowMs))
    const tasks = await this.ask<readonly TaskSummary[]>({ kind: 'open-one-step-tasks' })
    for (const task of tasks) this.write(closeAsFailed(task, nowMs))
    await this.durable()
    await this.#catchUp()
    await this.#thread.ask({ kind: 'release', before: this.#journal.position.segment })
    const nanoUsd = holds.reduce((sum, hold) => sum + hold.amounts.nanoUsd, 0)
    this.#recovery = { settledHolds: holds.length, closedTasks: tasks.length, nanoUsd }
  }

  write(entry: Entry): void {
    if (entry.kind === 'hold-made') this.#openHolds.set(entry.id, entry)
    // A hold is settled once: a second settlement would charge the same attempt again.
    if (entry.kind === 'hold-settled' && this.#openHolds.take(entry.id) === undefined) return
    const call = this.#calls.take(entry)
    if (call === null) this.#journal.append(entry)
    else if (!call.queued) call.queued = this.#journal.append(call)
  }

  durable(): Promise<void> {
    return this.#journal.durable()
  }

  saveContent(content: Content): string {
    const reference = content.reference ?? this.#options.system.newId('message')
    this.#contentInSegment = true
    const columns = [reference, content.task, content.deleteAfterMs] as const
    this.#journal.append({ kind: 'content', columns, text: content.text })
    return reference
  }

  stats(): StoreStats {
    return {
      queued: this.#journal.queued,
      behindBytes: this.#journal.bytesWritten - this.#readBytes,
      openHolds: this.#openHolds.size,
      lostEntries: this.#journal.lost,
    }
  }

  check(): Promise<string> {
    return this.ask({ kind: 'check' })
  }

  async prune(nowMs: number, options: PruneOptions = {}): Promise<Omit<Pruned, 'more'>> {
    // What the database forgets must not live on in a journal file that is never full.
    if (this.#contentInSegment) this.#journal.rotate()
    this.#contentInSegment = false
    const sum = { contents: 0, tasks: 0 }
    for (let more = true; more;) {
      const slice: Pruned = await this.ask<Pruned>({ kind: 'prune', nowMs, options })
      sum.contents += slice.contents
      sum.tasks += slice.tasks
      more = slice.more
    }
    return sum
  }

  close(): Promise<void> {
    this.#closed ??= this.#close()
    return this.#closed
  }

  /** What a new file of the journal needs of those before it, which will be deleted. */
  #carryOver(): string {
    this.#encoder.beginSegment()
    return [...this.#openHolds.values()].map(holdLine).join('')
  }

  async #close(): Promise<void> {
    try {
      await this.#journal.close()
      await this.#catchUp()
      // Holds that are still open stay in the journal, for the next process to settle.
      const end = this.#openHolds.size === 0 ? this.#journal.position : null
      await this.#thread.ask({ kind: 'close', end })
    } finally {
      await this.#thread.stop()
    }
  }

  /**
   * Reads see everything written before they were asked. While the disk refuses, they see what was written.
   */
  protected async ask<T>(ask: Ask): Promise<T> {
    await this.#journal.durable().catch(() => undefined)
    this.#ingest()
    return this.#thread.ask<T>(ask)
  }

  protected nowMs(): number {
    return this.#options.system.nowMs()
  }

  /**
   * Has the database read what the journal holds by now. Asked in order: what is asked next sees the result.
   */
  async #catchUp(): Promise<void> {
    const { position, bytesWritten } = this.#journal
    if (bytesWritten > this.#askedBytes) {
      this.#askedBytes = bytesWritten
      const problems = await this.#thread.ask<readonly string[]>({ kind: 'ingest', to: position })
      problems.forEach(this.#options.onProblem)
      this.#readBytes = Math.max(this.#readBytes, bytesWritten)
    }
    if (this.#releasedSegment < position.segment) {
      this.#releasedSegment = position.segment
      await this.#thread.ask({ kind: 'release', before: position.segment })
    }
  }

  #scheduleIngest(): void {
    if (this.#closed !== null) return
    if (!this.#ingesting && this.#journal.bytesWritten - this.#askedBytes >= INGEST_EVERY_BYTES)
      this.#ingest()
    else if (!this.#ingestTimer) this.#ingestAfter(INGEST_EVERY_MS)
  }

  #ingestAfter(delayMs: number): void {
    this.#ingestTimer = true
    this.#options.system.after(delayMs, () => {
      this.#ingestTimer = false
      if (this.#closed === null) this.#ingest()
    })
  }

  #ingest(): void {
    this.#ingesting = true
    this.#catchUp()
      .catch((error: unknown) => {
        // The journal has it all: asking again is enough.
        this.#askedBytes = this.#readBytes
        this.#options.onProblem(`the database is behind the journal: ${messageOf(error)}`)
        if (this.#closed === null && !this.#ingestTimer) this.#ingestAfter(RETRY_MS)
      })
      .finally(() => {
        this.#ingesting = false
      })
  }
}
