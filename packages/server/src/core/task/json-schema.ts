// A validator for the part of JSON Schema that structured outputs use. Schema and value both come from
// outside, so depth and work are bounded, and no keyword runs a regular expression (`pattern` and `format`
// are not judged).

import { canonicalJson } from '../cache/canonical-json.js'
import { isObject } from '../json.js'

/** `unknown`: the bounds were reached, or the schema refers to something that is not in it. */
export type SchemaVerdict = 'valid' | 'invalid' | 'unknown'

/** Nesting of subschemas applied to each other and to the value's members. */
export const SCHEMA_DEPTH_MAX = 64
/** Work over the whole value: subschemas applied, options compared, 64 characters of text measured. */
export const SCHEMA_STEPS_MAX = 100_000

interface Walk {
  readonly root: unknown
  /** Canonical text of the objects and arrays compared so far. */
  readonly texts: WeakMap<object, string>
  steps: number
  depth: number
}

type Schema = Readonly<Record<string, unknown>>
type Keyword = (value: unknown, schema: Schema, walk: Walk) => SchemaVerdict

export function validateJson(value: unknown, schema: unknown): SchemaVerdict {
  return apply(value, schema, { root: schema, texts: new WeakMap(), steps: 0, depth: 0 })
}

function apply(value: unknown, schema: unknown, walk: Walk): SchemaVerdict {
  walk.steps += 1
  if (walk.steps > SCHEMA_STEPS_MAX || walk.depth >= SCHEMA_DEPTH_MAX) return 'unknown'
  if (typeof schema === 'boolean') return verdict(schema)
  if (!isObject(schema)) return 'unknown'
  walk.steps += sizeOf(schema['type']) + sizeOf(schema['enum']) + sizeOf(schema['required'])
  walk.depth += 1
  const result = allValid(KEYWORDS, (keyword) => keyword(value, schema, walk))
  walk.depth -= 1
  return result
}

const KEYWORDS: readonly Keyword[] = [
  checkType,
  checkValues,
  checkNumber,
  checkText,
  checkMembers,
  checkItems,
  checkReference,
  checkCombinations,
]

function checkType(value: unknown, { type }: Schema): SchemaVerdict {
  if (type === undefined) return 'valid'
  const types: readonly unknown[] = Array.isArray(type) ? type : [type]
  return verdict(types.some((name) => isOfType(value, name)))
}

function isOfType(value: unknown, name: unknown): boolean {
  switch (name) {
    case 'null':
      return value === null
    case 'array':
      return Array.isArray(value)
    case 'object':
      return isObject(value)
    case 'integer':
      return Number.isInteger(value)
    default:
      return typeof value === name && typeof value !== 'object'
  }
}

function checkValues(value: unknown, schema: Schema, walk: Walk): SchemaVerdict {
  const allowed = 'const' in schema ? [schema['const']] : schema['enum']
  if (!Array.isArray(allowed)) return 'valid'
  return verdict(allowed.some((option) => isSame(option, value, walk)))
}

function isSame(a: unknown, b: unknown, walk: Walk): boolean {
  if (typeof a !== 'object' || typeof b !== 'object') return a === b
  return textOf(a, walk) === textOf(b, walk)
}

function checkNumber(value: unknown, schema: Schema): SchemaVerdict {
  if (typeof value !== 'number') return 'valid'
  const { minimum, maximum, exclusiveMinimum, exclusiveMaximum } = schema
  return verdict(
    !(typeof minimum === 'number' && value < minimum) &&
      !(typeof maximum === 'number' && value > maximum) &&
      !(typeof exclusiveMinimum === 'number' && value <= exclusiveMinimum) &&
      !(typeof exclusiveMaximum === 'number' && value >= exclusiveMaximum),
  )
}

function checkText(value: unknown, { minLength, maxLength }: Schema, walk: Walk): SchemaVerdict {
  if (typeof value !== 'string' || (minLength === undefined && maxLength === undefined)) return 'valid'
  walk.steps += Math.ceil(value.length / 64)
  return within(characters(value), minLength, maxLength)
}

/** As JSON Schema counts: characters, not UTF-16 units. */
function characters(text: string): number {
  let count = 0
  for (const _ of text) count += 1
  return count
}

