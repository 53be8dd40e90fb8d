// Where in a Messages request our message model's fields and parts stand.

import { isObject } from '../../core/json.js'
import { type CallerPlaces, contentPlaces } from '../caller-place.js'

const FIELDS = new Map([
  ['stop', 'stop_sequences'],
  ['response_format', 'output_config.format'],
  ['parallel_tool_calls', 'tool_choice.disable_parallel_tool_use'],
])

export function places(body: unknown): CallerPlaces {
  const { system, messages } = isObject(body) ? body : {}
  const said: readonly unknown[] = Array.isArray(messages) ? messages : []
  const isSystem = Array.isArray(system) ? system.length > 0 : typeof system === 'string' && system !== ''
  return {
    fields: FIELDS,
    messages: [
      ...(isSystem ? [contentPlaces(system, 'system')] : []),
      ...said.map((message, index) =>
        contentPlaces(isObject(message) ? message['content'] : null, `messages[${index}].content`),
      ),
    ],
  }
}
