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
    ...objectsOf(body['messages']).flatMap(([message, index]) => {
      const at = `messages[${index}].`
      return [...fieldsPresent(message, ['name', 'annotations'], at), ...breakpoints(message, at)]
    }),
  ]
}

function breakpoints(message: Record<string, unknown>, at: string): string[] {
  return objectsOf(message['content']).flatMap(([part, index]) =>
    fieldsPresent(part, ['prompt_cache_breakpoint'], `${at}content[${index}].`),
  )
}
