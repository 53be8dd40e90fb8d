// Hints of a Messages request that no other format is told.

import { isObject } from '../../core/json.js'
import { fieldsPresent, objectsOf } from '../hint-places.js'
import { ANTHROPIC_FIELDS } from './fields.js'

const TOOL_HINTS = [
  'cache_control',
  'allowed_callers',
  'defer_loading',
  'eager_input_streaming',
  'input_examples',
]

export function unsaid(body: unknown): string[] {
  if (!isObject(body)) return []
  const { metadata, output_config: config } = body
  return [
    ...fieldsPresent(body, ANTHROPIC_FIELDS.hints),
    ...(isObject(metadata)
      ? fieldsPresent(
          metadata,
          Object.keys(metadata).filter((key) => key !== 'user_id'),
          'metadata.',
        )
      : []),
    ...(isObject(config)
      ? fieldsPresent(
          config,
          Object.keys(config).filter((key) => key !== 'format'),
          'output_config.',
        )
      : []),
    ...blockHints(body['system'], 'system'),
    ...objectsOf(body['tools']).flatMap(([tool, index]) =>
      fieldsPresent(tool, TOOL_HINTS, `tools[${index}].`),
    ),
    ...objectsOf(body['messages']).flatMap(([message, index]) =>
      blockHints(message['content'], `messages[${index}].content`),
    ),
  ]
}

function blockHints(content: unknown, at: string): string[] {
  return objectsOf(content).flatMap(([block, index]) => {
    const place = `${at}[${index}]`
    const { type } = block
    const reasoning = type === 'thinking' || type === 'redacted_thinking' ? [place] : []
    return [...reasoning, ...fieldsPresent(block, ['cache_control', 'citations', 'is_error'], `${place}.`)]
  })
}
