// Structured output as this format knows it natively: `output_config.format`, and `strict` tools. Both hold
// only schemas of closed objects without numeric and length limits; what they refuse goes another way
// (`json-tool.ts`), which guides the model instead of binding it.

import { isObject, type JsonObject } from '../../core/json.js'
import type { ModelRequest, ToolDefinition } from '../../core/model/message.js'
import { followsSchemas } from './older-models.js'

/** The format to ask for, or null: not JSON, or not of a schema that can be held to. */
export function jsonFormat({ json, model, messages }: ModelRequest): JsonObject | null {
  if (json === null || json.schema === null || !json.strict) return null
  const { schema } = json
  if (schema['type'] !== 'object' || !followsSchemas(model) || !isClosed(schema)) return null
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
  return strict === true && followsSchemas(model) && isClosed({ ...parameters, type: 'object' })
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
const DEPTH_MAX = 64

/** Every object says `additionalProperties: false`, and no keyword is one that the format refuses. */
function isClosed(schema: unknown, depth = 0): boolean {
  if (!isObject(schema)) return true
  if (depth > DEPTH_MAX || REFUSED.some((word) => schema[word] !== undefined)) return false
  if (typeof schema['minItems'] === 'number' && schema['minItems'] > 1) return false
  const opens = schema['type'] === 'object' || schema['properties'] !== undefined
  if (opens && schema['additionalProperties'] !== false) return false
  return insideOf(schema).every((inner) => isClosed(inner, depth + 1))
}

function insideOf(schema: Record<string, unknown>): readonly unknown[] {
  const named = ['properties', '$defs', 'definitions'].flatMap((key) => {
    const group = schema[key]
    return isObject(group) ? Object.values(group) : []
  })
  const listed = ['anyOf', 'allOf', 'prefixItems'].flatMap((key) => {
    const list = schema[key]
    return Array.isArray(list) ? (list as readonly unknown[]) : []
  })
  return [...named, ...listed, schema['items']]
}
