// Where JSON stops being JSON. `JSON.parse` quotes the text in its message, which may be a prompt: we say the
// place and what was expected, and nothing of what is there.

export interface JsonFault {
  readonly line: number
  readonly column: number
  readonly expected: string
}

const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y
// eslint-disable-next-line no-control-regex
const STRING = /"(?:[^"\\\u0000-\u001f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"/y
const LITERAL = /true|false|null/y
const SPACE = /[ \t\n\r]*/y
const DEPTH_MAX = 512

/** The first fault of a text that `JSON.parse` refused. */
export function findJsonFault(text: string): JsonFault {
  const reader = new Reader(text)
  const expected = reader.document()
  const before = text.slice(0, reader.at)
  const line = before.split('\n').length
  return { line, column: reader.at - before.lastIndexOf('\n'), expected }
}

class Reader {
  at = 0
  readonly #text: string

  constructor(text: string) {
    this.#text = text
  }

  /** What was expected where the reading stopped. */
  document(): string {
    const fault = this.#value(0)
    if (fault !== null) return fault
    this.#skip(SPACE)
    return 'the end'
  }

  #value(depth: number): string | null {
    this.#skip(SPACE)
    if (depth > DEPTH_MAX) return 'less nesting'
    const next = this.#text[this.at]
    if (next === '{') return this.#members(depth, { close: '}', named: true })
    if (next === '[') return this.#members(depth, { close: ']', named: false })
    if (this.#skip(STRING) || this.#skip(NUMBER) || this.#skip(LITERAL)) return null
    return next === '"' ? 'a string that ends, with valid escapes' : 'a value'
  }

  #members(depth: number, shape: { close: string; named: boolean }): string | null {
    this.at += 1
    this.#skip(SPACE)
    if (this.#take(shape.close)) return null
    for (;;) {
      const fault = (shape.named ? this.#name() : null) ?? this.#value(depth + 1)
      if (fault !== null) return fault
      this.#skip(SPACE)
      if (this.#take(shape.close)) return null
      if (!this.#take(',')) return `"," or "${shape.close}"`
    }
  }

  #name(): string | null {
    this.#skip(SPACE)
    if (!this.#skip(STRING)) return 'a member name in double quotes'
    this.#skip(SPACE)
    return this.#take(':') ? null : '":"'
  }

  #take(character: string): boolean {
    if (this.#text[this.at] !== character) return false
    this.at += 1
    return true
  }

  #skip(pattern: RegExp): boolean {
    pattern.lastIndex = this.at
    const found = pattern.exec(this.#text)
    if (found === null) return false
    this.at = pattern.lastIndex
    return true
  }
}
