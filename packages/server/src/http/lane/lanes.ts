// All lanes of a server: begun with each connection, closed when they are silent for long or the server ends.

import type { Socket } from 'node:net'
import type { System, Timer } from '../../engine/ports.js'
import { KEEP_ALIVE_MS, Lane, type LaneOptions } from './lane.js'

const SWEEP_MS = 5_000

export type LanesOptions = Pick<LaneOptions, 'maxBodyBytes' | 'wireOf' | 'serve' | 'handOver'> & {
  readonly system: Pick<System, 'nowMs' | 'after'>
}

export class Lanes {
  readonly #options: LaneOptions
  readonly #system: LanesOptions['system']
  readonly #open = new Set<Lane>()
  #sweep: Timer | null = null
  #isClosing = false
  #dateSecond = 0
  #date = ''

  constructor({ system, ...options }: LanesOptions) {
    this.#system = system
    this.#options = {
      ...options,
      nowMs: () => system.nowMs(),
      date: () => this.#dateNow(),
      onClosed: (lane) => this.#open.delete(lane),
      isClosing: () => this.#isClosing,
    }
  }

  begin(socket: Socket): void {
    this.#open.add(new Lane(socket, this.#options))
    this.#sweep ??= this.#system.after(SWEEP_MS, () => this.#closeSilent())
  }

  /** Closes what is idle, now and from now on. */
  closeIdle(): void {
    this.#isClosing = true
    for (const lane of this.#open) if (lane.isIdle) lane.socket.destroy()
  }

  closeAll(): void {
    this.#isClosing = true
    for (const lane of this.#open) lane.socket.destroy()
  }

  #closeSilent(): void {
    this.#sweep = null
    const nowMs = this.#system.nowMs()
    for (const lane of this.#open) if (lane.silentMs(nowMs) > KEEP_ALIVE_MS) lane.socket.destroy()
    if (this.#open.size > 0) this.#sweep = this.#system.after(SWEEP_MS, () => this.#closeSilent())
  }

  #dateNow(): string {
    const second = Math.floor(this.#system.nowMs() / 1_000)
    if (second !== this.#dateSecond) {
      this.#dateSecond = second
      this.#date = new Date(second * 1_000).toUTCString()
    }
    return this.#date
  }
}
