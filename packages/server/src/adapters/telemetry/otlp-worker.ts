// The export thread: takes batches of encoded spans and posts them. Encryption and waiting for a collector
// happen here, away from the thread that serves requests.

import { parentPort, workerData } from 'node:worker_threads'
import { createLiveSystem } from '../system/live-system.js'
import type { OtlpOptions } from './otlp-options.js'
import { OtlpSender, type SpanBatch } from './otlp-sender.js'

export type ToExporter =
  | { readonly kind: 'spans'; readonly batch: SpanBatch }
  /** Send what is there and say `closed`. */
  | { readonly kind: 'close' }

export type FromExporter =
  /** A batch was sent or is lost; its buffer comes back. `dropped`: all spans lost in the thread. */
  | { readonly kind: 'done'; readonly batch: SpanBatch; readonly dropped: number }
  | { readonly kind: 'health'; readonly problem: string | null }
  | { readonly kind: 'closed'; readonly dropped: number }

function run(port: NonNullable<typeof parentPort>, options: OtlpOptions): void {
  const tell = (message: FromExporter, transfer: readonly ArrayBuffer[] = []) =>
    port.postMessage(message, transfer)
  const sender = new OtlpSender(options, createLiveSystem(), {
    onDone: (batch) => tell({ kind: 'done', batch, dropped: sender.dropped }, [batch.bytes.buffer]),
    onHealth: (problem) => tell({ kind: 'health', problem }),
  })
  port.on('message', (message: ToExporter) => {
    if (message.kind === 'spans') sender.offer(message.batch)
    else void sender.close().then(() => tell({ kind: 'closed', dropped: sender.dropped }))
  })
}

if (parentPort !== null) run(parentPort, workerData as OtlpOptions)
