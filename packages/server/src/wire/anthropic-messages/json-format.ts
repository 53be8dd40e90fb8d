// Structured output as this format knows it natively: `output_config.format`, and `strict` tools. Both hold
// only schemas of closed objects without numeric and length limits; what they refuse goes another way
// (`../json-tool.ts`), which guides the model instead of binding it.

import type { JsonObject } from '../../core/json.js'
import type { ModelRequest, ToolDefinition } from '../../core/model/message.js'
import { everySchema, isClosed } from '../every-schema.js'
import { followsSchemas } from './older-models.js'

/** The format to ask for, or null: not JSON, or not of a schema that can be held to. */
export function jsonFormat({ json, model, messages }: ModelRequest): JsonObject | null {
  if (json === null || json.schema === null || !json.strict) return null
  const { schema } = json
  if (schema['type'] !== 'object' || !followsSchemas(model) || !everySchema(schema, isHeldTo)) return null
  // Citations and a format exclude each other here.
  const cited = messages.some(({ parts }) =>
    parts.some((part) => part.kind === 'document' && part.cite === true),
  )
  return cited ? null : { type: 'json_schema', schema }
}

/** The answer comes as the arguments of a forced call. */
export function usesJsonTool(request: ModelRequest): boolean {
  const { json, toolChoice } = request
  const demanded = toolChoice?.kind === 'tool' || toolChoice?.kind === 'required'
  return json !== null && !demanded && jsonFormat(request) === null
}

export function isStrictTool({ strict, parameters }: ToolDefinition, model: string): boolean {
  return strict === true && followsSchemas(model) && everySchema({ ...parameters, type: 'object' }, isHeldTo)
}

const REFUSED = [
  'minimum',
  'maximum',
  'exclusiveMinimum',
  'exclusiveMaximum',
  'multipleOf',
  'minLength',
  'maxLength',
  'maxItems',
  'uniqueItems',
  'patternProperties',
  'oneOf',
  'not',
  'if',
]
function isHeldTo(schema: Record<string, unknown>): boolean {
  if (REFUSED.some((word) => schema[word] !== undefined)) return false
  const { minItems } = schema
  return isClosed(schema) && (typeof minItems !== 'number' || minItems <= 1)
}
