// Traces to an OpenTelemetry collector. The serving thread only queues entries and posts them in batches to a
// thread of its own; whatever the collector does, a request notices nothing, and what is lost is counted.

import { Worker } from 'node:worker_threads'
import type { Entry } from '../../core/task/records.js'
import type { System, Timer } from '../../engine/ports.js'
import { createLiveSystem } from '../system/live-system.js'
import type { Logger } from './logs.js'
import { type OtlpOptions, otlpOptions } from './otlp-options.js'
import type { FromExporter, ToExporter } from './otlp-worker.js'
import { isSpanEntry } from './span-assembler.js'
import { type FlatValue, writeEntry } from './span-batch.js'

/** Entries queued or not yet taken over by the thread; more are dropped. */
export const ENTRIES_MAX = 16_384
const BATCH_ENTRIES = 256
/** An entry waits at most this long for its batch, ms. */
const BATCH_MS = 500

export interface SpanExporter {
  observe(entry: Entry): void
  /** Entries and spans that did not reach the collector, since start. */
  dropped(): number
  /** Sends what is queued, for at most `withinMs` (default 2000). */
  close(withinMs?: number): Promise<void>
}

/**
 * null: the environment names no collector. What is wrong with it is logged, and then nothing is exported.
 */
export function startSpanExporter(
  env: Readonly<Record<string, string | undefined>>,
  logger: Pick<Logger, 'warn' | 'info'>,
  system: System = createLiveSystem(),
): SpanExporter | null {
  const choice = otlpOptions(env)
  if (choice.kind === 'invalid') logger.warn('otlp.not_exporting', { reason: choice.message })
  return choice.kind === 'on' ? new ThreadExporter(choice.options, logger, system) : null
}

/** A thread runs JavaScript: under vitest, which runs the sources, it is the built file beside them. */
function workerUrl(): URL {
  const url = new URL('./otlp-worker.js', import.meta.url)
  if (import.meta.url.endsWith('.ts'))
    url.pathname = url.pathname.replace('/packages/server/src/', '/packages/server/dist/')
  return url
}

class ThreadExporter implements SpanExporter {
  readonly #worker: Worker
  readonly #system: System
  readonly #logger: Pick<Logger, 'warn' | 'info'>
  #values: FlatValue[] = []
  /** Entries in `#values`. */
  #queued = 0
  #timer: Timer | null = null
  /** Entries posted and not yet taken over. */
  #posted = 0
  #droppedHere = 0
  #droppedThere = 0
  #isOver = false
  #whenClosed: () => void = () => undefined

  constructor(options: OtlpOptions, logger: Pick<Logger, 'warn' | 'info'>, system: System) {
    this.#system = system
    this.#logger = logger
    this.#worker = new Worker(workerUrl(), { workerData: options, name: 'spillway-otlp' })
    this.#worker.unref()
    this.#worker.on('message', (message: FromExporter) => this.#receive(message))
    this.#worker.on('error', (error) => this.#logger.warn('otlp.thread_died', { error }))
    this.#worker.on('exit', () => this.#end())
  }

  observe(entry: Entry): void {
    if (!isSpanEntry(entry)) return
    if (this.#isOver || this.#queued + this.#posted >= ENTRIES_MAX) {
      this.#droppedHere += 1
      return
    }
    writeEntry(this.#values, entry)
    this.#queued += 1
    if (this.#queued >= BATCH_ENTRIES) this.#post()
    else this.#timer ??= this.#system.after(BATCH_MS, () => this.#post())
  }

  dropped(): number {
    return this.#droppedHere + this.#droppedThere
  }

  async close(withinMs = 2_000): Promise<void> {
    if (this.#isOver) return
    this.#post()
    // Until it has said goodbye the thread keeps the process alive, and the timer ends that.
    this.#worker.ref()
    await new Promise<void>((resolve) => {
      const timer = this.#system.after(withinMs, resolve)
      this.#whenClosed = () => {
        timer.cancel()
        resolve()
      }
      this.#send({ kind: 'close' })
    })
    this.#isOver = true
    await this.#worker.terminate()
  }

  #post(): void {
    this.#timer?.cancel()
    this.#timer = null
    if (this.#queued === 0) return
    this.#send({ kind: 'entries', values: this.#values })
    this.#posted += this.#queued
    this.#values = []
    this.#queued = 0
  }

  #send(message: ToExporter): void {
    this.#worker.postMessage(message)
  }

  #receive(message: FromExporter): void {
    switch (message.kind) {
      case 'taken':
        this.#posted -= message.entries
        this.#droppedThere = message.dropped
        return
      case 'health':
        if (message.problem === null) this.#logger.info('otlp.exporting_again')
        else this.#logger.warn('otlp.export_fails', { reason: message.problem })
        return
      case 'closed':
        this.#droppedThere = message.dropped
        this.#whenClosed()
    }
  }

  /** The thread is gone: what it had not taken over is lost. */
  #end(): void {
    if (!this.#isOver) this.#droppedHere += this.#queued + this.#posted
    this.#isOver = true
    this.#values = []
    this.#queued = 0
    this.#posted = 0
    this.#whenClosed()
  }
}
