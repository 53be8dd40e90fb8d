// Marks in a Converse body, which is always one of ours, what the provider shall keep: a block of its own
// behind instructions (or tools), and one behind the last message.

import type { CacheMarks } from '../../core/capacity/prompt-caching.js'
import { type Insertion, lastElement, memberOf, withInsertions } from '../json-insert.js'
import { type Member, membersOf } from '../json-splice.js'
import { asBuffer } from '../sse.js'

const POINT = ',{"cachePoint":{"type":"default"}}'

/** The same bytes when there is nothing to mark, or the caller has marked something. */
export function markConverseCache(body: Uint8Array, marks: CacheMarks): Uint8Array {
  const json = asBuffer(body)
  if (json.includes('"cachePoint"')) return body
  const members = membersOf(json)
  const insertions: Insertion[] = []
  if (marks.head) insertions.push(...(behindLast(json, memberOf(members, 'system')) ?? tools(json, members)))
  if (marks.last) insertions.push(...lastMessage(json, memberOf(members, 'messages')))
  return insertions.length === 0 ? body : withInsertions(json, insertions)
}

function behindLast(json: Buffer, list: Pick<Member, 'valueStart'> | null): readonly Insertion[] | null {
  const last = lastElement(json, list)
  return last === null ? null : [{ at: last.end, text: POINT }]
}

function tools(json: Buffer, members: readonly Member[]): readonly Insertion[] {
  return inside(json, memberOf(members, 'toolConfig'), 'tools')
}

function lastMessage(json: Buffer, messages: Member | null): readonly Insertion[] {
  const last = lastElement(json, messages)
  return last === null ? [] : inside(json, { valueStart: last.start, end: last.end }, 'content')
}

/** Behind the last element of the list that a member of an object is. */
function inside(
  json: Buffer,
  object: Pick<Member, 'valueStart' | 'end'> | null,
  key: string,
): readonly Insertion[] {
  if (object === null) return []
  const list = memberOf(membersOf(json.subarray(object.valueStart, object.end)), key)
  if (list === null) return []
  return behindLast(json, { valueStart: list.valueStart + object.valueStart }) ?? []
}
