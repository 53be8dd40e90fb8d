// Edits a JSON object in its bytes. Only the members named are touched: key order, spacing, numbers beyond
// 2^53 and fields we do not know survive exactly. Long strings are skipped with `indexOf`, so a large prompt
// costs next to nothing. The bytes must be a JSON object, already accepted by JSON.parse; anything else is a
// bug of the caller and throws.

import { asBuffer } from './sse.js'

export interface Member {
  readonly key: string
  /** Where the key's quote is. */
  readonly start: number
  readonly valueStart: number
  /** Just behind the value. */
  readonly end: number
}

/**
 * Key -> JSON text of the new value, or null to remove the member. A key that is not there is added at the
 * end.
 */
export type Edits = Readonly<Record<string, string | null>>

const QUOTE = 0x22
const COMMA = 0x2c
const COLON = 0x3a
const OPEN_LIST = 0x5b
const BACKSLASH = 0x5c
const CLOSE_LIST = 0x5d
const OPEN_OBJECT = 0x7b
const CLOSE_OBJECT = 0x7d

/** Top-level members in order, duplicates included. */
export function membersOf(bytes: Uint8Array): readonly Member[] {
  const json = asBuffer(bytes)
  const members: Member[] = []
  let at = skipSpace(json, 0)
  if (json[at] !== OPEN_OBJECT) throw notAnObject()
  at = skipSpace(json, at + 1)
  while (json[at] !== CLOSE_OBJECT) {
    const start = at
    const keyEnd = skipString(json, start)
    const colon = skipSpace(json, keyEnd)
    if (json[colon] !== COLON) throw notAnObject()
    const valueStart = skipSpace(json, colon + 1)
    const end = skipValue(json, valueStart)
    members.push({ key: readKey(json, start, keyEnd), start, valueStart, end })
    at = skipSpace(json, end)
    if (json[at] === COMMA) at = skipSpace(json, at + 1)
    else if (json[at] !== CLOSE_OBJECT) throw notAnObject()
  }
  return members
}

/**
 * The object with `edits` made. Every occurrence of a duplicate key is edited: which of them a reader takes
 * is not agreed (JSON.parse takes the last), and a limit must hold for all readers.
 */
export function spliceObject(bytes: Uint8Array, edits: Edits): Buffer {
  const json = asBuffer(bytes)
  return spliceMembers(json, membersOf(json), edits)
}

export function spliceMembers(json: Buffer, members: readonly Member[], edits: Edits): Buffer {
  return replaceValues(json, members, edits) ?? spliceAll(json, members, edits)
}

/**
 * The usual edit, a value replaced by another, in one copy. null: something is added, removed or duplicate.
 */
function replaceValues(json: Buffer, members: readonly Member[], edits: Edits): Buffer | null {
  const keys = Object.keys(edits)
  const found: Member[] = []
  let length = json.length
  for (const member of members) {
    if (!keys.includes(member.key)) continue
    const value = edits[member.key]
    if (typeof value !== 'string' || found.some(({ key }) => key === member.key)) return null
    found.push(member)
    length += Buffer.byteLength(value) - (member.end - member.valueStart)
  }
  if (found.length !== keys.length) return null
  const edited = Buffer.allocUnsafe(length)
  let copied = 0
  let at = 0
  for (const { key, valueStart, end } of found) {
    at += json.copy(edited, at, copied, valueStart)
    at += edited.write(edits[key] ?? '', at)
    copied = end
  }
  json.copy(edited, at, copied)
  return edited
}

function spliceAll(json: Buffer, members: readonly Member[], edits: Edits): Buffer {
  const pieces: (Buffer | string)[] = []
  const lastKept = members.findLastIndex(
    (member) => edits[member.key] !== null || !Object.hasOwn(edits, member.key),
  )
  let copied = 0
  members.forEach((member, index) => {
    if (!Object.hasOwn(edits, member.key)) return
    const value = edits[member.key]
    if (typeof value === 'string') {
      pieces.push(json.subarray(copied, member.valueStart), value)
      copied = member.end
      return
    }
    // A removed member takes one comma with it: the one behind it, or, at the tail, the one before it.
    const from = index < lastKept ? member.start : (members[index - 1]?.end ?? member.start)
    pieces.push(json.subarray(copied, Math.max(copied, from)))
    copied = index < lastKept ? (members[index + 1]?.start ?? member.end) : member.end
  })
  const present = new Set(members.map((member) => member.key))
  const added = Object.entries(edits).filter(([key, value]) => value !== null && !present.has(key))
  pieces.push(...insertion(json, { copied, members: added, first: lastKept === -1 }))
  return joined(pieces)
}

