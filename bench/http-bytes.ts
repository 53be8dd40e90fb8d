// Finds where HTTP/1.1 messages end in a stream of bytes: just enough for the load generator and the upstream
// mock, which must cost far less than what they measure. Chunked bodies and fixed lengths, nothing else.

const HEAD_END = Buffer.from('\r\n\r\n')
const CR = 13

export interface MessageListener {
  /** The head of a message, without the blank line. */
  onHead?(head: string): void
  /** A piece of the body, without chunk framing. */
  onBody?(piece: Buffer): void
  onEnd(): void
}

type State =
  | { readonly kind: 'head' }
  | { readonly kind: 'fixed'; left: number }
  | { readonly kind: 'chunk-size' }
  | { readonly kind: 'chunk'; left: number }
  | { readonly kind: 'trailer' }

export class MessageReader {
  #state: State = { kind: 'head' }
  #rest: Buffer = Buffer.alloc(0)
  readonly #listener: MessageListener

  constructor(listener: MessageListener) {
    this.#listener = listener
  }

  push(bytes: Buffer): void {
    this.#rest = this.#rest.length === 0 ? bytes : Buffer.concat([this.#rest, bytes])
    let moved = true
    while (moved && this.#rest.length > 0) moved = this.#step()
  }

  /** Reads one element; false when more bytes are needed. */
  #step(): boolean {
    switch (this.#state.kind) {
      case 'head':
        return this.#readHead()
      case 'fixed':
      case 'chunk':
        return this.#readBody(this.#state)
      case 'chunk-size':
        return this.#readChunkSize()
      case 'trailer':
        return this.#readTrailer()
    }
  }

  #take(length: number): Buffer {
    const taken = this.#rest.subarray(0, length)
    this.#rest = this.#rest.subarray(length)
    return taken
  }

  #readHead(): boolean {
    const end = this.#rest.indexOf(HEAD_END)
    if (end < 0) return false
    const head = this.#take(end + HEAD_END.length).toString('latin1', 0, end)
    this.#listener.onHead?.(head)
    const lower = head.toLowerCase()
    const length = /\r\ncontent-length: *(\d+)/.exec(lower)?.[1]
    if (lower.includes('\r\ntransfer-encoding: chunked')) this.#state = { kind: 'chunk-size' }
    else if (length !== undefined && Number(length) > 0) this.#state = { kind: 'fixed', left: Number(length) }
    else this.#end()
    return true
  }

  #readBody(state: { readonly kind: 'fixed' | 'chunk'; left: number }): boolean {
    const piece = this.#take(Math.min(state.left, this.#rest.length))
    state.left -= piece.length
    this.#listener.onBody?.(piece)
    if (state.left > 0) return false
    if (state.kind === 'fixed') this.#end()
    else this.#state = { kind: 'chunk-size' }
    return true
  }

  #readChunkSize(): boolean {
    // The line end that closes the chunk before this one is skipped here.
    const start = this.#rest[0] === CR ? 2 : 0
    const end = this.#rest.indexOf('\r\n', start)
    if (end < 0) return false
    const size = Number.parseInt(this.#rest.toString('latin1', start, end), 16)
    this.#take(end + 2)
    this.#state = size === 0 ? { kind: 'trailer' } : { kind: 'chunk', left: size }
    return true
  }

  #readTrailer(): boolean {
    const end = this.#rest.indexOf('\r\n')
    if (end < 0) return false
    this.#take(end + 2)
    if (end === 0) this.#end()
    return true
  }

  #end(): void {
    this.#state = { kind: 'head' }
    this.#listener.onEnd()
  }
}
