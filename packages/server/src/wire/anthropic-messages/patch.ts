// Edits of a Messages body that stays in its format, spliced into the caller's bytes. Usage always comes, and
// log probabilities never do, so there is nothing to ask for.

import type { RequestChanges } from '../format.js'
import { spliceObject } from '../json-splice.js'

export function patch(body: Uint8Array, changes: RequestChanges): Uint8Array {
  const edits: Record<string, string | null> = {}
  if (changes.model !== undefined) edits['model'] = JSON.stringify(changes.model)
  if (changes.stream !== undefined) edits['stream'] = JSON.stringify(changes.stream)
  if (changes.messages !== undefined) edits['messages'] = JSON.stringify(changes.messages)
  if (changes.maxOutputTokens !== undefined) edits['max_tokens'] = String(changes.maxOutputTokens)
  return Object.keys(edits).length === 0 ? body : spliceObject(body, edits)
}