/** Adds a member before the last brace without looking at the others: `json` is the value's JSON text. */
export function appendMember(bytes: Uint8Array, key: string, json: string): Buffer {
  const whole = asBuffer(bytes)
  const brace = closingBrace(whole)
  let before = brace - 1
  while (isSpace(whole[before])) before -= 1
  const comma = whole[before] === OPEN_OBJECT ? '' : ','
  const member = `${comma}${JSON.stringify(key)}:${json}`
  const longer = Buffer.allocUnsafe(whole.length + Buffer.byteLength(member))
  const at = whole.copy(longer, 0, 0, brace)
  whole.copy(longer, at + longer.write(member, at), brace)
  return longer
}

/** JSON text of the object at `key` with some of its members edited; of a new object when there is none. */
export function editedInside(
  json: Buffer,
  members: readonly Member[],
  edit: { key: string; edits: Edits },
): string {
  const outer = members.findLast((member) => member.key === edit.key)
  const isObject = outer !== undefined && json[outer.valueStart] === OPEN_OBJECT
  const before = isObject ? json.subarray(outer.valueStart, outer.end) : Buffer.from('{}')
  return spliceObject(before, edit.edits).toString('utf8')
}

interface Insertion {
  /** Up to here the original is already in the pieces. */
  readonly copied: number
  readonly members: readonly (readonly [string, string | null])[]
  /** No member stays before these. */
  readonly first: boolean
}

function insertion(json: Buffer, { copied, members, first }: Insertion): (Buffer | string)[] {
  const brace = closingBrace(json)
  const text = members.map(([key, value]) => `${JSON.stringify(key)}:${value}`).join(',')
  const comma = text === '' || first ? '' : ','
  return [json.subarray(copied, brace), comma + text, json.subarray(brace)]
}

function joined(pieces: readonly (Buffer | string)[]): Buffer {
  return Buffer.concat(pieces.map((piece) => (typeof piece === 'string' ? Buffer.from(piece) : piece)))
}

function closingBrace(json: Buffer): number {
  let at = json.length - 1
  while (isSpace(json[at])) at -= 1
  if (json[at] !== CLOSE_OBJECT) throw notAnObject()
  return at
}

function readKey(json: Buffer, start: number, end: number): string {
  const raw = json.toString('utf8', start + 1, end - 1)
  return raw.includes('\\') ? String(JSON.parse(`"${raw}"`)) : raw
}

/** Just behind the value that starts at `start`. */
export function skipValue(json: Buffer, start: number): number {
  const first = json[start]
  if (first === QUOTE) return skipString(json, start)
  if (first === OPEN_OBJECT || first === OPEN_LIST) return skipNested(json, start)
  let at = start
  while (at < json.length && !endsScalar(json[at])) at += 1
  if (at === start) throw notAnObject()
  return at
}

function skipNested(json: Buffer, start: number): number {
  let depth = 0
  for (let at = start; at < json.length; at += 1) {
    const byte = json[at]
    if (byte === QUOTE) at = skipString(json, at) - 1
    else if (byte === OPEN_OBJECT || byte === OPEN_LIST) depth += 1
    else if (byte === CLOSE_OBJECT || byte === CLOSE_LIST) {
      depth -= 1
      if (depth === 0) return at + 1
    }
  }
  throw notAnObject()
}

/** Most strings are short, and looking at their bytes here costs less than one call of `indexOf`. */
const NEAR = 32

function skipString(json: Buffer, start: number): number {
  if (json[start] !== QUOTE) throw notAnObject()
  let at = start + 1
  for (const near = at + NEAR; at < near; at += 1) {
    const byte = json[at]
    if (byte === QUOTE) return at + 1
    if (byte === BACKSLASH) at += 1
  }
  return skipFar(json, at)
}

function skipFar(json: Buffer, start: number): number {
  for (let at = json.indexOf(QUOTE, start); at !== -1; at = json.indexOf(QUOTE, at + 1)) {
    let escapes = 0
    while (json[at - 1 - escapes] === BACKSLASH) escapes += 1
    if (escapes % 2 === 0) return at + 1
  }
  throw notAnObject()
}

export function skipSpace(json: Buffer, start: number): number {
  let at = start
  while (isSpace(json[at])) at += 1
  return at
}

function isSpace(byte: number | undefined): boolean {
  return byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09
}

function endsScalar(byte: number | undefined): boolean {
  return byte === COMMA || byte === CLOSE_OBJECT || byte === CLOSE_LIST || isSpace(byte)
}

function notAnObject(): Error {
  return new Error('json-splice: the bytes are not a JSON object')
}
