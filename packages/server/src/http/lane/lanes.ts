// All connections of a server. Each begins in a lane; `node:http` gets those that need it. Closed when they
// are silent for long, or when the server ends.

import type { Server } from 'node:http'
import type { Socket } from 'node:net'
import type { System, Timer } from '../../engine/ports.js'
import { KEEP_ALIVE_MS, Lane, type LaneOptions } from './lane.js'

const SWEEP_MS = 5_000

export type LanesOptions = Pick<LaneOptions, 'maxBodyBytes' | 'wireOf' | 'serve'> & {
  readonly system: Pick<System, 'nowMs' | 'after' | 'atEndOfTurn'>
}

export class Lanes {
  readonly #http: Server
  readonly #options: LaneOptions
  readonly #system: LanesOptions['system']
  readonly #open = new Set<Lane>()
  /** Connections of `node:http`. */
  readonly #handedOver = new Set<Socket>()
  #sweep: Timer | null = null
  #isClosing = false
  /** When the lines that end a head were made, in seconds, and the lines. */
  #linesSecond = 0
  #lines = ''

  /** Takes the connections that `http` would have taken. Call it before `http` listens. */
  constructor(http: Server, { system, ...options }: LanesOptions) {
    this.#http = http
    this.#system = system
    const listeners = http.listeners('connection')
    http.removeAllListeners('connection')
    http.on('connection', (socket) => this.#begin(socket))
    this.#options = {
      ...options,
      nowMs: () => system.nowMs(),
      atEndOfTurn: (run) => system.atEndOfTurn(run),
      lastLines: () => this.#lastLines(),
      onClosed: (lane) => this.#open.delete(lane),
      isClosing: () => this.#isClosing,
      handOver: (socket) => {
        this.#handedOver.add(socket)
        socket.once('close', () => this.#handedOver.delete(socket))
        for (const listener of listeners) listener.call(http, socket)
      },
    }
  }

  /** Closes every connection that is idle; the others when their answer has been given. */
  closeIdle(): void {
    this.#isClosing = true
    for (const lane of this.#open) if (lane.isIdle) lane.socket.destroy()
    this.#http.closeIdleConnections()
    // Node does not count a connection as idle that never asked anything.
    for (const socket of this.#handedOver) if (socket.bytesRead === 0) socket.destroy()
  }

  closeAll(): void {
    this.#isClosing = true
    for (const lane of this.#open) lane.socket.destroy()
    this.#http.closeAllConnections()
  }

  #begin(socket: Socket): void {
    this.#open.add(new Lane(socket, this.#options))
    if (this.#sweep === null) this.#sweepLater()
  }

  #closeSilent(): void {
    this.#sweep = null
    const nowMs = this.#system.nowMs()
    for (const lane of this.#open) if (lane.silentMs(nowMs) > KEEP_ALIVE_MS) lane.socket.destroy()
    if (this.#open.size > 0) this.#sweepLater()
  }

  #sweepLater(): void {
    this.#sweep = this.#system.after(SWEEP_MS, () => this.#closeSilent())
  }

  #lastLines(): string {
    const second = Math.floor(this.#system.nowMs() / 1_000)
    if (this.#isClosing) return `${dateLine(second)}connection: close\r\n`
    if (second !== this.#linesSecond) {
      this.#linesSecond = second
      this.#lines = `${dateLine(second)}connection: keep-alive\r\nkeep-alive: timeout=${KEEP_ALIVE_MS / 1_000}\r\n`
    }
    return this.#lines
  }
}

function dateLine(second: number): string {
  return `\r\ndate: ${new Date(second * 1_000).toUTCString()}\r\n`
}
