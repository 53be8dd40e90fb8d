// The export thread: takes batches of entries, makes spans of them and sends them on. Mapping, encoding
// and waiting for a collector all happen here, away from the thread that serves requests.

import { parentPort, workerData } from 'node:worker_threads'
import { createLiveSystem } from '../system/live-system.js'
import type { OtlpOptions } from './otlp-options.js'
import { OtlpSender } from './otlp-sender.js'
import { SpanAssembler } from './span-assembler.js'
import { type FlatValue, readEntries } from './span-batch.js'

export type ToExporter =
  | { readonly kind: 'entries'; readonly values: readonly FlatValue[] }
  /** Send what is there and say `closed`. */
  | { readonly kind: 'close' }

export type FromExporter =
  /** A batch was taken over; `dropped` is the total of spans lost in the thread. */
  | { readonly kind: 'taken'; readonly entries: number; readonly dropped: number }
  | { readonly kind: 'health'; readonly problem: string | null }
  | { readonly kind: 'closed'; readonly dropped: number }

function run(port: NonNullable<typeof parentPort>, options: OtlpOptions): void {
  const tell = (message: FromExporter) => port.postMessage(message)
  const system = createLiveSystem()
  const sender = new OtlpSender(options, system, { onHealth: (problem) => tell({ kind: 'health', problem }) })
  const assembler = new SpanAssembler((text) => system.sha256(text))
  port.on('message', (message: ToExporter) => {
    if (message.kind === 'close') {
      void sender.close().then(() => tell({ kind: 'closed', dropped: sender.dropped }))
      return
    }
    const entries = readEntries(message.values)
    sender.offer(entries.flatMap((entry) => assembler.add(entry)))
    tell({ kind: 'taken', entries: entries.length, dropped: sender.dropped })
  })
}

if (parentPort !== null) run(parentPort, workerData as OtlpOptions)
