// Edits of a chat completion body that stays in its format, spliced into the caller's bytes.

import type { RequestChanges } from '../format.js'
import { editedInside, membersOf, spliceMembers } from '../json-splice.js'
import { asBuffer } from '../sse.js'

const LIMIT_KEYS = ['max_tokens', 'max_completion_tokens'] as const

export function patch(body: Uint8Array, changes: RequestChanges): Uint8Array {
  const json = asBuffer(body)
  const members = membersOf(json)
  const edits: Record<string, string | null> = {}
  if (changes.model !== undefined) edits['model'] = JSON.stringify(changes.model)
  if (changes.promptCacheKey !== undefined) edits['prompt_cache_key'] = JSON.stringify(changes.promptCacheKey)
  if (changes.stream !== undefined) edits['stream'] = JSON.stringify(changes.stream)
  if (changes.logprobs === true) edits['logprobs'] = 'true'
  if (changes.messages !== undefined) edits['messages'] = JSON.stringify(changes.messages)
  if (changes.maxOutputTokens !== undefined) {
    const used = LIMIT_KEYS.filter((key) => members.some((member) => member.key === key))
    for (const key of used.length > 0 ? used : [changes.maxTokensKey ?? 'max_tokens']) {
      edits[key] = String(changes.maxOutputTokens)
    }
  }
  if (changes.includeUsage === true) {
    const edit = { key: 'stream_options', edits: { include_usage: 'true' } }
    edits['stream_options'] = editedInside(json, members, edit)
  }
  return spliceMembers(json, members, edits)
}
