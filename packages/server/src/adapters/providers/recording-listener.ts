// For tests: hears what a provider says and keeps it, in order.

import type { UpstreamListener, UpstreamRequest } from '../../engine/ports.js'

export interface Recording extends UpstreamListener {
  readonly calls: readonly string[]
  readonly status: number | null
  readonly headers: Readonly<Record<string, string>>
  /** The body so far, as text. */
  readonly body: string
  readonly bodyBytes: number
  /** How it ended, or null: `end`, or `failure: detail`. */
  readonly ending: string | null
  /** Resolves when it has ended. */
  readonly done: Promise<void>
  /** Resolves with the next chunk. */
  nextChunk(): Promise<void>
}

export function recordingListener(onChunk: (chunk: Uint8Array) => void = () => {}): Recording {
  const calls: string[] = []
  const chunks: Uint8Array[] = []
  let status: number | null = null
  let headers: Readonly<Record<string, string>> = {}
  let ending: string | null = null
  let settle = (): void => {}
  const done = new Promise<void>((resolve) => {
    settle = resolve
  })
  let waiting: (() => void)[] = []
  return {
    calls,
    get status() {
      return status
    },
    get headers() {
      return headers
    },
    get body() {
      return Buffer.concat(chunks).toString('utf8')
    },
    get bodyBytes() {
      return chunks.reduce((sum, chunk) => sum + chunk.byteLength, 0)
    },
    get ending() {
      return ending
    },
    done,
    nextChunk: () => new Promise((resolve) => waiting.push(resolve)),
    onHead(code, given) {
      calls.push('head')
      status = code
      headers = given
    },
    onData(chunk) {
      calls.push('data')
      chunks.push(Uint8Array.from(chunk))
      const woken = waiting
      waiting = []
      for (const wake of woken) wake()
      onChunk(chunk)
    },
    onEnd() {
      calls.push('end')
      ending = 'end'
      settle()
    },
    onFailure(failure, detail) {
      calls.push('failure')
      ending = `${failure}: ${detail}`
      settle()
    },
  }
}

export function upstreamRequest(body: unknown, more: Partial<UpstreamRequest> = {}): UpstreamRequest {
  return {
    wire: 'openai-chat',
    model: 'gpt-4o-mini',
    body: typeof body === 'string' ? Buffer.from(body) : Buffer.from(JSON.stringify(body)),
    stream: false,
    headers: {},
    headTimeoutMs: 20_000,
    idleTimeoutMs: 20_000,
    ...more,
  }
}
