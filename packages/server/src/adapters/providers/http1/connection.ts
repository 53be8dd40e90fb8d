// One connection to a provider, over TCP or TLS. It carries one exchange at a time; whatever is odd closes
// it, so that no answer can be taken for another call's.

import { type Socket, connect as connectTcp } from 'node:net'
import { type ConnectionOptions, type TLSSocket, connect as connectTls } from 'node:tls'
import type { System, Timer } from '../../../engine/ports.js'
import type { ResponseHead } from './response-head.js'
import { ResponseReader, type ResponseSink } from './response-reader.js'

export interface Origin {
  readonly isSecure: boolean
  /** A name, or an address without brackets. */
  readonly host: string
  readonly port: number
}

/** Who asked. Exactly one of `onEnd` and `onLost` is called, last. */
export interface ExchangeListener {
  onHead(status: number, headers: Readonly<Record<string, string>>): void
  /** `bytes` is the listener's own. */
  onBody(bytes: Uint8Array): void
  onEnd(): void
  /** `code`: of the socket's error, or what was wrong. Never quotes what was sent. */
  onLost(code: string): void
}

/** The owner of the connection. */
export interface ConnectionOwner {
  /** The exchange is over and another may follow. */
  onIdle(connection: Connection): void
  onClosed(connection: Connection): void
}

export interface ConnectionOptionsOf {
  readonly origin: Origin
  readonly owner: ConnectionOwner
  /** Shared by the connections of a pool: each read is dealt with before the next. */
  readonly readBuffer: Buffer
  readonly tls: { session: Buffer | undefined }
  readonly system: Pick<System, 'after'>
}

const CONNECT_TIMEOUT_MS = 10_000

/** A body up to this size is sent together with the head, in one write. */
const ONE_WRITE_MAX = 64 * 1024

export class Connection implements ResponseSink {
  readonly #owner: ConnectionOwner
  readonly #socket: Socket
  readonly #reader = new ResponseReader(this)
  #listener: ExchangeListener | null = null
  #isReusable = true
  #isPaused = false
  #isClosed = false
  /** Runs until the connection stands. */
  readonly #timer: Timer
  /** The server said how long it keeps an idle connection, seconds. */
  idleSeconds: number | null = null
  /** When it became idle, by the pool's clock. */
  idleSinceMs = 0

  constructor({ origin, owner, readBuffer, tls, system }: ConnectionOptionsOf) {
    this.#owner = owner
    this.#timer = system.after(CONNECT_TIMEOUT_MS, () => this.#close('CONNECT_TIMEOUT'))
    const { host, port } = origin
    this.#socket = origin.isSecure
      ? this.#connectTls({ host, port, ALPNProtocols: ['http/1.1'] }, tls)
      : connectTcp({
          host,
          port,
          noDelay: true,
          onread: { buffer: readBuffer, callback: (count, buffer) => this.#onRead(count, buffer) },
        })
    this.#socket.once(origin.isSecure ? 'secureConnect' : 'connect', () => this.#timer.cancel())
    this.#socket.once('end', () => this.#onEnd())
    this.#socket.once('error', (error) => this.#close(codeOf(error)))
    this.#socket.once('close', () => this.#close('CLOSED_BY_SERVER'))
  }

  /** Sends a request; `head` ends with the blank line. Errors come to the listener, never from here. */
  exchange(head: string, body: Uint8Array, listener: ExchangeListener): void {
    this.#listener = listener
    this.#reader.reset()
    const socket = this.#socket
    if (body.length > ONE_WRITE_MAX) {
      socket.cork()
      socket.write(head, 'latin1')
      socket.write(body)
      socket.uncork()
      return
    }
    const message = Buffer.allocUnsafe(head.length + body.length)
    message.write(head, 0, 'latin1')
    message.set(body, head.length)
    socket.write(message)
  }

  /** Nobody waits for the exchange any more. */
  abandon(): void {
    this.#listener = null
    this.#close('ABANDONED')
  }

  pause(): void {
    this.#isPaused = true
    this.#socket.pause()
  }

  resume(): void {
    this.#isPaused = false
    this.#socket.resume()
  }

  close(): void {
    this.#close('CLOSED')
  }

  onHead({ status, headers, reusable, idleSeconds }: ResponseHead): void {
    this.#isReusable = reusable
    this.idleSeconds = idleSeconds
    this.#listener?.onHead(status, headers)
  }

  onBody(bytes: Uint8Array): void {
    this.#listener?.onBody(bytes)
  }

  onEnd(): void {
    const listener = this.#listener
    this.#listener = null
    // Whoever paused has everything: the next exchange must not wait for it to go on.
    if (this.#isPaused) this.resume()
    if (!this.#isReusable || this.#reader.hasExcess) this.#close('CLOSED')
    else if (!this.#isClosed) this.#owner.onIdle(this)
    listener?.onEnd()
  }

  #connectTls(options: ConnectionOptions, tls: { session: Buffer | undefined }): TLSSocket {
    const { host = '' } = options
    const isAddress = /^[\d.]+$|:/.test(host)
    const known = tls.session === undefined ? {} : { session: tls.session }
    const socket = connectTls({ ...options, ...known, ...(isAddress ? {} : { servername: host }) })
    socket.setNoDelay(true)
    socket.on('session', (session: Buffer) => {
      tls.session = session
    })
    socket.on('data', (bytes: Buffer) => this.#onRead(bytes.length, bytes))
    return socket
  }

  /** Returns whether to go on reading. */
  #onRead(count: number, buffer: Uint8Array): boolean {
    if (this.#isClosed) return false
    // Nobody asked: the server takes leave (a 408), or lies.
    if (this.#listener === null) this.#close('UNASKED_RESPONSE')
    else {
      const problem = this.#reader.push(Buffer.from(buffer.buffer, buffer.byteOffset, count))
      if (problem !== null) this.#close(`INVALID_RESPONSE: ${problem}`)
    }
    return !this.#isPaused
  }

  /** The server sends no more. */
  #onEnd(): void {
    this.#isReusable = false
    if (!this.#reader.close()) this.#close('CLOSED_BY_SERVER')
  }

  #close(code: string): void {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#timer.cancel()
    this.#socket.destroy()
    const listener = this.#listener
    this.#listener = null
    this.#owner.onClosed(this)
    listener?.onLost(code)
  }
}

/** Only the code: messages may quote what was sent. */
function codeOf(error: Error): string {
  const code = 'code' in error ? error.code : undefined
  return typeof code === 'string' ? code : error.name
}
