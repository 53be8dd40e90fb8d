// Insertions into the bytes of a JSON object, beside `json-splice.ts` which replaces members: into values
// that are lists, at their end.

import { type Member, skipSpace, skipValue } from './json-splice.js'

export interface Insertion {
  readonly at: number
  readonly text: string
}

/** In order of `at`, or they are put in order. */
export function withInsertions(json: Buffer, insertions: readonly Insertion[]): Buffer {
  const ordered = insertions.toSorted((a, b) => a.at - b.at)
  const pieces: Buffer[] = []
  let copied = 0
  for (const { at, text } of ordered) {
    pieces.push(json.subarray(copied, at), Buffer.from(text))
    copied = at
  }
  return Buffer.concat([...pieces, json.subarray(copied)])
}

/** null: it is not there, or is there twice, and which of them counts is not agreed. */
export function memberOf(members: readonly Member[], key: string): Member | null {
  const found = members.filter((member) => member.key === key)
  return found.length === 1 ? (found[0] ?? null) : null
}

const OPEN_LIST = 0x5b
const CLOSE_LIST = 0x5d
const OPEN_OBJECT = 0x7b
const COMMA = 0x2c

/** Where the last object of a list is; null: it is no list, empty, or ends with something else. */
export function lastElement(
  json: Buffer,
  member: Pick<Member, 'valueStart'> | null,
): { readonly start: number; readonly end: number } | null {
  if (member === null || json[member.valueStart] !== OPEN_LIST) return null
  let at = skipSpace(json, member.valueStart + 1)
  let start = -1
  let end = -1
  while (json[at] !== CLOSE_LIST) {
    start = at
    end = skipValue(json, at)
    at = skipSpace(json, end)
    if (json[at] === COMMA) at = skipSpace(json, at + 1)
  }
  // An empty object has nothing that a comma could follow.
  const isObject = start !== -1 && json[start] === OPEN_OBJECT && end - start > 2
  return isObject ? { start, end } : null
}
