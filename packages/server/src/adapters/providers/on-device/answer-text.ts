// Tokens to text that can be sent: a character may need several tokens, and text that may turn out to be the
// beginning of a stop sequence is held until that is decided.

/** Some text, and the tokens that begin in it. */
export interface Piece<T> {
  readonly text: string
  readonly tokens: readonly T[]
}

export interface AnswerTextOptions {
  readonly textOf: (tokens: readonly number[], before: readonly number[]) => string
  /** Texts that end the answer and are no part of it. */
  readonly stops: readonly string[]
}

/** UTF-8 needs at most this many bytes, and so tokens, for a character; then what is broken is broken. */
const TOKENS_PER_CHARACTER_MAX = 4
const TOKENS_BEFORE_KEPT = 8
const REPLACEMENT = '\ufffd'

interface Held<T> {
  readonly note: T
  /** Where its text lies in what is held. */
  readonly start: number
  readonly end: number
}

export class AnswerText<T extends { readonly token: number }> {
  readonly #options: AnswerTextOptions
  #before: number[] = []
  /** Tokens that are no whole character yet. */
  #partial: T[] = []
  #text = ''
  #held: Held<T>[] = []
  #isStopped = false

  constructor(options: AnswerTextOptions) {
    this.#options = { ...options, stops: options.stops.filter((stop) => stop !== '') }
  }

  /** A stop sequence has come; what is pushed now is no part of the answer. */
  get isStopped(): boolean {
    return this.#isStopped
  }

  /** What can be sent now. */
  push(note: T): Piece<T> {
    this.#partial.push(note)
    this.#decode(false)
    return this.#release(false)
  }

  /** The rest, at the end of the answer. */
  finish(): Piece<T> {
    this.#decode(true)
    return this.#release(true)
  }

  #decode(isLast: boolean): void {
    const tokens = this.#partial.map(({ token }) => token)
    if (tokens.length === 0 || this.#isStopped) return
    const text = this.#options.textOf(tokens, this.#before)
    const mayGrow = text.endsWith(REPLACEMENT) && tokens.length < TOKENS_PER_CHARACTER_MAX
    if (mayGrow && !isLast) return
    const start = this.#text.length
    this.#text += text
    for (const note of this.#partial) this.#held.push({ note, start, end: this.#text.length })
    this.#before = [...this.#before, ...tokens].slice(-TOKENS_BEFORE_KEPT)
    this.#partial = []
  }

  #release(isLast: boolean): Piece<T> {
    const stop = this.#findStop()
    if (stop !== null) this.#isStopped = true
    const length = stop ?? this.#text.length - (isLast ? 0 : this.#undecided())
    const text = this.#text.slice(0, length)
    const tokens: T[] = []
    let first = this.#held[0]
    while (first !== undefined && (first.start < length || first.end <= length)) {
      tokens.push(first.note)
      this.#held.shift()
      first = this.#held[0]
    }
    this.#text = stop === null ? this.#text.slice(length) : ''
    this.#held = this.#isStopped
      ? []
      : this.#held.map(({ note, start, end }) => ({ note, start: start - length, end: end - length }))
    return { text, tokens }
  }

  #findStop(): number | null {
    const found = this.#options.stops.map((stop) => this.#text.indexOf(stop)).filter((at) => at >= 0)
    return found.length === 0 ? null : Math.min(...found)
  }

  /** How much of the end may be the beginning of a stop sequence. */
  #undecided(): number {
    let longest = 0
    for (const stop of this.#options.stops) {
      for (let length = Math.min(stop.length - 1, this.#text.length); length > longest; length--) {
        if (this.#text.endsWith(stop.slice(0, length))) longest = length
      }
    }
    return longest
  }
}
