// One question to a provider about itself: a GET over the connections of its calls, with the same proof of
// who asks. Bounded in time from its first to its last byte, and in size.

import type { System, UpstreamFailure, UpstreamListener } from '../../../engine/ports.js'
import type { Authorizer } from '../auth/authorizer.js'
import { HttpCall, type HttpCallOptions } from '../http-call.js'
import type { ConnectionPool } from '../http1/connection-pool.js'
import type { WriteHead } from '../request-head.js'
import { sendProven } from '../send-proven.js'

/** A thousand models at Gemini's length, or a thousand iterations of TensorRT-LLM. */
export const TOLD_BYTES_MAX = 4 * 1024 * 1024

export type Told =
  | { readonly kind: 'answered'; readonly status: number; readonly isHtml: boolean; readonly body: string }
  /** `reason` has no secrets. */
  | { readonly kind: 'failed'; readonly reason: string }

/** Never rejects. */
export type Ask = (path: string, untilMs: number) => Promise<Told>

export interface Line extends Pick<HttpCallOptions, 'host' | 'withdraw' | 'onHead'> {
  readonly system: System
  readonly pool: Pick<ConnectionPool, 'send'>
  readonly authorizer: Pick<Authorizer, 'headersFor'>
  /** Writes the head of a GET. */
  readonly writeHead: WriteHead
}

const NOTHING = { headers: {}, body: new Uint8Array() }

export function askOver({ system, pool, authorizer, writeHead, ...rest }: Line): Ask {
  const options = { ...rest, system, bodyBytesMax: TOLD_BYTES_MAX }
  return (path, untilMs) =>
    new Promise((resolve) => {
      const leftMs = Math.max(0, untilMs - system.nowMs())
      const request = { ...NOTHING, stream: false, headTimeoutMs: leftMs, idleTimeoutMs: leftMs }
      const deadline = system.after(leftMs, () => {
        call.abort()
        resolve({ kind: 'failed', reason: 'it takes too long' })
      })
      const told = (answer: Told): void => {
        deadline.cancel()
        resolve(answer)
      }
      const call = new HttpCall(request, new Listener(told), options)
      sendProven(call, authorizer.headersFor({ path, body: NOTHING.body }), (proof) => {
        call.prove(writeHead(NOTHING, path, proof))
        pool.send(call)
      })
      call.markSent()
    })
}

class Listener implements UpstreamListener {
  readonly #told: (answer: Told) => void
  readonly #chunks: Uint8Array[] = []
  #status = 0
  #type = ''

  constructor(told: (answer: Told) => void) {
    this.#told = told
  }

  onHead(status: number, headers: Readonly<Record<string, string>>): void {
    this.#status = status
    this.#type = headers['content-type'] ?? ''
  }

  onData(chunk: Uint8Array): void {
    // The connection's buffer is used again: what is kept is copied.
    this.#chunks.push(Uint8Array.from(chunk))
  }

  onEnd(): void {
    const body = Buffer.concat(this.#chunks).toString('utf8')
    const isHtml = this.#type.startsWith('text/html') || body.trimStart().startsWith('<')
    this.#told({ kind: 'answered', status: this.#status, isHtml, body })
  }

  onFailure(failure: UpstreamFailure, detail: string): void {
    this.#told({ kind: 'failed', reason: `${failure}: ${detail}` })
  }
}
