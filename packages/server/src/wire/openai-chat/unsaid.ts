// Hints of a chat completion request that no other format is told.

import { isObject } from '../../core/json.js'
import { fieldsPresent, objectsOf, present } from '../hint-places.js'
import { OPENAI_CHAT_FIELDS } from './fields.js'

export function unsaid(body: unknown): string[] {
  if (!isObject(body)) return []
  const messages = objectsOf(body['messages'])
  const firstTurn = messages.findIndex(([{ role }]) => role !== 'system' && role !== 'developer')
  return [
    ...fieldsPresent(body, OPENAI_CHAT_FIELDS.hints),
    ...(present(body['user']) ? fieldsPresent(body, ['safety_identifier']) : []),
    ...objectsOf(body['tools']).flatMap(([{ function: tool }, index]) =>
      isObject(tool) ? fieldsPresent(tool, ['strict'], `tools[${index}].function.`) : [],
    ),
    ...messages.flatMap(([message, index]) => {
      const at = `messages[${index}].`
      const late =
        firstTurn !== -1 &&
        index > firstTurn &&
        (message['role'] === 'system' || message['role'] === 'developer')
      // It still counts, but is read before the conversation instead of in its place.
      const moved = late ? [`${at}position`] : []
      return [
        ...moved,
        ...fieldsPresent(message, ['name', 'reasoning_content', 'reasoning'], at),
        ...details(message, at),
      ]
    }),
  ]
}

function details(message: Record<string, unknown>, at: string): string[] {
  return objectsOf(message['content']).flatMap(([{ image_url: image }, index]) =>
    isObject(image) ? fieldsPresent(image, ['detail'], `${at}content[${index}].image_url.`) : [],
  )
}
