// The connections to one provider: calls take an idle one or open another, and beyond the limit wait their
// turn. Connections that were idle too long are closed before the server would do it.

import type { System, Timer } from '../../../engine/ports.js'
import { Connection, type ConnectionOwner, type ExchangeListener, type Origin } from './connection.js'

export interface PoolOptions {
  readonly origin: Origin
  readonly system: Pick<System, 'nowMs' | 'after'>
  /** At most; further calls wait. */
  readonly connections: number
}

/** A request, and whoever waits for its answer. */
export interface PooledCall extends ExchangeListener {
  /** Ends with the blank line. */
  readonly head: string
  readonly body: Uint8Array
  /** It goes out on this connection, now. */
  onSent(connection: Connection): void
}

// Shorter than what common load balancers keep idle connections, so that we close first and lose no request
// to the race.
const KEEP_ALIVE_MS = 30_000
const KEEP_ALIVE_MAX_MS = 120_000
/** A server that says for how long it stays is left this much earlier. */
const KEEP_ALIVE_MARGIN_MS = 2_000
const SWEEP_MS = 1_000
/** Each waits within its own time for the head; this bounds how many do. */
const WAITING_MAX = 10_000
const READ_BYTES = 64 * 1024

export class ConnectionPool implements ConnectionOwner {
  readonly #options: PoolOptions
  readonly #readBuffer = Buffer.allocUnsafeSlow(READ_BYTES)
  readonly #tls: { session: Buffer | undefined } = { session: undefined }
  readonly #all = new Set<Connection>()
  /** The one used last is used next, so that what is not needed grows old. */
  readonly #idle: Connection[] = []
  readonly #waiting = new Set<PooledCall>()
  #sweep: Timer | null = null
  #isClosing = false
  #whenClosed: () => void = () => undefined

  constructor(options: PoolOptions) {
    this.#options = options
  }

  /** May call `onLost` before it returns. */
  send(call: PooledCall): void {
    if (this.#isClosing) return call.onLost('POOL_CLOSED')
    const idle = this.#idle.pop()
    if (idle !== undefined) return start(idle, call)
    if (this.#all.size < this.#options.connections) return this.#open(call)
    if (this.#waiting.size >= WAITING_MAX) return call.onLost('POOL_FULL')
    this.#waiting.add(call)
  }

  /** It no longer wants to be sent. Nothing happens when it already was. */
  withdraw(call: PooledCall): void {
    this.#waiting.delete(call)
  }

  /** Lets the calls that were taken end, then closes every connection. */
  async close(): Promise<void> {
    this.#isClosing = true
    for (const idle of this.#idle.splice(0)) idle.close()
    if (this.#all.size > 0) await new Promise<void>((resolve) => (this.#whenClosed = resolve))
    this.#sweep?.cancel()
  }

  onIdle(connection: Connection): void {
    const next = this.#nextWaiting()
    if (next !== undefined) return start(connection, next)
    if (this.#isClosing) return connection.close()
    connection.idleSinceMs = this.#options.system.nowMs()
    this.#idle.push(connection)
    this.#sweep ??= this.#options.system.after(SWEEP_MS, () => this.#closeOld())
  }

  onClosed(connection: Connection): void {
    this.#all.delete(connection)
    const place = this.#idle.indexOf(connection)
    if (place !== -1) this.#idle.splice(place, 1)
    const next = this.#nextWaiting()
    if (next !== undefined) this.#open(next)
    else if (this.#all.size === 0) this.#whenClosed()
  }

  #nextWaiting(): PooledCall | undefined {
    const [next] = this.#waiting
    if (next !== undefined) this.#waiting.delete(next)
    return next
  }

  #open(call: PooledCall): void {
    const { origin, system } = this.#options
    const readBuffer = this.#readBuffer
    const connection = new Connection({ origin, owner: this, readBuffer, tls: this.#tls, system })
    this.#all.add(connection)
    start(connection, call)
  }

  #closeOld(): void {
    this.#sweep = null
    const nowMs = this.#options.system.nowMs()
    const old = this.#idle.filter((idle) => nowMs - idle.idleSinceMs >= keepAliveMs(idle))
    for (const idle of old) idle.close()
    if (this.#idle.length > 0) this.#sweep = this.#options.system.after(SWEEP_MS, () => this.#closeOld())
  }
}

function keepAliveMs({ idleSeconds }: Connection): number {
  if (idleSeconds === null) return KEEP_ALIVE_MS
  return Math.min(KEEP_ALIVE_MAX_MS, Math.max(0, idleSeconds * 1_000 - KEEP_ALIVE_MARGIN_MS))
}

function start(connection: Connection, call: PooledCall): void {
  call.onSent(connection)
  connection.exchange(call.head, call.body, call)
}
