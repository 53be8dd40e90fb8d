// Posts batches of spans to a collector, one at a time, from a bounded queue. A collector that is slow, away
// or wrong costs spans, which are counted; it holds nothing up.

import { request as requestHttp } from 'node:http'
import { request as requestHttps } from 'node:https'
import type { System } from '../../engine/ports.js'
import { SCHEMA_URL } from '../../wire/otel-genai.js'
import { type SpanOrigin, encodeSpans, rejectedSpans } from '../../wire/otlp-protobuf.js'
import type { SpanData } from '../../wire/span-data.js'
import type { OtlpOptions } from './otlp-options.js'

/** At 2 KB a span this is 16 MB: some seconds of a busy gateway. */
export const QUEUE_SPANS_MAX = 8_192
export const BATCH_SPANS_MAX = 512
/** Tries of one batch; between them 1, 2, 4 ... seconds, or what the collector asks for. */
const TRIES_MAX = 5
const RETRY_MS = 1_000
const RETRY_MS_MAX = 30_000
/** An answer is a few bytes; more is not read. */
const ANSWER_BYTES_MAX = 65_536

type Sent =
  | { readonly kind: 'taken'; readonly rejected: number }
  | { readonly kind: 'again'; readonly reason: string; readonly afterMs: number | null }
  | { readonly kind: 'refused'; readonly reason: string }

export interface SenderEvents {
  /** Once when exporting begins to fail, with why; once when it works again, with null. */
  onHealth(problem: string | null): void
}

export class OtlpSender {
  /** Spans that did not arrive: the queue was full, or the collector did not take them. */
  dropped = 0
  readonly #options: OtlpOptions
  readonly #system: System
  readonly #events: SenderEvents
  readonly #origin: SpanOrigin
  #queue: SpanData[] = []
  #sending: Promise<void> | null = null
  #isHealthy = true
  #isClosing = false

  constructor(options: OtlpOptions, system: System, events: SenderEvents) {
    this.#options = options
    this.#system = system
    this.#events = events
    this.#origin = { resource: options.resource, scope: 'spillway', schemaUrl: SCHEMA_URL }
  }

  offer(spans: readonly SpanData[]): void {
    const room = QUEUE_SPANS_MAX - this.#queue.length
    this.dropped += Math.max(0, spans.length - room)
    this.#queue.push(...spans.slice(0, room))
    this.#sending ??= this.#sendAll().finally(() => {
      this.#sending = null
    })
  }

  /** Resolves when the queue is empty. Failed batches are not tried again from here on. */
  async close(): Promise<void> {
    this.#isClosing = true
    await this.#sending
  }

  async #sendAll(): Promise<void> {
    // What arrives in the same turn goes out together.
    await Promise.resolve()
    while (this.#queue.length > 0) {
      const batch = this.#queue.slice(0, BATCH_SPANS_MAX)
      this.#queue = this.#queue.slice(BATCH_SPANS_MAX)
      await this.#sendBatch(batch)
    }
  }

  async #sendBatch(batch: readonly SpanData[]): Promise<void> {
    const body = encodeSpans(batch, this.#origin)
    for (let tried = 1; ; tried += 1) {
      const sent = await this.#post(body)
      if (sent.kind === 'taken') {
        this.dropped += sent.rejected
        return this.#setHealth(null)
      }
      this.#setHealth(sent.reason)
      if (sent.kind === 'refused' || tried === TRIES_MAX || this.#isClosing) {
        this.dropped += batch.length
        return
      }
      await this.#wait(Math.min(RETRY_MS_MAX, sent.afterMs ?? RETRY_MS * 2 ** (tried - 1)))
    }
  }

  #setHealth(problem: string | null): void {
    const isHealthy = problem === null
    if (isHealthy !== this.#isHealthy) this.#events.onHealth(problem)
    this.#isHealthy = isHealthy
  }

  #wait(ms: number): Promise<void> {
    return new Promise((resolve) => {
      this.#system.after(ms, resolve)
    })
  }

  #post(body: Uint8Array): Promise<Sent> {
    const { url, headers, timeoutMs } = this.#options
    const send = url.startsWith('https:') ? requestHttps : requestHttp
    return new Promise((resolve) => {
      const again = (reason: string) => resolve({ kind: 'again', reason, afterMs: null })
      const request = send(url, {
        method: 'POST',
        headers: { ...headers, 'content-type': 'application/x-protobuf', 'content-length': body.length },
      })
      const timer = this.#system.after(timeoutMs, () =>
        request.destroy(new Error(`no answer within ${timeoutMs} ms`)),
      )
      request.on('close', () => {
        timer.cancel()
        again('the connection was lost')
      })
      request.on('error', (error) => again(error.message))
      request.on('response', (response) => {
        const chunks: Buffer[] = []
        let bytes = 0
        response.on('data', (chunk: Buffer) => {
          bytes += chunk.length
          if (bytes <= ANSWER_BYTES_MAX) chunks.push(chunk)
        })
        response.on('error', (error) => again(error.message))
        response.on('end', () => {
          const status = response.statusCode ?? 0
          resolve(judge(status, Buffer.concat(chunks), Number(response.headers['retry-after'])))
        })
      })
      request.end(body)
    })
  }
}

/** Which answers may be tried again is fixed by the OTLP specification. */
function judge(status: number, answer: Uint8Array, retryAfterSeconds: number): Sent {
  if (status >= 200 && status < 300) return { kind: 'taken', rejected: rejectedSpans(answer) }
  const reason = `the collector answered ${status}`
  if (![429, 502, 503, 504].includes(status)) return { kind: 'refused', reason }
  return { kind: 'again', reason, afterMs: retryAfterSeconds >= 0 ? retryAfterSeconds * 1_000 : null }
}
