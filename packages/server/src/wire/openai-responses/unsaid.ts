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
  return objectsOf(input).flatMap(([item, index]) => {
    const at = `input[${index}]`
    return [
      ...fieldsPresent(item, ['phase'], `${at}.`),
      ...partHints(item['content'], `${at}.content`),
      ...partHints(item['output'], `${at}.output`),
    ]
  })
}

function partHints(content: unknown, at: string): string[] {
  return objectsOf(content).flatMap(([part, index]) =>
    fieldsPresent(part, ['prompt_cache_breakpoint'], `${at}[${index}].`),
  )
}
