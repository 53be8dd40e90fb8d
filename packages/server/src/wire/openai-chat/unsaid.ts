// Hints of a chat completion request that no other format is told.

import { isObject } from '../../core/json.js'
import { fieldsPresent, objectsOf, present } from '../hint-places.js'
import { OPENAI_CHAT_FIELDS } from './fields.js'

export function unsaid(body: unknown): string[] {
  if (!isObject(body)) return []
  return [
    ...fieldsPresent(body, OPENAI_CHAT_FIELDS.hints),
    ...(body['reasoning_effort'] === 'max' ? ['reasoning_effort'] : []),
    ...(present(body['user']) ? fieldsPresent(body, ['safety_identifier']) : []),
    ...inMessages(body['messages']),
  ]
}

function inMessages(messages: unknown): readonly string[] {
  const found: string[] = []
  for (const [index, message] of (Array.isArray(messages) ? messages : []).entries()) {
    if (!isObject(message)) continue
    const { name, annotations, content } = message
    if (present(name)) found.push(`messages[${index}].name`)
    if (present(annotations)) found.push(`messages[${index}].annotations`)
    if (!Array.isArray(content)) continue
    for (const [part, at] of objectsOf(content)) {
      if (present(part['prompt_cache_breakpoint']))
        found.push(`messages[${index}].content[${at}].prompt_cache_breakpoint`)
    }
  }
  return found
}
