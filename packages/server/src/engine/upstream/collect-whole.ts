// One attempt whose answer is taken whole: nothing reaches the caller before the last byte is here and
// judged.

import type { Provider, System, UpstreamFailure, UpstreamRequest } from '../ports.js'

export type WholeAnswer =
  | {
      readonly kind: 'answered'
      readonly status: number
      readonly headers: Readonly<Record<string, string>>
      readonly body: Uint8Array
      readonly firstByteMs: number
    }
  | {
      readonly kind: 'failed'
      readonly failure: UpstreamFailure
      readonly detail: string
      readonly status: number
    }

export interface WholeAttempt {
  readonly provider: Provider
  readonly request: UpstreamRequest
  readonly system: System
  /** Time left for the whole answer, ms. */
  readonly leftMs: number
}

export function collectWhole(attempt: WholeAttempt): Promise<WholeAnswer> {
  const { provider, request, system } = attempt
  return new Promise((resolve) => {
    const startedMs = system.nowMs()
    const chunks: Uint8Array[] = []
    let status = 0
    let headers: Readonly<Record<string, string>> = {}
    let firstByteMs = 0
    const call = provider.send(request, {
      onHead(headStatus, headHeaders) {
        status = headStatus
        headers = headHeaders
        firstByteMs = system.nowMs() - startedMs
      },
      onData(chunk) {
        chunks.push(chunk)
      },
      onEnd() {
        timer.cancel()
        const body = chunks.length === 1 ? (chunks[0] ?? EMPTY) : Buffer.concat(chunks)
        resolve({ kind: 'answered', status, headers, body, firstByteMs })
      },
      onFailure(failure, detail) {
        timer.cancel()
        resolve({ kind: 'failed', failure, detail, status })
      },
    })
    const timer = system.after(attempt.leftMs, () => {
      call.abort()
      resolve({ kind: 'failed', failure: 'timeout', detail: 'the time for this attempt was up', status })
    })
  })
}

const EMPTY = new Uint8Array(0)