function within(size: number, least: unknown, most: unknown): SchemaVerdict {
  return verdict(!(typeof least === 'number' && size < least) && !(typeof most === 'number' && size > most))
}

function checkMembers(value: unknown, schema: Schema, walk: Walk): SchemaVerdict {
  if (!isObject(value)) return 'valid'
  const { required, additionalProperties = true } = schema
  const properties = isObject(schema['properties']) ? schema['properties'] : {}
  if (Array.isArray(required) && !required.every((name) => Object.hasOwn(value, String(name))))
    return 'invalid'
  return allValid(Object.entries(value), ([name, member]) =>
    apply(member, Object.hasOwn(properties, name) ? properties[name] : additionalProperties, walk),
  )
}

function checkItems(value: unknown, schema: Schema, walk: Walk): SchemaVerdict {
  if (!Array.isArray(value)) return 'valid'
  const { items = true, prefixItems, minItems, maxItems, uniqueItems } = schema
  if (within(value.length, minItems, maxItems) === 'invalid') return 'invalid'
  const first: readonly unknown[] = Array.isArray(prefixItems) ? prefixItems : []
  const each = allValid([...value.entries()], ([index, item]) =>
    apply(item, index < first.length ? first[index] : items, walk),
  )
  if (each !== 'valid' || uniqueItems !== true) return each
  return verdict(new Set(value.map((item) => textOf(item, walk))).size === value.length)
}

function checkReference(value: unknown, { $ref }: Schema, walk: Walk): SchemaVerdict {
  return typeof $ref === 'string' ? apply(value, resolve($ref, walk.root), walk) : 'valid'
}

/** `#`, `#/$defs/name`: only inside the schema itself. undefined: not there. */
function resolve(reference: string, root: unknown): unknown {
  const [start, ...path] = reference.split('/')
  if (start !== '#') return undefined
  let found: unknown = root
  for (const part of path) {
    const key = part.replaceAll('~1', '/').replaceAll('~0', '~')
    if (typeof found !== 'object' || found === null || !Object.hasOwn(found, key)) return undefined
    found = (found as Readonly<Record<string, unknown>>)[key]
  }
  return found
}

function checkCombinations(value: unknown, { allOf, anyOf, oneOf, not }: Schema, walk: Walk): SchemaVerdict {
  const judge = (option: unknown): SchemaVerdict => apply(value, option, walk)
  if (Array.isArray(allOf)) {
    const all = allValid(allOf, judge)
    if (all !== 'valid') return all
  }
  if (Array.isArray(anyOf)) {
    const any = countValid({ options: anyOf, enough: 1 }, judge)
    if (any !== 1) return any === null ? 'unknown' : 'invalid'
  }
  if (Array.isArray(oneOf)) {
    const one = countValid({ options: oneOf, enough: 2 }, judge)
    if (one !== 1) return one === null ? 'unknown' : 'invalid'
  }
  if (not === undefined) return 'valid'
  const inner = judge(not)
  return inner === 'unknown' ? 'unknown' : verdict(inner === 'invalid')
}

/** How many options hold, counted up to `enough`; null as soon as one cannot be judged. */
function countValid(
  { options, enough }: { options: readonly unknown[]; enough: number },
  judge: (option: unknown) => SchemaVerdict,
): number | null {
  let count = 0
  for (const option of options) {
    const result = judge(option)
    if (result === 'unknown') return null
    if (result === 'valid') count += 1
    if (count === enough) break
  }
  return count
}

/** Stops at the first that is not valid, `unknown` included: past its bounds the walk must end at once. */
function allValid<T>(items: readonly T[], judge: (item: T) => SchemaVerdict): SchemaVerdict {
  for (const item of items) {
    const result = judge(item)
    if (result !== 'valid') return result
  }
  return 'valid'
}

/** Canonical, so that key order does not matter; kept, so that comparing often does not cost often. */
function textOf(value: unknown, walk: Walk): string {
  if (typeof value === 'string') walk.steps += Math.ceil(value.length / 64)
  if (typeof value !== 'object' || value === null) return canonicalJson(value)
  const text = walk.texts.get(value) ?? canonicalJson(value)
  walk.texts.set(value, text)
  return text
}

function sizeOf(list: unknown): number {
  return Array.isArray(list) ? list.length : 0
}

function verdict(holds: boolean): SchemaVerdict {
  return holds ? 'valid' : 'invalid'
}
