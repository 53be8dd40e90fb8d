// What OpenAI holds an answer or arguments to: closed objects that require every property they name. It
// refuses `strict` for any other schema, so that such a one is asked for without.

import { isObject } from '../../core/json.js'
import type { ModelRequest, ToolDefinition } from '../../core/model/message.js'
import { everySchema, isClosed } from '../every-schema.js'

export function isStrictJson(json: NonNullable<ModelRequest['json']>): boolean {
  return json.strict && everySchema(json.schema, isStrict)
}

export function isStrictTool({ strict, parameters }: ToolDefinition): boolean {
  return strict === true && everySchema(parameters, isStrict)
}

function isStrict(schema: Record<string, unknown>): boolean {
  const { properties, required } = schema
  const names = isObject(properties) ? Object.keys(properties) : []
  return isClosed(schema) && names.every((name) => isIn(required, name))
}

function isIn(list: unknown, name: string): boolean {
  return Array.isArray(list) && list.includes(name)
}
