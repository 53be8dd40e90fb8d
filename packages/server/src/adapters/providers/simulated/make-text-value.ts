// A string for a JSON Schema: formats, lengths, and patterns of the plain kind (literals, classes, groups of
// alternatives, counts). A pattern beyond that gets prose.

import { type Dice, hexName } from './seeded.js'

export interface TextMaker {
  readonly dice: Dice
  readonly phrase: () => string
}

const LENGTH_MAX = 10_000

export function makeText(schema: Readonly<Record<string, unknown>>, maker: TextMaker): string {
  const { pattern, format } = schema
  if (typeof pattern === 'string') {
    const made = makeFromPattern(pattern, maker.dice)
    if (made !== null) return made
  }
  const formatted = typeof format === 'string' ? makeFormatted(format, maker.dice) : null
  return formatted ?? fitLength(schema, maker)
}

function makeFormatted(format: string, dice: Dice): string | null {
  const two = (low: number, high: number): string => String(dice.between(low, high)).padStart(2, '0')
  const date = `20${two(20, 29)}-${two(1, 12)}-${two(1, 28)}`
  const time = `${two(0, 23)}:${two(0, 59)}:${two(0, 59)}Z`
  const name = hexName(String(dice.next()), 32)
  switch (format) {
    case 'date':
      return date
    case 'time':
      return time
    case 'date-time':
      return `${date}T${time}`
    case 'duration':
      return `P${dice.between(1, 9)}D`
    case 'email':
      return `user-${name.slice(0, 6)}@example.com`
    case 'uri':
    case 'url':
      return `https://example.com/${name.slice(0, 8)}`
    case 'hostname':
      return `host-${name.slice(0, 6)}.example.com`
    case 'ipv4':
      return `192.0.2.${dice.between(1, 254)}`
    case 'ipv6':
      return `2001:db8::${name.slice(0, 4)}`
    case 'uuid':
      return name.replace(/^(.{8})(.{4}).(.{3}).(.{3})(.{12})$/, '$1-$2-4$3-8$4-$5')
    default:
      return null
  }
}

/** JSON Schema counts characters, not UTF-16 units. */
function fitLength(schema: Readonly<Record<string, unknown>>, maker: TextMaker): string {
  const least = typeof schema['minLength'] === 'number' ? Math.min(schema['minLength'], LENGTH_MAX) : 0
  const most = typeof schema['maxLength'] === 'number' ? schema['maxLength'] : Infinity
  let text = maker.phrase()
  while (Array.from(text).length < least) text += ` ${maker.phrase()}`
  return Array.from(text).slice(0, Math.max(most, 0)).join('')
}

const DIGITS = '0123456789'
const LOWER = 'abcdefghijklmnopqrstuvwxyz'
const WORD = DIGITS + LOWER + LOWER.toUpperCase() + '_'
const REPEATS_OPEN = 3
const REPEATS_MAX = 1_000
const MADE_CHARS_MAX = 1_000

/** null: the pattern uses something this does not know. */
export function makeFromPattern(pattern: string, dice: Dice): string | null {
  const body = pattern.replace(/^\^/, '').replace(/(?<!\\)\$$/, '')
  const made = readAlternatives({ source: body, at: 0, dice })
  // What was made is tested against the pattern itself: cheap certainty, on text of a few characters.
  try {
    return made !== null && new RegExp(pattern, 'u').test(made) ? made : null
  } catch {
    return null
  }
}

interface Reader {
  readonly source: string
  at: number
  readonly dice: Dice
}

function readAlternatives(reader: Reader): string | null {
  const options: string[] = []
  for (;;) {
    const made = readSequence(reader)
    if (made === null) return null
    options.push(made)
    if (reader.source[reader.at] !== '|') break
    reader.at++
  }
  return options[reader.dice.between(0, options.length - 1)] ?? ''
}

function readSequence(reader: Reader): string | null {
  let text = ''
  while (reader.at < reader.source.length && !'|)'.includes(reader.source[reader.at] ?? '')) {
    const start = reader.at
    let piece = readAtom(reader)
    if (piece === null || text.length > MADE_CHARS_MAX) return null
    const end = reader.at
    const count = readCount(reader)
    const after = reader.at
    if (count === 0) piece = ''
    text += piece
    for (let repeat = 1; repeat < count; repeat++) {
      reader.at = start
      text += readAtom(reader) ?? ''
      if (reader.at !== end || text.length > MADE_CHARS_MAX) return null
    }
    reader.at = after
  }
  return text
}

function readAtom(reader: Reader): string | null {
  const char = reader.source[reader.at++] ?? ''
  switch (char) {
    case '(': {
      if (reader.source.startsWith('?:', reader.at)) reader.at += 2
      const made = readAlternatives(reader)
      return reader.source[reader.at++] === ')' ? made : null
    }
    case '[':
      return pickFrom(readClass(reader), reader.dice)
    case '\\':
      return pickFrom(escaped(reader.source[reader.at++] ?? ''), reader.dice)
    case '.':
      return pickFrom(LOWER, reader.dice)
    case '*':
    case '+':
    case '?':
    case '^':
    case '$':
      return null
    default:
      return char
  }
}

function pickFrom(chars: string | null, dice: Dice): string | null {
  return chars === null || chars === '' ? null : (chars[dice.between(0, chars.length - 1)] ?? null)
}

function escaped(char: string): string | null {
  if (char === 'd') return DIGITS
  if (char === 'w') return WORD
  if (char === 's') return ' '
  return /[A-Za-z0-9]/.test(char) ? null : char
}

function readClass(reader: Reader): string | null {
  let chars = ''
  if (reader.source[reader.at] === '^') return null
  while (reader.at < reader.source.length && reader.source[reader.at] !== ']') {
    const char = reader.source[reader.at++] ?? ''
    if (char === '\\') {
      const set = escaped(reader.source[reader.at++] ?? '')
      if (set === null) return null
      chars += set
      continue
    }
    const last = reader.source[reader.at + 1]
    if (reader.source[reader.at] === '-' && last !== undefined && last !== ']') {
      reader.at += 2
      for (let code = char.charCodeAt(0); code <= last.charCodeAt(0); code++)
        chars += String.fromCharCode(code)
    } else {
      chars += char
    }
  }
  return reader.source[reader.at++] === ']' ? chars : null
}

function readCount(reader: Reader): number {
  const rest = reader.source.slice(reader.at)
  const match = /^(?:[*+?]|\{(\d+)(,(\d*))?\})\??/.exec(rest)
  if (match === null) return 1
  reader.at += match[0].length
  if (match[1] === undefined)
    return reader.dice.between(rest.startsWith('+') ? 1 : 0, rest.startsWith('?') ? 1 : REPEATS_OPEN)
  const least = Number(match[1])
  const most = match[2] === undefined ? least : match[3] === '' ? least + REPEATS_OPEN : Number(match[3])
  return Math.min(reader.dice.between(least, most), REPEATS_MAX)
}
