// Hints of a Responses request that no other format is told.

import { isObject } from '../../core/json.js'
import { fieldsPresent, objectsOf, present } from '../hint-places.js'
import { OPENAI_RESPONSES_FIELDS } from './fields.js'

export function unsaid(body: unknown): string[] {
  if (!isObject(body)) return []
  const { reasoning, text } = body
  return [
    ...fieldsPresent(body, OPENAI_RESPONSES_FIELDS.hints),
    ...(present(body['user']) ? fieldsPresent(body, ['safety_identifier']) : []),
    ...(isObject(reasoning) ? fieldsPresent(reasoning, ['context', 'mode'], 'reasoning.') : []),
    ...(isObject(reasoning) && reasoning['effort'] === 'max' ? ['reasoning.effort'] : []),
    ...(isObject(text) ? fieldsPresent(text, ['verbosity'], 'text.') : []),
    ...objectsOf(body['tools']).flatMap(([tool, index]) =>
      fieldsPresent(tool, ['allowed_callers', 'defer_loading', 'output_schema'], `tools[${index}].`),
    ),
    ...itemHints(body['input']),
  ]
}

function itemHints(input: unknown): string[] {
  const found: string[] = []
  // Places are put together only for what is found: most requests lose nothing.
  for (const [index, item] of (Array.isArray(input) ? input : []).entries()) {
    if (!isObject(item)) continue
    if (present(item['phase'])) found.push(`input[${index}].phase`)
    for (const name of ['content', 'output'] as const) {
      const parts = item[name]
      if (!Array.isArray(parts)) continue
      for (const [at, part] of parts.entries()) {
        if (isObject(part) && present(part['prompt_cache_breakpoint']))
          found.push(`input[${index}].${name}[${at}].prompt_cache_breakpoint`)
      }
    }
  }
  return found
}
