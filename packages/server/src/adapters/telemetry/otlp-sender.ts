// Posts batches of spans to a collector, one at a time, from a bounded queue. A collector that is slow, away
// or wrong costs spans, which are counted; it holds nothing up.

import { type IncomingMessage, request as requestHttp } from 'node:http'
import { request as requestHttps } from 'node:https'
import type { System } from '../../engine/ports.js'
import { SCHEMA_URL } from '../../wire/otel-genai.js'
import { type SpanOrigin, rejectedSpans, requestFrame } from '../../wire/otlp-protobuf.js'
import type { OtlpOptions } from './otlp-options.js'

/** At 2 KB a span this is 16 MB: some seconds of a busy gateway. */
export const QUEUE_SPANS_MAX = 8_192
/** A thousand spans of 0.8 KB; a batch of more goes alone. Collectors often take no more than 1 MB. */
export const POST_BYTES_MAX = 900_000
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

/** Spans as fields of a `ScopeSpans`. */
export interface SpanBatch {
  readonly spans: number
  readonly bytes: Uint8Array<ArrayBuffer>
}

export interface SenderEvents {
  /** The batch was sent or is lost: its bytes are not needed any more. */
  onDone(batch: SpanBatch): void
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
  #queue: SpanBatch[] = []
  #queuedSpans = 0
  #sending: Promise<void> | null = null
  #isHealthy = true
  #isClosing = false

  constructor(options: OtlpOptions, system: System, events: SenderEvents) {
    this.#options = options
    this.#system = system
    this.#events = events
    this.#origin = { resource: options.resource, scope: 'spillway', schemaUrl: SCHEMA_URL }
  }

  /** A batch that does not fit is lost as a whole. */
  offer(batch: SpanBatch): void {
    if (this.#queuedSpans + batch.spans > QUEUE_SPANS_MAX) {
      this.dropped += batch.spans
      this.#events.onDone(batch)
      return
    }
    this.#queue.push(batch)
    this.#queuedSpans += batch.spans
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
      const batches = this.#nextPost()
      await this.#sendPost(batches)
      for (const batch of batches) this.#events.onDone(batch)
    }
  }

  /** Batches that wait are posted together. */
  #nextPost(): SpanBatch[] {
    let bytes = 0
    const end = this.#queue.findIndex((batch) => (bytes += batch.bytes.length) > POST_BYTES_MAX)
    const taken = this.#queue.splice(0, end === -1 ? this.#queue.length : Math.max(1, end))
    for (const batch of taken) this.#queuedSpans -= batch.spans
    return taken
  }

  async #sendPost(batches: readonly SpanBatch[]): Promise<void> {
    const spans = batches.reduce((sum, batch) => sum + batch.spans, 0)
    const pieces = this.#framed(batches)
    for (let tried = 1; ; tried += 1) {
      const sent = await this.#post(pieces)
      if (sent.kind === 'taken') {
        this.dropped += sent.rejected
        return this.#setHealth(null)
      }
      this.#setHealth(sent.reason)
      if (sent.kind === 'refused' || tried === TRIES_MAX || this.#isClosing) {
        this.dropped += spans
        return
      }
      await this.#wait(Math.min(RETRY_MS_MAX, sent.afterMs ?? RETRY_MS * 2 ** (tried - 1)))
    }
  }

  #framed(batches: readonly SpanBatch[]): Uint8Array[] {
    const pieces = batches.map(({ bytes }) => bytes)
    const { before, after } = requestFrame(this.#origin, lengthOf(pieces))
    return [before, ...pieces, after]
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

  #post(pieces: readonly Uint8Array[]): Promise<Sent> {
    const { url, headers, timeoutMs } = this.#options
    const send = url.startsWith('https:') ? requestHttps : requestHttp
    return new Promise((resolve) => {
      let sent: Sent = { kind: 'again', reason: 'the connection was lost', afterMs: null }
      const request = send(url, {
        method: 'POST',
        headers: {
          ...headers,
          'content-type': 'application/x-protobuf',
          'content-length': lengthOf(pieces),
        },
      })
      const timer = this.#system.after(timeoutMs, () =>
        request.destroy(new Error(`no answer within ${timeoutMs} ms`)),
      )
      const onError = ({ message }: Error) => {
        if (sent.kind === 'again') sent = { ...sent, reason: message }
      }
      request.on('error', onError)
      // Not before: until then the pieces may still be on their way, whatever was answered.
      request.on('close', () => {
        timer.cancel()
        resolve(sent)
      })
      request.on('response', (response) => {
        response.on('error', onError)
        readAnswer(response, (answer) => {
          sent = judge(response, answer)
        })
      })
      // Together in one call to the system, and never copied.
      request.cork()
      for (const piece of pieces) request.write(piece)
      request.end()
    })
  }
}

function lengthOf(pieces: readonly Uint8Array[]): number {
  return pieces.reduce((sum, piece) => sum + piece.length, 0)
}

function readAnswer(response: IncomingMessage, onEnd: (answer: Uint8Array) => void): void {
  const chunks: Buffer[] = []
  let bytes = 0
  response.on('data', (chunk: Buffer) => {
    bytes += chunk.length
    if (bytes <= ANSWER_BYTES_MAX) chunks.push(chunk)
  })
  response.on('end', () => onEnd(Buffer.concat(chunks)))
}

/** Which answers may be tried again is fixed by the OTLP specification. */
function judge({ statusCode: status = 0, headers }: IncomingMessage, answer: Uint8Array): Sent {
  if (status >= 200 && status < 300) return { kind: 'taken', rejected: rejectedSpans(answer) }
  const reason = `the collector answered ${status}`
  if (![429, 502, 503, 504].includes(status)) return { kind: 'refused', reason }
  const retryAfterSeconds = Number(headers['retry-after'])
  return { kind: 'again', reason, afterMs: retryAfterSeconds >= 0 ? retryAfterSeconds * 1_000 : null }
}
