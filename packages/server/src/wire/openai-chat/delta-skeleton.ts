// Nearly every frame of a stream repeats the one before it but for the words. Once an ordinary text delta has
// been read in full, the bytes around its text are remembered, and a frame with the same bytes around other
// text is known without being parsed. Quotes and backslashes in the text send a frame the long way.

import { aroundPadding } from '../padding.js'

const MARK = '"content":"'

export class DeltaSkeleton {
  private before = ''
  private after = ''
  /** Of `after`, what is behind the padding; null: it has none. */
  private tail: string | null = null

  /** `frame` (latin1) is an ordinary delta: one choice, text and nothing else. */
  learn(frame: string): void {
    const at = frame.indexOf(MARK)
    const start = at + MARK.length
    const end = frame.indexOf('"', start)
    const isSimple = at !== -1 && end > start && !frame.includes('\\') && isOnly(frame, '"delta"')
    if (
      !isSimple ||
      !isOnly(frame, MARK) ||
      !isFirstChoice(frame) ||
      MORE.some((word) => frame.includes(word))
    )
      return
    this.before = frame.slice(0, start)
    const padded = aroundPadding(frame.slice(end))
    this.after = padded?.head ?? frame.slice(end)
    this.tail = padded?.tail ?? null
  }

  /** The text of a frame of the same shape (latin1, as the bytes are), or null: read it the long way. */
  textOf(frame: string): string | null {
    const { before, after, tail } = this
    if (before === '' || !frame.startsWith(before)) return null
    const end = tail === null ? frame.length - after.length : frame.indexOf('"', before.length)
    if (end <= before.length || !frame.startsWith(after, end)) return null
    if (tail !== null && !isPadding(frame, end + after.length, tail)) return null
    const text = frame.slice(before.length, end)
    return PLAIN.test(text) ? text : null
  }
}

/** From `start` to the end: padding, and what is behind it. */
function isPadding(frame: string, start: number, tail: string): boolean {
  const end = frame.length - tail.length
  return end >= start && frame.endsWith(tail) && (end === start || PLAIN.test(frame.slice(start, end)))
}

/**
 * No quote, no backslash, no control character: the text ends where the skeleton says, and says what it says.
 */
// oxlint-disable-next-line no-control-regex
const PLAIN = /^[^"\\\u0000-\u001f]+$/

/** What else a delta may carry: such frames are always read in full. */
const MORE = ['"tool_calls"', '"function_call"', '"reasoning', '"refusal":"']

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
