// Nearly every frame of a stream repeats the one before it but for the words, and so does its translation.
// Once a frame with one delta has gone the long way, the bytes around its words are remembered on both sides,
// and a frame with the same bytes around other words is translated by putting these into the other frame:
// a JSON string means the same in either, escapes included. Whatever happens between makes it forget.

import type { Inside } from './format.js'
import { aroundPadding } from './padding.js'

/** What the long way said of a frame. Both sides hold the words once, as the same JSON string. */
export interface Translated {
  readonly words: string
  /** One whole frame, or what one says where it is no server-sent event. */
  readonly source: Buffer
  readonly target: string
  /** Where `source` has numbers behind the words that may be others the next time, in order. */
  readonly counts?: readonly Inside[]
}

interface Around {
  readonly before: Buffer
  readonly after: Buffer
}

/** Behind the words come pieces that stay the same, and between them what may change. */
interface Source {
  readonly before: Buffer
  readonly pieces: readonly Piece[]
}

interface Piece {
  readonly bytes: Buffer
  readonly next: 'padding' | 'count' | 'end'
}

/** Of a format that numbers its frames: what is before the number of the next one, and that number. */
interface NumberedTarget extends Around {
  readonly head: Buffer
  next: number
}

export class FrameShortcut {
  /** Characters (UTF-16) of the words that were translated last. */
  chars = 0
  /** Bytes (UTF-8) of the same, without their escapes. */
  bytes = 0
  /** Where these words are in that frame. */
  start = 0
  end = 0
  private source: Source | null = null
  private target: Around | null = null
  private counted: NumberedTarget | null = null

  get knows(): boolean {
    return this.source !== null && this.target !== null
  }

  learn({ words, source, target, counts = [] }: Translated, isFrame = isEventFrame): void {
    const json = JSON.stringify(words)
    const found = isFrame(source) ? around(source, json) : null
    this.source =
      found === null ? null : sourceOf(found, fromWords(counts, source.length - found.after.length))
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
    let escapes = 0
    for (let at = start; at < frame.length; at += 1) {
      const byte = frame[at] ?? 0
      if (byte === QUOTE) {
        this.chars = chars
        this.bytes = at - start - escapes
        return at
      }
      if (byte < SPACE) return start
      if (byte === BACKSLASH) {
        at += 1
        escapes += 1
        if (!ESCAPED.has(frame[at] ?? 0)) return start
      }
      // Bytes that go on a character do not count; one of four bytes is two units.
      if ((byte & 0xc0) !== 0x80) chars += byte >= 0xf0 ? 2 : 1
    }
    return start
  }
}

function endsIn(frame: Buffer, { pieces }: Source, rest: Inside): boolean {
  let at = rest.start
  for (const { bytes, next } of pieces) {
    if (!isAt(frame, bytes, at)) return false
    at += bytes.length
    if (next === 'end') return at === rest.end
    const end = next === 'padding' ? paddingEnd(frame, at) : countEnd(frame, at)
    if (end === null) return false
    at = end
  }
  return false
}

function paddingEnd(frame: Buffer, start: number): number | null {
  for (let at = start; at < frame.length; at += 1) {
    const byte = frame[at] ?? 0
    if (byte === QUOTE) return at
    if (byte === BACKSLASH || byte < SPACE) return null
  }
  return null
}

/** null: not a number that JSON may hold, or one that is too large to be exact. */
function countEnd(frame: Buffer, start: number): number | null {
  let at = start
  while (isDigit(frame[at] ?? 0)) at += 1
  const digits = at - start
  const isCount = digits === 1 || (digits > 1 && digits <= DIGITS_MAX && frame[start] !== ZERO)
  return isCount ? at : null
}

function isDigit(byte: number): boolean {
  return byte >= ZERO && byte <= NINE
}

// Byte by byte: for short pieces, calling out of JavaScript costs more than the loops do.

function isAt(frame: Buffer, piece: Buffer, at: number): boolean {
  const end = at + piece.length
  if (end > frame.length) return false
  if (piece.length >= LONG_PIECE) return frame.compare(piece, 0, piece.length, at, end) === 0
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
  const isEnded = text.endsWith('\n\n') || text.endsWith('\r\n\r\n')
  return isEnded && (text.startsWith('data:') || text.startsWith('event:'))
}

/** What is around the inside of `json`; null when it is there more than once, or not under a known name. */
function around(frame: Buffer, json: string): Around | null {
  // As latin1, because what is around the words may be anything.
  const text = frame.toString('latin1')
  const value = Buffer.from(json).toString('latin1')
  const at = valueAt(text, value, 0)
  if (at === -1 || valueAt(text, value, at + 1) !== -1) return null
  const [, name = ''] = NAME.exec(text.slice(Math.max(0, at - LONGEST_NAME), at)) ?? []
  if (!NAMES.has(name)) return null
  return { before: frame.subarray(0, at + 1), after: frame.subarray(at + value.length - 1) }
}

/** Where `value` stands behind a colon; -1: nowhere. */
function valueAt(text: string, value: string, from: number): number {
  let at = text.indexOf(value, from)
  while (at !== -1) {
    const before = text.charCodeAt(at - 1) === SPACE ? at - 2 : at - 1
    if (text.charCodeAt(before) === COLON) return at
    at = text.indexOf(value, at + 1)
  }
  return -1
}

/** Copies: the frame itself is not ours to keep. null: a count is before the words. */
function sourceOf({ before, after }: Around, counts: readonly Inside[]): Source | null {
  const own = { before: Buffer.from(before) }
  if (counts.length === 0) return { ...own, pieces: padded(after.toString('latin1')) }
  const pieces: Piece[] = []
  let from = 0
  for (const { start, end } of counts) {
    if (start < from) return null
    pieces.push({ bytes: Buffer.from(after.subarray(from, start)), next: 'count' })
    from = end
  }
  return { ...own, pieces: [...pieces, { bytes: Buffer.from(after.subarray(from)), next: 'end' }] }
}

/** Counted from behind the words on. */
function fromWords(counts: readonly Inside[], offset: number): readonly Inside[] {
  return counts.map(({ start, end }) => ({ start: start - offset, end: end - offset }))
}

function padded(rest: string): readonly Piece[] {
  const found = aroundPadding(rest)
  if (found === null) return [{ bytes: Buffer.from(rest, 'latin1'), next: 'end' }]
  return [
    { bytes: Buffer.from(found.head, 'latin1'), next: 'padding' },
    { bytes: Buffer.from(found.tail, 'latin1'), next: 'end' },
  ]
}

const NAME = /"([a-z_]+)": ?$/
const LONGEST_NAME = 24

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

/** From so many bytes on, comparing in a loop costs more than a call. */
const LONG_PIECE = 64

const QUOTE = 0x22
const BACKSLASH = 0x5c
const SPACE = 0x20
const COLON = 0x3a
const ZERO = 0x30
const NINE = 0x39
/** A number of so many digits is exact. */
const DIGITS_MAX = 15
const ESCAPED = new Set(['"', '\\', '/', 'b', 'f', 'n', 'r', 't'].map((letter) => letter.charCodeAt(0)))
