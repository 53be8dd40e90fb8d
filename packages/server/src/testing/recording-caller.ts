// A caller in memory: keeps what it was sent, may read slowly, and may hang up at any moment.

import type { Caller } from '../engine/ports.js'

/** How what the caller got came to its end. */
export type CallerEnd =
  /** A whole body. */
  | 'whole'
  /** A stream with its format's end marker. */
  | 'stream'
  /** A stream that says in band that it failed, without an end marker after it. */
  | 'error'
  /** Ended, but as none of these: a broken answer that looks complete. */
  | 'improper'
  /** Not ended. */
  | 'open'

export class RecordingCaller implements Caller {
  status = 0
  headers: Readonly<Record<string, string>> = {}
  /** How often each was called: more than once is a fault. */
  begins = 0
  ends = 0
  readonly chunks: Buffer[] = []
  gone = false
  /** true: every write says "wait for the drain". */
  isSlow = false
  readonly #onDrain: (() => void)[] = []
  readonly #onGone: (() => void)[] = []
  readonly #atPort: (port: string) => void

  constructor(atPort: (port: string) => void = () => {}) {
    this.#atPort = atPort
  }

  get begun(): boolean {
    return this.begins > 0
  }

  get text(): string {
    return Buffer.concat(this.chunks).toString('utf8')
  }

  get json(): Record<string, unknown> {
    return JSON.parse(this.text) as Record<string, unknown>
  }

  /** `data` of each frame, parsed where it is JSON. */
  get frames(): readonly unknown[] {
    const lines = this.text.split('\n').filter((line) => line.startsWith('data: '))
    return lines.map((line) => (line === 'data: [DONE]' ? '[DONE]' : (JSON.parse(line.slice(6)) as unknown)))
  }

  get outcome(): CallerEnd {
    if (this.ends === 0) return 'open'
    if (!(this.headers['content-type'] ?? '').startsWith('text/event-stream'))
      return isJson(this.text) ? 'whole' : 'improper'
    const marked = /data: \[DONE\]\n\n$|"type":"message_stop"\}\n\n$/.test(this.text)
    const failed = /data: (\{"error"|\{"type":"error")/.test(this.text)
    if (marked) return failed ? 'improper' : 'stream'
    return failed ? 'error' : 'improper'
  }

  begin(status: number, headers: Readonly<Record<string, string>>): void {
    this.#atPort('caller.begin')
    this.begins += 1
    this.status = status
    this.headers = headers
  }

  write(chunk: Uint8Array | string): boolean {
    this.#atPort('caller.write')
    this.#take(chunk)
    return !this.isSlow
  }

  end(chunk?: Uint8Array | string): void {
    if (chunk !== undefined) this.#take(chunk)
    this.ends += 1
  }

  onDrain(run: () => void): void {
    this.#onDrain.push(run)
  }

  onGone(run: () => void): void {
    this.#onGone.push(run)
  }

  hangUp(): void {
    if (this.gone || this.ends > 0) return
    this.gone = true
    for (const run of this.#onGone.splice(0)) run()
  }

  /** The caller has read what was sent. */
  drain(): void {
    for (const run of this.#onDrain.splice(0)) run()
  }

  #take(chunk: Uint8Array | string): void {
    if (!this.gone) this.chunks.push(Buffer.from(chunk))
  }
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}
