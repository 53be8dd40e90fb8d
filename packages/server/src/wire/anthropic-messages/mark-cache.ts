// Marks in a Messages body what the provider shall keep: an insertion behind its tools and instructions,
// and one behind its last message. Every other byte stays as it was. A body that has marks of its own is
// the caller's affair, and one whose ends cannot be marked (no text, a thought) stays without.

import type { CacheMarks } from '../../core/capacity/prompt-caching.js'
import { isObject } from '../../core/json.js'
import { parseJson } from '../fields.js'
import { type Insertion, lastElement, memberOf, withInsertions } from '../json-insert.js'
import { type Member, membersOf } from '../json-splice.js'
import { asBuffer } from '../sse.js'

const MARK = '"cache_control":{"type":"ephemeral"}'
const QUOTE = 0x22
const MARKABLE: ReadonlySet<unknown> = new Set(['text', 'image', 'document', 'tool_use', 'tool_result'])

export function hasCacheMarks(body: Uint8Array): boolean {
  return asBuffer(body).includes('"cache_control"')
}

/** The same bytes when there is nothing to mark. */
export function markCache(body: Uint8Array, marks: CacheMarks): Uint8Array {
  if (hasCacheMarks(body)) return body
  const json = asBuffer(body)
  const members = membersOf(json)
  const insertions: Insertion[] = []
  if (marks.head) insertions.push(...(headMark(json, members) ?? []))
  if (marks.last) insertions.push(...lastMark(json, memberOf(members, 'messages')))
  return insertions.length === 0 ? body : withInsertions(json, insertions)
}

/** Instructions come behind tools, so a mark there keeps both. */
function headMark(json: Buffer, members: readonly Member[]): readonly Insertion[] | null {
  const system = contentMark(json, memberOf(members, 'system'))
  if (system.length > 0) return system
  const tool = lastElement(json, memberOf(members, 'tools'))
  return tool === null ? null : [{ at: tool.end - 1, text: `,${MARK}` }]
}

function lastMark(json: Buffer, messages: Member | null): readonly Insertion[] {
  const message = lastElement(json, messages)
  if (message === null) return []
  const inside = membersOf(json.subarray(message.start, message.end))
  const content = memberOf(inside, 'content')
  if (content === null) return []
  const { start } = message
  const moved = { ...content, valueStart: content.valueStart + start, end: content.end + start }
  return contentMark(json, moved)
}

/** Behind a text, which becomes a block by that, or the last of some blocks. */
function contentMark(json: Buffer, content: Member | null): readonly Insertion[] {
  if (content === null) return []
  if (json[content.valueStart] === QUOTE) {
    if (content.end - content.valueStart <= 2) return []
    return [
      { at: content.valueStart, text: '[{"type":"text","text":' },
      { at: content.end, text: `,${MARK}}]` },
    ]
  }
  const block = lastElement(json, content)
  if (block === null || !isMarkable(parseJson(json.toString('utf8', block.start, block.end)))) return []
  return [{ at: block.end - 1, text: `,${MARK}` }]
}

function isMarkable(block: unknown): boolean {
  if (!isObject(block) || !MARKABLE.has(block['type'])) return false
  return block['type'] !== 'text' || (typeof block['text'] === 'string' && block['text'].trim() !== '')
}
