// What can be said about an answer without asking anybody: facts for `success` and `harm`. Pure and linear
// in the answer's length, because it comes from a model and may be anything.

import { type JsonObject, isObject } from '../json.js'
import { validateJson } from './json-schema.js'
import { containsSecret } from './secrets.js'

/** Named as contracts name them (`checks.schema_valid`). A check that could not be made is left out. */
export interface Checks {
  /** The answer follows the schema the request asked for. True when none was asked for. */
  readonly schema_valid?: boolean
  /** It came to its own end: not cut at a limit, not refused. */
  readonly finished: boolean
  readonly not_empty: boolean
  /** A credential, by the look of it. */
  readonly leaked_secret: boolean
}

export interface CheckedAnswer {
  readonly text: string
  readonly finishReason: string | null
  readonly toolCalls: readonly { readonly argumentsJson: string }[]
  /** What the request asked for: null for text, `{}` for any JSON object. */
  readonly schema: JsonObject | null
}

export function runChecks(answer: CheckedAnswer): Checks {
  const { text, finishReason, toolCalls } = answer
  const schemaValid = checkSchema(answer)
  return {
    ...(schemaValid === null ? {} : { schema_valid: schemaValid }),
    finished: finishReason === 'stop' || finishReason === 'tool-calls',
    not_empty: text.trim() !== '' || toolCalls.length > 0,
    leaked_secret: containsSecret(text) || toolCalls.some((call) => containsSecret(call.argumentsJson)),
  }
}

/**
 * null: cannot be said. An answer that calls tools instead of speaking is not the one the schema is about.
 */
function checkSchema({ text, toolCalls, schema }: CheckedAnswer): boolean | null {
  if (schema === null) return true
  if (text.trim() === '' && toolCalls.length > 0) return null
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return false
  }
  if (Object.keys(schema).length === 0) return isObject(value)
  const verdict = validateJson(value, schema)
  return verdict === 'unknown' ? null : verdict === 'valid'
}
