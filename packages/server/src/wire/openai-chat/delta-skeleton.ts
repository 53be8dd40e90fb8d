// Nearly every frame of a stream repeats the one before it but for the words. Once an ordinary delta of text,
// or of a call's arguments, has been read in full, the bytes around its words are remembered, and a frame
// with the same bytes around other words is known without being parsed.

import { aroundPadding } from '../padding.js'

interface Kind {
  readonly mark: string
  /** Words that may be told without being read in full. */
  readonly plain: RegExp
  /** What else a delta may carry: such frames are always read in full. */
  readonly more: readonly string[]
}

/**
 * No quote, no backslash, no control character: the text ends where the skeleton says, and says what it says.
 */
// oxlint-disable-next-line no-control-regex
const PLAIN = /^[^"\\\u0000-\u001f]+$/
// Arguments are JSON in a string, so quotes in them are common; nobody asks what they say.
// oxlint-disable-next-line no-control-regex
const ONE_LINE = /^[^\u0000-\u001f]+$/

const OTHERS = ['"function_call"', '"reasoning', '"refusal":"']
const KINDS: Readonly<Record<'content' | 'arguments', Kind>> = {
  content: { mark: '"content":"', plain: PLAIN, more: ['"tool_calls"', ...OTHERS] },
  arguments: { mark: '"arguments":"', plain: ONE_LINE, more: ['"content":"', ...OTHERS] },
}

export class DeltaSkeleton {
  private before = ''
  private after = ''
  /** Of `after`, what is behind the padding; null: it has none. */
  private tail: string | null = null
  private readonly kind: Kind

  constructor(kind: keyof typeof KINDS) {
    this.kind = KINDS[kind]
  }

  /** `frame` (latin1) is an ordinary delta: one choice, words of one kind and nothing else. */
  learn(frame: string): void {
    const { mark, more } = this.kind
    const at = frame.indexOf(mark)
    const start = at + mark.length
    const end = frame.indexOf('"', start)
    const isSimple = at !== -1 && end > start && !frame.includes('\\') && isOnly(frame, '"delta"')
    if (
      !isSimple ||
      !isOnly(frame, mark) ||
      !isFirstChoice(frame) ||
      more.some((word) => frame.includes(word))
    )
      return
    this.before = frame.slice(0, start)
    const padded = aroundPadding(frame.slice(end))
    this.after = padded?.head ?? frame.slice(end)
    this.tail = padded?.tail ?? null
  }

  /** The words of a frame of the same shape (latin1, as the bytes are), or null: read it the long way. */
  textOf(frame: string): string | null {
    const { before, after, tail } = this
    if (before === '' || !frame.startsWith(before)) return null
    const end = stringEnd(frame, before.length)
    if (end <= before.length || !frame.startsWith(after, end)) return null
    const rest = end + after.length
    if (tail === null ? rest !== frame.length : !isPadding(frame, rest, tail)) return null
    const text = frame.slice(before.length, end)
    return this.kind.plain.test(text) ? text : null
  }
}

/** Where the quote is that ends the JSON string; -1: it does not end. */
function stringEnd(frame: string, start: number): number {
  let end = frame.indexOf('"', start)
  while (end !== -1 && isEscaped(frame, end)) end = frame.indexOf('"', end + 1)
  return end
}

function isEscaped(frame: string, at: number): boolean {
  let first = at
  while (frame.charCodeAt(first - 1) === BACKSLASH) first -= 1
  return (at - first) % 2 === 1
}

const BACKSLASH = 0x5c

/** From `start` to the end: padding, and what is behind it. */
function isPadding(frame: string, start: number, tail: string): boolean {
  const end = frame.length - tail.length
  return end >= start && frame.endsWith(tail) && (end === start || PLAIN.test(frame.slice(start, end)))
}

function isFirstChoice(frame: string): boolean {
  return frame.includes('"index":0') || !frame.includes('"index"')
}

function isOnly(frame: string, word: string): boolean {
  const at = frame.indexOf(word)
  return at !== -1 && frame.indexOf(word, at + 1) === -1
}

/** Bytes read as latin1, as the UTF-8 they are. */
export function fromLatin1(text: string): string {
  // oxlint-disable-next-line no-control-regex
  return /[\u0080-\u00ff]/.test(text) ? Buffer.from(text, 'latin1').toString('utf8') : text
}
