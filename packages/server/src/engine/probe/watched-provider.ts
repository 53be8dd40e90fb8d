// A provider that is watched while it serves one call: what the answer was like below the formats.

import type { Provider, System, UpstreamFailure } from '../ports.js'

/** Enough for any error that is meant for people. */
const BODY_BYTES_MAX = 16 * 1024

export class Watch {
  status: number | null = null
  headers: Readonly<Record<string, string>> = {}
  /** From `send` to the head, ms. */
  headMs: number | null = null
  failure: { readonly kind: UpstreamFailure; readonly detail: string } | null = null
  readonly #chunks: Uint8Array[] = []
  #bytes = 0

  /** The beginning of the body, as text. */
  get body(): string {
    return Buffer.concat(this.#chunks).toString('utf8')
  }

  take(chunk: Uint8Array): void {
    if (this.#bytes >= BODY_BYTES_MAX) return
    const kept = chunk.subarray(0, BODY_BYTES_MAX - this.#bytes)
    // The connection's buffer is used again: what is kept is copied.
    this.#chunks.push(Uint8Array.from(kept))
    this.#bytes += kept.byteLength
  }
}

export function watchedProvider(provider: Provider, watch: Watch, system: Pick<System, 'nowMs'>): Provider {
  return {
    name: provider.name,
    simulated: provider.simulated,
    speaks: (wire, model) => provider.speaks(wire, model),
    close: () => provider.close(),
    send(request, listener) {
      const sentMs = system.nowMs()
      return provider.send(request, {
        onHead(status, headers, renewed) {
          watch.status = status
          watch.headers = headers
          watch.headMs = system.nowMs() - sentMs
          listener.onHead(status, headers, renewed)
        },
        onData(chunk) {
          watch.take(chunk)
          listener.onData(chunk)
        },
        onEnd: () => listener.onEnd(),
        onFailure(failure, detail) {
          watch.failure = { kind: failure, detail }
          listener.onFailure(failure, detail)
        },
      })
    },
  }
}
