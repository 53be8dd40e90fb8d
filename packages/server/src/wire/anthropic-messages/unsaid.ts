// Hints of a Messages request that no other format is told.

import { isObject } from '../../core/json.js'
import { fieldsPresent, objectsOf } from '../hint-places.js'
import { ANTHROPIC_FIELDS } from './fields.js'

const TOOL_HINTS = ['allowed_callers', 'defer_loading', 'eager_input_streaming', 'input_examples']

export function unsaid(body: unknown): string[] {
  if (!isObject(body)) return []
  const { metadata, output_config: config, thinking } = body
  // An effort beside no thinking, and one beyond ours.
  const lost = isObject(thinking) && thinking['type'] === 'disabled'
  const isHeld = !lost && isObject(config) && config['effort'] !== 'max'
  return [
    ...fieldsPresent(body, ANTHROPIC_FIELDS.hints),
    ...unknownTo(metadata, ['user_id'], 'metadata.'),
    ...unknownTo(config, isHeld ? ['format', 'effort'] : ['format'], 'output_config.'),
    ...blockHints(body['system'], 'system'),
    ...objectsOf(body['tools']).flatMap(([tool, index]) =>
      fieldsPresent(tool, TOOL_HINTS, `tools[${index}].`),
    ),
    ...inMessages(body['messages']),
  ]
}

function inMessages(messages: unknown): readonly string[] {
  const found: string[] = []
  for (const [{ content }, index] of objectsOf(messages)) {
    if (Array.isArray(content)) found.push(...blockHints(content, `messages[${index}].content`))
  }
  return found
}

function unknownTo(object: unknown, known: readonly string[], at: string): string[] {
  if (!isObject(object)) return []
  return fieldsPresent(
    object,
    Object.keys(object).filter((key) => !known.includes(key)),
    at,
  )
}

function blockHints(content: unknown, at: string): readonly string[] {
  if (!Array.isArray(content)) return []
  const found: string[] = []
  for (const [block, index] of objectsOf(content)) {
    const { type, citations, source } = block
    if (type === 'tool_result') found.push(...blockHints(block['content'], `${at}[${index}].content`))
    if (citations === undefined) continue
    found.push(...searchIndexes(citations, `${at}[${index}]`))
    // The borders between a document's own blocks, to which its citations would point.
    if (isObject(citations) && isObject(source) && source['type'] === 'content')
      found.push(`${at}[${index}].source.content`)
  }
  return found
}

function searchIndexes(citations: unknown, place: string): readonly string[] {
  return objectsOf(citations).flatMap(([citation, index]) =>
    fieldsPresent(citation, ['encrypted_index', 'search_result_index'], `${place}.citations[${index}].`),
  )
}
