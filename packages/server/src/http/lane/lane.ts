// A connection from its first byte. Plain model calls are read and answered here, which costs half of what
// `node:http` costs; the first request that is anything else takes the connection to `node:http` for good.

import type { Socket } from 'node:net'
import type { CallerWire } from '../../core/release/release.js'
import { LaneCaller } from './lane-caller.js'
import { type PlainHead, readPlainHead } from './plain-head.js'

export interface LaneRequest {
  readonly wire: CallerWire
  readonly head: PlainHead
  readonly body: Buffer
}

export interface LaneOptions {
  maxBodyBytes(): number
  nowMs(): number
  atEndOfTurn(run: () => void): void
  /** Of the head of a response: see `LaneAnswer`. */
  lastLines(): string
  /** The format of a model route, or undefined for a path that is none. */
  wireOf(path: string): CallerWire | undefined
  /** Must end the answer, whatever happens. */
  serve(request: LaneRequest, caller: LaneCaller): void
  /** The connection is `node:http`'s now. */
  handOver(socket: Socket): void
  onClosed(lane: Lane): void
  /** No further request is wanted: the server is closing. */
  isClosing(): boolean
}

const HEAD_END = Buffer.from('\r\n\r\n')

/**
 * Longer than the usual load balancer's idle time, so that it never sends into a connection we just closed.
 */
export const KEEP_ALIVE_MS = 65_000

/** The body that is being read. */
interface Arriving {
  readonly wire: CallerWire
  readonly head: PlainHead
  readonly pieces: Buffer[]
  left: number
}

export class Lane {
  readonly #options: LaneOptions
  readonly socket: Socket
  #arriving: Arriving | null = null
  #caller: LaneCaller | null = null
  /** Sent before the answer to the request before it: it waits its turn. */
  #early: Buffer[] = []
  #lastByteMs: number

  constructor(socket: Socket, options: LaneOptions) {
    this.socket = socket
    this.#options = options
    this.#lastByteMs = options.nowMs()
    socket.on('data', this.#onData)
    socket.on('end', this.#onEnd)
    socket.on('error', this.#onEnd)
    socket.on('close', this.#onClose)
  }

  /** No request is being read or answered, and the last answer has left. */
  get isIdle(): boolean {
    return this.#caller === null && this.#arriving === null && this.socket.writableLength === 0
  }

  /** For how long nothing was asked, or a body has not gone on, ms. */
  silentMs(nowMs: number): number {
    return this.#caller === null ? nowMs - this.#lastByteMs : 0
  }

  readonly lastLines = (): string => this.#options.lastLines()

  readonly onEnd = (): void => {
    this.#caller = null
    this.#lastByteMs = this.#options.nowMs()
    if (this.#options.isClosing()) {
      this.socket.end()
      return
    }
    if (this.#early.length === 0) return
    // In a turn of its own: many small requests sent ahead must not pile up on the stack.
    setImmediate(() => this.#takeEarly())
  }

  readonly #onData = (bytes: Buffer): void => {
    this.#lastByteMs = this.#options.nowMs()
    if (this.#caller !== null || this.#early.length > 0) {
      this.socket.pause()
      this.#early.push(bytes)
    } else if (this.#arriving !== null) this.#continue(this.#arriving, bytes)
    else this.#begin(bytes)
  }

  #takeEarly(): void {
    if (this.#caller !== null || this.socket.destroyed) return
    const bytes = Buffer.concat(this.#early)
    this.#early = []
    this.socket.resume()
    if (bytes.length > 0) this.#onData(bytes)
  }

  #begin(bytes: Buffer): void {
    const end = bytes.indexOf(HEAD_END)
    const head = end === -1 ? null : readPlainHead(bytes.toString('latin1', 0, end))
    if (head === null || head.contentLength > this.#options.maxBodyBytes()) return this.#handOver(bytes)
    const wire = this.#options.wireOf(head.path)
    if (wire === undefined) return this.#handOver(bytes)
    const body = bytes.subarray(end + HEAD_END.length)
    if (body.length === head.contentLength) return this.#serve({ wire, head, body })
    this.#arriving = { wire, head, pieces: [], left: head.contentLength }
    this.#continue(this.#arriving, body)
  }

  #continue(arriving: Arriving, bytes: Buffer): void {
    const { wire, head, pieces } = arriving
    const own = bytes.length <= arriving.left ? bytes : bytes.subarray(0, arriving.left)
    pieces.push(own)
    arriving.left -= own.length
    if (arriving.left > 0) return
    this.#arriving = null
    if (own.length < bytes.length) this.#early.push(bytes.subarray(own.length))
    this.#serve({ wire, head, body: Buffer.concat(pieces) })
  }

  #serve(request: LaneRequest): void {
    const caller = new LaneCaller(this)
    this.#caller = caller
    this.#options.atEndOfTurn(() => this.#options.serve(request, caller))
  }

  #handOver(bytes: Buffer): void {
    const { socket } = this
    socket.off('data', this.#onData)
    socket.off('end', this.#onEnd)
    socket.off('error', this.#onEnd)
    socket.off('close', this.#onClose)
    this.#options.onClosed(this)
    // What was read goes back to the front, and flows again when `node:http` listens.
    socket.pause()
    socket.unshift(bytes)
    this.#options.handOver(socket)
    process.nextTick(() => socket.resume())
  }

  /** As `node:http` does: a caller that closes its side has left. */
  readonly #onEnd = (): void => void this.socket.destroy()

  readonly #onClose = (): void => {
    this.#options.onClosed(this)
    this.#caller?.leave()
  }
}
