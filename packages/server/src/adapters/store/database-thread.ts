// The database's thread, seen from the main one: asks in order, each with its own answer.

import { Worker } from 'node:worker_threads'
import { StoreError } from './store-error.js'
import type { Ask, Reply } from './worker-protocol.js'

interface Waiting {
  readonly resolve: (value: unknown) => void
  readonly reject: (error: StoreError) => void
}

/** What the thread reads is short-lived and small; the default would hold tens of megabytes of it. */
const YOUNG_MB = 8

/** A worker runs JavaScript: where the sources run as they are (vitest), it is the built file. */
function workerUrl(): URL {
  const path = import.meta.url.endsWith('.ts') ? '../../../dist/adapters/store/worker.js' : './worker.js'
  return new URL(path, import.meta.url)
}

export class DatabaseThread {
  readonly #worker: Worker
  readonly #waiting = new Map<number, Waiting>()
  #nextId = 1
  #dead: StoreError | null = null

  constructor(dir: string, onProblem: (problem: string) => void) {
    this.#worker = new Worker(workerUrl(), {
      workerData: dir,
      name: 'spillway-books',
      resourceLimits: { maxYoungGenerationSizeMb: YOUNG_MB },
    })
    this.#worker.unref()
    this.#worker.on('message', (reply: Reply) => this.#receive(reply))
    this.#worker.on('error', (error) => {
      onProblem(`the database thread died: ${error.message}`)
      this.#die(new StoreError('database', `the database thread died: ${error.message}`, error))
    })
    this.#worker.on('exit', () => this.#die(new StoreError('closed', 'the books are closed')))
  }

  /** The answer's type is the one `answer` of the protocol gives for this kind of question. */
  ask<T>(ask: Ask): Promise<T> {
    if (this.#dead !== null) return Promise.reject(this.#dead)
    return new Promise<T>((resolve, reject) => {
      const id = this.#nextId++
      // While somebody waits the process must not end; otherwise the thread never keeps it alive.
      if (this.#waiting.size === 0) this.#worker.ref()
      this.#waiting.set(id, { resolve: (value) => resolve(value as T), reject })
      // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, not a window
      this.#worker.postMessage({ id, ask })
    })
  }

  async stop(): Promise<void> {
    await this.#worker.terminate()
  }

  #receive(reply: Reply): void {
    const waiting = this.#waiting.get(reply.id)
    this.#waiting.delete(reply.id)
    if (this.#waiting.size === 0) this.#worker.unref()
    if (reply.kind === 'ok') waiting?.resolve(reply.value)
    else waiting?.reject(new StoreError(reply.code, reply.message))
  }

  #die(error: StoreError): void {
    this.#dead ??= error
    for (const waiting of this.#waiting.values()) waiting.reject(this.#dead)
    this.#waiting.clear()
  }
}
