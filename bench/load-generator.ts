// A closed loop over raw sockets: every connection sends its next request when its answer is complete. Runs
// as its own process; the bench tells it what to do over the IPC channel, one job at a time.

import { type Socket, connect } from 'node:net'
import { MessageReader } from './http-bytes.js'

export interface LoadJob {
  readonly url: string
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
  readonly connections: number
  readonly requests: number
}

export interface LoadResult {
  readonly requests: number
  readonly durationMs: number
  readonly statuses: Readonly<Record<string, number>>
  /** Connections that broke before their answer was complete. */
  readonly broken: number
  readonly latencyMs: { readonly p50: number; readonly p99: number; readonly max: number }
  readonly firstByteMs: { readonly p50: number; readonly p99: number }
  /** The first body seen with each status: shows what went wrong. */
  readonly samples: Readonly<Record<string, string>>
}

const SAMPLE_BYTES = 400

function requestBytes(job: LoadJob): Buffer {
  const headers = Object.entries(job.headers).map(([name, value]) => `${name}: ${value}\r\n`)
  const head = `POST ${job.path} HTTP/1.1\r\nhost: ${new URL(job.url).host}\r\n${headers.join('')}`
  const length = Buffer.byteLength(job.body)
  return Buffer.from(`${head}content-type: application/json\r\ncontent-length: ${length}\r\n\r\n${job.body}`)
}

function percentiles(values: Float64Array): { p50: number; p99: number; max: number } {
  const sorted = values.slice().sort()
  const at = (share: number): number =>
    sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0
  return { p50: at(0.5), p99: at(0.99), max: sorted.at(-1) ?? 0 }
}

/** What one connection is doing. */
class Exchange {
  startedMs = 0
  firstByteMs = 0
  status = ''
  inFlight = false
  closing = false

  start(): void {
    this.startedMs = performance.now()
    this.inFlight = true
  }

  head(head: string): void {
    this.firstByteMs = performance.now()
    this.status = head.slice(9, 12)
    this.closing = /\r\nconnection: *close/i.test(head)
  }
}

class Run {
  readonly #job: LoadJob
  readonly #bytes: Buffer
  readonly #latencies: Float64Array
  readonly #firstBytes: Float64Array
  readonly #statuses: Record<string, number> = {}
  readonly #samples: Record<string, string> = {}
  #sent = 0
  #done = 0
  #broken = 0
  #finish: () => void = () => {}

  constructor(job: LoadJob) {
    this.#job = job
    this.#bytes = requestBytes(job)
    this.#latencies = new Float64Array(job.requests)
    this.#firstBytes = new Float64Array(job.requests)
  }

  async go(): Promise<LoadResult> {
    const finished = new Promise<void>((resolve) => (this.#finish = resolve))
    const started = performance.now()
    const count = Math.min(this.#job.connections, this.#job.requests)
    for (let index = 0; index < count; index += 1) this.#connect()
    await finished
    const durationMs = performance.now() - started
    const { p50, p99 } = percentiles(this.#firstBytes)
    return {
      requests: this.#done,
      durationMs,
      statuses: this.#statuses,
      broken: this.#broken,
      latencyMs: percentiles(this.#latencies),
      firstByteMs: { p50, p99 },
      samples: this.#samples,
    }
  }

  #connect(): void {
    const { hostname, port } = new URL(this.#job.url)
    const socket = connect({ host: hostname, port: Number(port), noDelay: true })
    const exchange = new Exchange()
    const reader = new MessageReader({
      onHead: (head) => exchange.head(head),
      onBody: (piece) => {
        this.#samples[exchange.status] ??= piece.toString('utf8', 0, SAMPLE_BYTES)
      },
      onEnd: () => {
        this.#record(exchange)
        if (exchange.closing) socket.end()
        else this.#send(socket, exchange)
      },
    })
    socket.on('data', (bytes: Buffer) => reader.push(bytes))
    socket.on('connect', () => this.#send(socket, exchange))
    socket.on('error', () => socket.destroy())
    socket.on('close', () => this.#closed(exchange))
  }

  #send(socket: Socket, exchange: Exchange): void {
    if (this.#sent === this.#job.requests) {
      socket.end()
      return
    }
    this.#sent += 1
    exchange.start()
    socket.write(this.#bytes)
  }

  #closed(exchange: Exchange): void {
    if (exchange.inFlight) {
      this.#broken += 1
      this.#count('broken')
    }
    if (this.#sent < this.#job.requests) this.#connect()
  }

  #record(exchange: Exchange): void {
    exchange.inFlight = false
    this.#firstBytes[this.#done] = exchange.firstByteMs - exchange.startedMs
    this.#latencies[this.#done] = performance.now() - exchange.startedMs
    this.#count(exchange.status)
  }

  #count(status: string): void {
    this.#statuses[status] = (this.#statuses[status] ?? 0) + 1
    this.#done += 1
    if (this.#done === this.#job.requests) this.#finish()
  }
}

process.on('message', (job: LoadJob) => {
  void new Run(job).go().then((result) => process.send?.(result))
})
// A bench that was killed must not leave this running.
process.on('disconnect', () => process.exit(0))
