// The caller's side of a connection, as the engine sees it.

import type { ServerResponse } from 'node:http'
import type { Caller } from '../engine/ports.js'

export class HttpCaller implements Caller {
  readonly #response: ServerResponse
  #isDone = false

  constructor(response: ServerResponse) {
    this.#response = response
  }

  get gone(): boolean {
    return this.#response.destroyed && !this.#isDone
  }

  /** `end` was called. */
  get isDone(): boolean {
    return this.#isDone
  }

  get begun(): boolean {
    return this.#response.headersSent
  }

  begin(status: number, headers: Readonly<Record<string, string>>): void {
    if (!this.#response.headersSent) this.#response.writeHead(status, headers)
  }

  write(chunk: Uint8Array | string): boolean {
    return this.#response.write(chunk)
  }

  end(chunk?: Uint8Array | string): void {
    this.#isDone = true
    if (chunk === undefined) this.#response.end()
    else this.#response.end(chunk)
  }

  destroy(): void {
    this.#response.destroy()
  }

  onDrain(run: () => void): void {
    this.#response.once('drain', run)
  }

  onGone(run: () => void): void {
    if (this.gone) return run()
    this.#response.once('close', () => {
      if (!this.#isDone) run()
    })
  }
}
