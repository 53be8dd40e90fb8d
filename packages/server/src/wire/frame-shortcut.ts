// Nearly every frame of a stream repeats the one before it but for the words, and so does its translation.
// Once a frame with one delta has gone the long way, the bytes around its words are remembered on both sides,
// and a frame with the same bytes around other words is translated by putting these into the other frame:
// a JSON string means the same in either, escapes included. Whatever happens between makes it forget.

import { aroundPadding } from './padding.js'

/** What the long way said of a frame. Both sides hold the words once, as the same JSON string. */
export interface Translated {
  readonly words: string
  readonly source: Buffer
  readonly target: string
}

interface Around {
  readonly before: Buffer
  readonly after: Buffer
  /** Behind the padding that follows `after`; null: none does. */
  readonly tail: Buffer | null
}

export class FrameShortcut {
  /** Characters (UTF-16) of the words that were translated last. */
  chars = 0
  private source: Around | null = null
  private target: Around | null = null

  learn({ words, source, target }: Translated): void {
    const json = JSON.stringify(words)
    const from = source.toString('utf8')
    this.source = isFrame(from) ? around(from, json) : null
    // Words that opened a block came with more than their own frame; the next ones will not.
    const alone = target.indexOf('\n\n') === target.length - 2
    this.target = this.source !== null && alone ? around(target, json) : null
  }

  forget(): void {
    this.source = null
  }

  /** The frame of the other format, or null: it has to go the long way. */
  translate(frame: Buffer): Buffer | null {
    const { source, target } = this
    if (source === null || target === null || !isAt(frame, source.before, 0)) return null
    const start = source.before.length
    const end = this.wordsEnd(frame, start)
    if (end === start || !endsIn(frame, source, end)) return null
    return filled(target, frame, { start, end })
  }

  /** Where the quote is that ends the words; `start`: not the inside of a string, or better read in full. */
  private wordsEnd(frame: Buffer, start: number): number {
    let chars = 0
    for (let at = start; at < frame.length; at += 1) {
      const byte = frame[at] ?? 0
      if (byte === QUOTE) {
        this.chars = chars
        return at
      }
      if (byte < SPACE) return start
      if (byte === BACKSLASH) {
        at += 1
        if (!ESCAPED.has(frame[at] ?? 0)) return start
      }
      // Bytes that go on a character do not count; one of four bytes is two units.
      if ((byte & 0xc0) !== 0x80) chars += byte >= 0xf0 ? 2 : 1
    }
    return start
  }
}

function endsIn(frame: Buffer, { after, tail }: Around, at: number): boolean {
  if (!isAt(frame, after, at)) return false
  const start = at + after.length
  if (tail === null) return start === frame.length
  const end = frame.length - tail.length
  for (let index = start; index < end; index += 1) {
    const byte = frame[index] ?? 0
    if (byte === QUOTE || byte === BACKSLASH || byte < SPACE) return false
  }
  return end >= start && isAt(frame, tail, end)
}

// Byte by byte: for pieces this short, calling out of JavaScript costs more than the loops do.

function isAt(frame: Buffer, piece: Buffer, at: number): boolean {
  for (let index = 0; index < piece.length; index += 1) if (frame[at + index] !== piece[index]) return false
  return true
}

function filled(
  { before, after }: Around,
  frame: Buffer,
  { start, end }: { readonly start: number; readonly end: number },
): Buffer {
  const made = Buffer.allocUnsafe(before.length + end - start + after.length)
  made.set(before, 0)
  let at = before.length
  for (let index = start; index < end; index += 1) {
    made[at] = frame[index] ?? 0
    at += 1
  }
  made.set(after, at)
  return made
}

/** Whole frames of server-sent events, and nothing before or behind them. */
function isFrame(text: string): boolean {
  return text.endsWith('\n\n') && (text.startsWith('data:') || text.startsWith('event:'))
}

/** What is around the inside of `json`; null when it is there more than once, or not under a known name. */
function around(text: string, json: string): Around | null {
  const value = `:${json}`
  const at = text.indexOf(value)
  if (at === -1 || text.indexOf(value, at + 1) !== -1) return null
  if (!NAMES.has(text.slice(text.lastIndexOf('"', at - 2) + 1, at - 1))) return null
  const rest = text.slice(at + value.length - 1)
  const padded = aroundPadding(rest)
  return {
    before: Buffer.from(text.slice(0, at + 2)),
    after: Buffer.from(padded?.head ?? rest),
    tail: padded === null ? null : Buffer.from(padded.tail),
  }
}

/** Of the words of a delta, in any of the formats. Nothing else in a frame has such a name. */
const NAMES = new Set([
  'content',
  'reasoning_content',
  'reasoning',
  'arguments',
  'text',
  'thinking',
  'partial_json',
  'delta',
])

const QUOTE = 0x22
const BACKSLASH = 0x5c
const SPACE = 0x20
const ESCAPED = new Set(['"', '\\', '/', 'b', 'f', 'n', 'r', 't'].map((letter) => letter.charCodeAt(0)))
