// The answer to `count_tokens`.

import { isObject } from '../../core/json.js'
import { parseJson } from '../fields.js'

/** Input tokens, or null when this is no such answer. */
export function readTokenCount(body: string): number | null {
  const answer = parseJson(body)
  const count = isObject(answer) ? answer['input_tokens'] : null
  return typeof count === 'number' && Number.isSafeInteger(count) && count >= 0 ? count : null
}
