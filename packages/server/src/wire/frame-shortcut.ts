// Nearly every frame of a stream repeats the one before it but for the words, and so does its translation.
// Once a frame with one delta has gone the long way, the bytes around its words are remembered on both sides,
// and a frame with the same bytes around other words is translated by putting these into the other frame:
// a JSON string means the same in either, escapes included. Whatever happens between makes it forget.

import { aroundPadding } from './padding.js'

/** What the long way said of a frame. Both sides hold the words once, as the same JSON string. */
export interface Translated {
  readonly words: string
  /** One whole frame, or what one says where it is no server-sent event. */
  readonly source: Buffer
  readonly target: string
}

/** Of a frame, what is compared. */
interface Inside {
  readonly start: number
  readonly end: number
}

interface Around {
  readonly before: Buffer
  readonly after: Buffer
  /** Behind the padding that follows `after`; null: none does. */
  readonly tail: Buffer | null
}

/** Of a format that numbers its frames: what is before the number of the next one, and that number. */
interface NumberedTarget extends Around {
  readonly head: Buffer
  next: number
}

export class FrameShortcut {
  /** Characters (UTF-16) of the words that were translated last. */
  chars = 0
  /** Where these words are in that frame. */
  start = 0
  end = 0
  private source: Around | null = null
  private target: Around | null = null
  private counted: NumberedTarget | null = null

  get knows(): boolean {
    return this.source !== null && this.target !== null
  }

  learn({ words, source, target }: Translated, isFrame = isEventFrame): void {
    const json = JSON.stringify(words)
    this.source = isFrame(source) ? around(source, json) : null
    // Words that opened a block came with more than their own frame; the next ones will not.
    const alone = target.indexOf('\n\n') === target.length - 2
    const made = this.source !== null && alone ? around(Buffer.from(target), json) : null
    const counted = made === null ? null : numbered(made)
    this.counted = counted
    this.target = made
  }

  forget(): void {
    this.source = null
  }

  /** The frame of the other format, or null: it has to go the long way. */
  translate(frame: Buffer, inside: Inside = { start: 0, end: frame.length }): Buffer | null {
    const { source, target, counted } = this
    if (source === null || target === null || !isAt(frame, source.before, inside.start)) return null
    this.start = inside.start + source.before.length
    this.end = this.wordsEnd(frame, this.start)
    if (this.end === this.start || !endsIn(frame, source, { start: this.end, end: inside.end })) return null
    return counted === null ? filled(target, frame, this) : filledNumber(counted, frame, this)
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

function endsIn(frame: Buffer, { after, tail }: Around, rest: Inside): boolean {
  if (!isAt(frame, after, rest.start)) return false
  const start = rest.start + after.length
  if (tail === null) return start === rest.end
  const end = rest.end - tail.length
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

function filled({ before, after }: Around, frame: Buffer, { start, end }: Inside): Buffer {
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

function filledNumber(target: NumberedTarget, frame: Buffer, { start, end }: Inside): Buffer {
  const { head, before, after } = target
  const digits = String(target.next)
  target.next += 1
  const length = head.length + digits.length + before.length + end - start + after.length
  const made = Buffer.allocUnsafe(length)
  made.set(head, 0)
  let at = head.length
  for (let index = 0; index < digits.length; index += 1) {
    made[at] = digits.charCodeAt(index)
    at += 1
  }
  made.set(before, at)
  at += before.length
  for (let index = start; index < end; index += 1) {
    made[at] = frame[index] ?? 0
    at += 1
  }
  made.set(after, at)
  return made
}

const NUMBER = /"sequence_number":(\d+),/

/** null: the frame has no number. */
function numbered(made: Around): NumberedTarget | null {
  const before = made.before.toString('latin1')
  const found = NUMBER.exec(before)
  if (found === null) return null
  const [whole, digits = ''] = found
  const end = found.index + whole.length - 1
  return {
    ...made,
    head: made.before.subarray(0, end - digits.length),
    before: made.before.subarray(end),
    next: Number(digits) + 1,
  }
}

/** Whole frames of server-sent events, and nothing before or behind them. */
function isEventFrame(bytes: Buffer): boolean {
  const text = bytes.toString('latin1')
  return text.endsWith('\n\n') && (text.startsWith('data:') || text.startsWith('event:'))
}

/** What is around the inside of `json`; null when it is there more than once, or not under a known name. */
function around(frame: Buffer, json: string): Around | null {
  // As latin1, because what is around the words may be anything.
  const text = frame.toString('latin1')
  const value = `:${Buffer.from(json).toString('latin1')}`
  const at = text.indexOf(value)
  if (at === -1 || text.indexOf(value, at + 1) !== -1) return null
  if (!NAMES.has(text.slice(text.lastIndexOf('"', at - 2) + 1, at - 1))) return null
  const rest = text.slice(at + value.length - 1)
  const padded = aroundPadding(rest)
  return {
    before: Buffer.from(text.slice(0, at + 2), 'latin1'),
    after: Buffer.from(padded?.head ?? rest, 'latin1'),
    tail: padded === null ? null : Buffer.from(padded.tail, 'latin1'),
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
  'input',
  'delta',
])

const QUOTE = 0x22
const BACKSLASH = 0x5c
const SPACE = 0x20
const ESCAPED = new Set(['"', '\\', '/', 'b', 'f', 'n', 'r', 't'].map((letter) => letter.charCodeAt(0)))
