// Hints of a Messages request that no other format is told.

import { isObject } from '../../core/json.js'
import { fieldsPresent, objectsOf } from '../hint-places.js'
import { ANTHROPIC_FIELDS } from './fields.js'

const TOOL_HINTS = ['allowed_callers', 'defer_loading', 'eager_input_streaming', 'input_examples']

export function unsaid(body: unknown): string[] {
  if (!isObject(body)) return []
  const { metadata, output_config: config } = body
  return [
    ...fieldsPresent(body, ANTHROPIC_FIELDS.hints),
    ...unknownTo(metadata, ['user_id'], 'metadata.'),
    ...unknownTo(
      config,
      ['format', ...(isObject(config) && config['effort'] !== 'max' ? ['effort'] : [])],
      'output_config.',
    ),
    ...blockHints(body['system'], 'system'),
    ...objectsOf(body['tools']).flatMap(([tool, index]) =>
      fieldsPresent(tool, TOOL_HINTS, `tools[${index}].`),
    ),
    ...objectsOf(body['messages']).flatMap(([message, index]) =>
      blockHints(message['content'], `messages[${index}].content`),
    ),
  ]
}

function unknownTo(object: unknown, known: readonly string[], at: string): string[] {
  if (!isObject(object)) return []
  return fieldsPresent(
    object,
    Object.keys(object).filter((key) => !known.includes(key)),
    at,
  )
}

function blockHints(content: unknown, at: string): string[] {
  return objectsOf(content).flatMap(([block, index]) => {
    const place = `${at}[${index}]`
    const inside = block['type'] === 'tool_result' ? blockHints(block['content'], `${place}.content`) : []
    const { citations, source } = block
    // The borders between a document's own blocks, to which its citations would point.
    const borders = isObject(citations) && isObject(source) && source['type'] === 'content'
    return [...inside, ...searchIndexes(citations, place), ...(borders ? [`${place}.source.content`] : [])]
  })
}

function searchIndexes(citations: unknown, place: string): string[] {
  return objectsOf(citations).flatMap(([citation, index]) =>
    fieldsPresent(citation, ['encrypted_index', 'search_result_index'], `${place}.citations[${index}].`),
  )
}
