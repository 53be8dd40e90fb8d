// Which JSON schemas the grammar of a local model can promise to keep. What it cannot is refused by its
// place: a schema that is quietly kept in part would be a lie about structured output.

import { type Json, type JsonObject, isObject } from '../../../core/json.js'
import { type Parsed, type Problem, parsed } from '../../../core/parsed.js'

/** Keywords that say nothing about which values are valid. */
const NOTES = new Set(['title', 'description', 'default', 'examples', '$schema', '$id', '$comment'])
const TYPES = new Set(['string', 'number', 'integer', 'boolean', 'null', 'object', 'array'])
const KEYWORDS = new Set(
  (
    'type const enum oneOf anyOf $ref $defs required properties additionalProperties minProperties ' +
    'maxProperties items prefixItems minItems maxItems minLength maxLength format'
  ).split(' '),
)
const FORMATS = new Set(['date-time', 'time', 'date'])
const DEPTH_MAX = 64

/** In the words of the grammar: notes left out, `anyOf` as `oneOf`, open objects said to be open. */
export function grammarSchema(schema: unknown, at: string): Parsed<JsonObject> {
  const problems: Problem[] = []
  const defs =
    isObject(schema) && isObject(schema['$defs']) ? new Set(Object.keys(schema['$defs'])) : new Set()
  const made = read(schema, { at, problems, defs, depth: 0 })
  return problems.length > 0 ? { kind: 'invalid', problems } : parsed(made)
}

interface Place {
  readonly at: string
  readonly problems: Problem[]
  readonly defs: ReadonlySet<unknown>
  readonly depth: number
}

function under(place: Place, name: string | number): Place {
  const step = typeof name === 'number' ? `[${name}]` : `.${name}`
  return { ...place, at: place.at + step, depth: place.depth + 1 }
}

function refuse(place: Place, message: string): JsonObject {
  place.problems.push({ at: place.at, message })
  return {}
}

function read(schema: unknown, place: Place): JsonObject {
  if (place.depth > DEPTH_MAX) return refuse(place, `is nested more than ${DEPTH_MAX} deep`)
  if (!isObject(schema)) return refuse(place, 'must be a schema object')
  for (const name of Object.keys(schema)) {
    if (!NOTES.has(name) && !KEYWORDS.has(name))
      refuse(under(place, name), 'is a keyword that an on-device model cannot promise to keep')
  }
  checkKind(schema, place)
  const made: Record<string, Json> = {}
  for (const [name, value] of Object.entries(schema)) {
    if (!KEYWORDS.has(name) || name === 'required') continue
    made[name === 'anyOf' ? 'oneOf' : name] = readKeyword(name, value, under(place, name))
  }
  // JSON schema leaves an object open unless it says otherwise, the grammar closes it.
  if (schema['type'] === 'object' && schema['properties'] === undefined) made['additionalProperties'] ??= true
  return made
}

function checkKind(schema: Record<string, unknown>, place: Place): void {
  const { type } = schema
  const isSaid = ['const', 'enum', 'oneOf', 'anyOf', '$ref'].some((name) => schema[name] !== undefined)
  if (type === undefined && !isSaid) refuse(place, 'needs a `type`, `const`, `enum`, `anyOf` or `$ref`')
  const types = type === undefined ? [] : Array.isArray(type) ? type : [type]
  for (const one of types) {
    if (typeof one !== 'string' || !TYPES.has(one))
      refuse(under(place, 'type'), 'is not a type of JSON schema')
    else if (Array.isArray(type) && (one === 'object' || one === 'array'))
      refuse(under(place, 'type'), 'may list simple types only; use `anyOf`')
  }
  const { format } = schema
  if (format !== undefined && !(typeof format === 'string' && FORMATS.has(format)))
    refuse(under(place, 'format'), `must be one of ${[...FORMATS].join(', ')} on a device`)
}

function readKeyword(name: string, value: unknown, place: Place): Json {
  switch (name) {
    case 'properties':
    case '$defs':
      return readMap(value, place)
    case 'oneOf':
    case 'anyOf':
    case 'prefixItems':
      return readList(value, place)
    case 'items':
      return read(value, place)
    case 'additionalProperties':
      return typeof value === 'boolean' ? value : read(value, place)
    case '$ref':
      return readReference(value, place)
    default:
      return value as Json
  }
}

function readMap(value: unknown, place: Place): Json {
  if (!isObject(value)) return refuse(place, 'must be an object of schemas')
  const entries = Object.entries(value)
  return Object.fromEntries(entries.map(([name, schema]) => [name, read(schema, under(place, name))]))
}

function readList(value: unknown, place: Place): Json {
  if (!Array.isArray(value) || value.length === 0) return refuse(place, 'must be a list of schemas')
  return value.map((schema, index) => read(schema, under(place, index)))
}

function readReference(value: unknown, place: Place): Json {
  const name = typeof value === 'string' && value.startsWith('#/$defs/') ? value.slice(8) : null
  if (name === null || !place.defs.has(name))
    return refuse(place, 'must name an entry of the schema’s own `$defs`')
  return `#/$defs/${name}`
}
