// A model that says what the test wrote down, one letter per token, when the test lets it.

import type {
  ChatTurn,
  GeneratedToken,
  Generation,
  ModelRunner,
  Prompt,
} from '../adapters/providers/on-device/model-runner.js'

export interface FakeRunnerOptions {
  /** Default 100. */
  readonly contextTokens?: number
  /** What it says, to every question. Default `abcdefghij`. */
  readonly says?: string
}

export class FakeRunner implements ModelRunner {
  readonly contextTokens: number
  /** Tokens generated so far, of all calls. */
  generated = 0
  /** Generations under way. */
  running = 0
  isClosed = false
  readonly generations: Generation[] = []
  readonly #says: string
  #allowed = Infinity
  #waiting: (() => void)[] = []
  #failure: Error | null = null

  constructor(options: FakeRunnerOptions = {}) {
    this.contextTokens = options.contextTokens ?? 100
    this.#says = options.says ?? 'abcdefghij'
  }

  /** From now on, only so many more tokens; then it waits for the next `allow`. */
  allow(tokens: number): void {
    this.#allowed = tokens
    this.#wake()
  }

  /** The next token is an exception. */
  fail(message: string): void {
    this.#failure = new Error(message)
    this.#wake()
  }

  chatPrompt(turns: readonly ChatTurn[]): Prompt {
    const text = turns.map((turn) => turn.text).join('')
    if (text.includes('unspeakable')) throw new Error('no such role')
    return { tokens: this.textTokens(text), stopTokens: new Set(), stopTexts: ['<end>'] }
  }

  textTokens(text: string): readonly number[] {
    return Array.from(text, (character) => character.codePointAt(0) ?? 0)
  }

  textOf(tokens: readonly number[]): string {
    return String.fromCodePoint(...tokens)
  }

  async *generate(generation: Generation, signal: AbortSignal): AsyncGenerator<GeneratedToken> {
    this.generations.push(generation)
    this.running += 1
    try {
      for (const token of this.textTokens(this.#says)) {
        while (this.#allowed <= 0 && !signal.aborted && this.#failure === null) {
          await new Promise<void>((resolve) => {
            this.#waiting.push(resolve)
            signal.addEventListener('abort', () => resolve(), { once: true })
          })
        }
        if (signal.aborted) return
        if (this.#failure !== null) throw this.#failure
        this.#allowed -= 1
        this.generated += 1
        yield { token, probability: 0.5, alternatives: [] }
      }
    } finally {
      this.running -= 1
    }
  }

  embed(tokens: readonly number[]): Promise<Float32Array> {
    return Promise.resolve(Float32Array.from([1, tokens.length]))
  }

  close(): Promise<void> {
    this.isClosed = true
    return Promise.resolve()
  }

  #wake(): void {
    for (const wake of this.#waiting.splice(0)) wake()
  }
}
