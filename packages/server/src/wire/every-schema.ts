// Looks through a JSON Schema: providers hold answers only to schemas of some kinds.

import { isObject } from '../core/json.js'

/** Deeper is taken for a schema that no provider holds to. */
const DEPTH_MAX = 64

/** Does `holds` hold for the schema and for all inside it? */
export function everySchema(
  schema: unknown,
  holds: (schema: Record<string, unknown>) => boolean,
  depth = 0,
): boolean {
  if (!isObject(schema)) return true
  if (depth > DEPTH_MAX || !holds(schema)) return false
  return insideOf(schema).every((inner) => everySchema(inner, holds, depth + 1))
}

/** Describes objects, and lets in no property that it does not name. */
export function isClosed(schema: Record<string, unknown>): boolean {
  const ofObjects = schema['type'] === 'object' || schema['properties'] !== undefined
  return !ofObjects || schema['additionalProperties'] === false
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
