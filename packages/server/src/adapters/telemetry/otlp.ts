// Traces to an OpenTelemetry collector. Spans are encoded on the serving thread, which costs less than to
// tell another what they are made of; a thread of its own posts them. Whatever the collector does, a request
// notices nothing, and what is lost is counted.

import { Worker } from 'node:worker_threads'
import type { Entry } from '../../core/task/records.js'
import type { System, Timer } from '../../engine/ports.js'
import { createLiveSystem } from '../system/live-system.js'
import type { Logger } from './logs.js'
import { type OtlpOptions, otlpOptions } from './otlp-options.js'
import { POST_BYTES_MAX } from './otlp-sender.js'
import type { FromExporter, ToExporter } from './otlp-worker.js'
import { SpanWriter } from '../../wire/span-writer.js'
import { SpanAssembler, isSpanEntry } from './span-assembler.js'

/** Spans encoded and not yet sent, 13 MB: more than the thread queues. Beyond that entries are dropped. */
export const SPANS_MAX = 16_384
/** Of a batch and what its last entry adds. Memory that is not written to costs nothing. */
const BUFFER_BYTES = 1_048_576
/** A span waits at most this long for its batch, ms. */
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
  readonly #writer = new SpanWriter(BUFFER_BYTES)
  readonly #assembler = new SpanAssembler(this.#writer)
  #timer: Timer | null = null
  /** Spans given to the thread that it is not done with. */
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
    if (this.#isOver || this.#writer.spans + this.#posted >= SPANS_MAX) {
      this.#droppedHere += 1
      return
    }
    this.#assembler.add(entry)
    if (this.#writer.bytes >= POST_BYTES_MAX) this.#post()
    else if (this.#writer.spans > 0) this.#timer ??= this.#system.after(BATCH_MS, () => this.#post())
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
    const { spans } = this.#writer
    if (spans === 0) return
    const bytes = this.#writer.take()
    this.#send({ kind: 'spans', batch: { spans, bytes } }, [bytes.buffer])
    this.#posted += spans
  }

  #send(message: ToExporter, transfer: readonly ArrayBuffer[] = []): void {
    this.#worker.postMessage(message, transfer)
  }

  #receive(message: FromExporter): void {
    switch (message.kind) {
      case 'done':
        this.#posted -= message.batch.spans
        this.#droppedThere = message.dropped
        this.#writer.giveBack(message.batch.bytes.buffer)
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
    if (!this.#isOver) this.#droppedHere += this.#writer.spans + this.#posted
    this.#isOver = true
    this.#writer.take()
    this.#posted = 0
    this.#whenClosed()
  }
}
