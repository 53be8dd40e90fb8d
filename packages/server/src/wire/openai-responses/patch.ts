// Edits of a Responses body that stays in its format, spliced into the caller's bytes. Usage always comes.

import type { RequestChanges } from '../format.js'
import { parseJson } from '../fields.js'
import { type Member, membersOf, spliceMembers } from '../json-splice.js'
import { asBuffer } from '../sse.js'
import { ENCRYPTED_REASONING, LOGPROBS } from './fields.js'

export function patch(body: Uint8Array, changes: RequestChanges): Uint8Array {
  const json = asBuffer(body)
  const members = membersOf(json)
  const edits: Record<string, string | null> = {}
  if (changes.model !== undefined) edits['model'] = JSON.stringify(changes.model)
  if (changes.promptCacheKey !== undefined) edits['prompt_cache_key'] = JSON.stringify(changes.promptCacheKey)
  if (changes.stream !== undefined) edits['stream'] = JSON.stringify(changes.stream)
  if (changes.store !== undefined) edits['store'] = JSON.stringify(changes.store)
  if (changes.messages !== undefined) edits['input'] = JSON.stringify(changes.messages)
  if (changes.maxOutputTokens !== undefined) edits['max_output_tokens'] = String(changes.maxOutputTokens)
  if (changes.store !== undefined) edits['store'] = JSON.stringify(changes.store)
  const more = [
    ...(changes.encryptedThoughts === true ? [ENCRYPTED_REASONING] : []),
    ...(changes.logprobs === true ? [LOGPROBS] : []),
  ]
  if (more.length > 0) edits['include'] = JSON.stringify(including(more, json, members))
  return Object.keys(edits).length === 0 ? body : spliceMembers(json, members, edits)
}

function including(more: readonly string[], json: Buffer, members: readonly Member[]): readonly unknown[] {
  const found = members.findLast(({ key }) => key === 'include')
  const asked = found === undefined ? null : parseJson(json.toString('utf8', found.valueStart, found.end))
  const others: readonly unknown[] = Array.isArray(asked) ? asked : []
  return [...others, ...more.filter((name) => !others.includes(name))]
}
